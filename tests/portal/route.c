#include "route.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "handlers.h"

static const struct route routes[] = {
    {"GET", "/time", handle_time_get, ROUTE_PUBLIC, true},
    {"POST", "/captcha", handle_captcha_post, ROUTE_PUBLIC, false},
    {"GET", "/password-policy", handle_password_policy_get, ROUTE_PUBLIC, false},
    {"GET", "/ca", handle_ca_get, ROUTE_PUBLIC, true},
    {"GET", "/crl", handle_crl_get, ROUTE_PUBLIC, true},
    {"POST", "/ocsp", handle_ocsp_post, ROUTE_PUBLIC, false},
    {"GET", "/ocsp/{rest}", handle_ocsp_get, ROUTE_PUBLIC, false},
    {"POST", "/session", handle_session_post, ROUTE_PUBLIC, false},
    {"GET", "/session", handle_session_get, ROUTE_SESSION_ANY_PASSWORD, false},
    {"DELETE", "/session", handle_session_delete, ROUTE_SESSION_ANY_PASSWORD, false},
    {"PUT", "/password", handle_password_put, ROUTE_SESSION_ANY_PASSWORD, false},
    {"GET", "/registration", handle_registration_get, ROUTE_SESSION, false},
    {"GET", "/terms", handle_terms_get, ROUTE_SESSION, false},
    {"POST", "/applications", handle_applications_post, ROUTE_SESSION, false},
    {"GET", "/applications", handle_applications_get, ROUTE_SESSION, false},
    {"GET", "/applications/{id}", handle_application_get, ROUTE_SESSION, false},
    {"POST", "/applications/{id}/challenge", handle_challenge_post, ROUTE_SESSION, false},
    {"POST", "/applications/{id}/activation", handle_activation_post, ROUTE_SESSION, false},
    {"POST", "/renewals", handle_renewals_post, ROUTE_SESSION, false},
    {"GET", "/certificates", handle_certificates_get, ROUTE_SESSION, false},
    {"GET", "/certificates/{id}", handle_certificate_get, ROUTE_SESSION, false},
    {"POST", "/certificates/{id}/suspension", handle_suspension_post, ROUTE_SESSION, false},
};

static bool path_matches(const char *pattern, const char *path, char id[ROUTE_VARIABLE_SIZE])
{
    const char *variable = strchr(pattern, '{');
    const char *after = variable == NULL ? NULL : strchr(variable, '}') + 1;
    size_t before, len;

    if (variable == NULL)
        return strcmp(pattern, path) == 0;
    before = (size_t)(variable - pattern);
    if (strncmp(pattern, path, before) != 0)
        return false;
    len = strcmp(variable, "{rest}") == 0 ? strlen(path + before) : strcspn(path + before, "/");
    if (len == 0 || len >= ROUTE_VARIABLE_SIZE || strcmp(path + before + len, after) != 0)
        return false;
    memcpy(id, path + before, len);
    id[len] = '\0';
    return true;
}

static void allow_method(char allow[ROUTE_ALLOW_SIZE], const char *method)
{
    size_t len = strlen(allow);

    snprintf(allow + len, ROUTE_ALLOW_SIZE - len, "%s%s%s", len == 0 ? "" : ", ", method,
             strcmp(method, "GET") == 0 ? ", HEAD" : "");
}

enum route_match route_find(const char *method, const char *path, const struct route **route,
                            char id[ROUTE_VARIABLE_SIZE], char allow[ROUTE_ALLOW_SIZE])
{
    size_t prefix = strlen(PORTAL_API_PREFIX);

    allow[0] = '\0';
    if (strncmp(path, PORTAL_API_PREFIX, prefix) != 0)
        return ROUTE_NO_PATH;
    if (strcmp(method, "HEAD") == 0)
        method = "GET";
    for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
        if (!path_matches(routes[i].path, path + prefix, id))
            continue;
        if (strcmp(routes[i].method, method) == 0) {
            *route = &routes[i];
            return ROUTE_FOUND;
        }
        allow_method(allow, routes[i].method);
    }
    return allow[0] == '\0' ? ROUTE_NO_PATH : ROUTE_NO_METHOD;
}

static enum store_result find_session(struct exchange *x)
{
    if (x->cookie == NULL || x->cookie[0] == '\0')
        return STORE_DONE;
    crypto_hash_sha256(x->session_hash, (const unsigned char *)x->cookie, strlen(x->cookie));
    return session_find(x->store, x->session_hash, x->now_s, x->portal->idle_limit_s, &x->session);
}

/* True when the route may be used; else it has answered. */
static bool may_use(struct exchange *x)
{
    enum store_result result;

    if (x->route->access == ROUTE_PUBLIC)
        return true;
    result = find_session(x);
    if (result == STORE_FAILED) {
        answer_failure(x);
        return false;
    }
    if (result == STORE_DONE) {
        answer_problem(x, PROBLEM_LOGIN_REQUIRED, "There is no session, or it has ended; log in.");
        return false;
    }
    x->has_session = true;
    if (x->session.password_change_required && x->route->access != ROUTE_SESSION_ANY_PASSWORD) {
        answer_problem(x, PROBLEM_PASSWORD_CHANGE_REQUIRED,
                       "The password is a first one; change it, then go on.");
        return false;
    }
    return true;
}

void route_run(struct exchange *x)
{
    store_failure_clear(x->store);
    if (may_use(x))
        x->route->handle(x);
    store_rollback(x->store); /* what a handler did not commit did not happen */
}
