#include "enroll/portal.h"

#include <stdlib.h>
#include <string.h>

#include "common/i18n.h"
#include "common/log.h"
#include "enroll/http.h"

struct portal {
    struct http *http;
    struct problem problem;
};

enum error_code portal_new(const struct config *config, struct portal **portal, struct error *err)
{
    struct portal *made = calloc(1, sizeof *made);
    enum error_code status;

    if (!made) {
        return error_set(err, ERROR_MEMORY, "%s", "");
    }
    status = http_new(config->portal.url, config->portal.ca_file, config->portal.timeout_s, &made->http, err);
    if (status != ERROR_NONE) {
        free(made);
        return status;
    }
    *portal = made;
    return ERROR_NONE;
}

void portal_free(struct portal **portal)
{
    if (portal && *portal) {
        http_free(&(*portal)->http);
        free(*portal);
        *portal = NULL;
    }
}

enum error_code portal_set_cookie(struct portal *portal, const struct secret *cookie, struct error *err)
{
    return http_set_cookie(portal->http, cookie, err);
}

const struct secret *portal_cookie(const struct portal *portal)
{
    return http_cookie(portal->http);
}

const struct problem *portal_problem(const struct portal *portal)
{
    return &portal->problem;
}

enum error_code portal_bad_answer(struct error *err, const char *call, const char *what)
{
    return error_set(err, ERROR_PROTOCOL,
                     _("The portal's answer to %s is not what its API allows (%s): check that url names the "
                       "right portal."),
                     call, what);
}

/* Sends the call; on a 2xx status *answer is the caller's to clear. */
static enum error_code portal_exchange(struct portal *portal, const struct portal_call *call,
                                       struct http_answer *answer, struct error *err)
{
    char *body = call->body ? json_dumps(call->body, JSON_COMPACT) : NULL;
    struct http_request request = {.method = call->method,
                                   .body = body,
                                   .accept_language = call->accept_language,
                                   .repeatable = call->repeatable};
    enum error_code status = ERROR_MEMORY;
    char *path = NULL;

    memset(&portal->problem, 0, sizeof portal->problem);
    if ((call->body && !body) || asprintf(&path, "/api/v1%s", call->path) < 0) {
        error_set(err, ERROR_MEMORY, "%s", "");
        goto out;
    }
    request.path = path;
    status = http_send(portal->http, &request, answer, err);
    if (status == ERROR_NONE && (answer->status < 200 || answer->status > 299)) {
        problem_parse(answer->status, answer->content_type, &answer->body, &portal->problem);
        http_answer_clear(answer);
        log_info("%s %s: refused with %d %s", call->method, call->path, portal->problem.status,
                 portal->problem.slug);
        status = problem_error(&portal->problem, err);
    }
out:
    if (body) {
        secret_wipe(body, strlen(body)); /* it may hold a password */
    }
    free(body);
    free(path);
    return status;
}

enum error_code portal_send(struct portal *portal, const struct portal_call *call, json_t **answer,
                            struct error *err)
{
    struct http_answer received = {0};
    enum error_code status = portal_exchange(portal, call, &received, err);
    json_error_t why;
    json_t *json;

    if (status != ERROR_NONE || !answer) {
        http_answer_clear(&received);
        return status;
    }
    if (strcmp(received.content_type, "application/json") != 0) {
        http_answer_clear(&received);
        return portal_bad_answer(err, call->path, "not JSON");
    }
    json = json_loadb((const char *)received.body.data, received.body.len, JSON_REJECT_DUPLICATES, &why);
    http_answer_clear(&received);
    if (!json_is_object(json)) {
        json_decref(json);
        return portal_bad_answer(err, call->path, "not a JSON object");
    }
    *answer = json;
    return ERROR_NONE;
}

enum error_code portal_download(struct portal *portal, const char *path, const char *content_type,
                                struct bytes *out, struct error *err)
{
    struct portal_call call = {.method = "GET", .path = path, .repeatable = true};
    struct http_answer received = {0};
    enum error_code status = portal_exchange(portal, &call, &received, err);

    if (status != ERROR_NONE) {
        return status;
    }
    if (strcmp(received.content_type, content_type) != 0) {
        http_answer_clear(&received);
        return portal_bad_answer(err, path, "wrong content type");
    }
    bytes_clear(out);
    *out = received.body;
    return ERROR_NONE;
}
