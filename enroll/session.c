#include "enroll/session.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "common/i18n.h"
#include "enroll/file.h"

#define SESSION_FILE     "session.json"
#define SESSION_FILE_MAX 4096

enum error_code session_save(const struct app *app, const struct portal *portal, const char *account,
                             struct error *err)
{
    const struct secret *cookie = portal_cookie(portal);
    enum error_code status = ERROR_MEMORY;
    json_t *json = NULL;
    char *text = NULL;
    char *path = NULL;

    if (!cookie) {
        return error_set(err, ERROR_PROTOCOL,
                         _("The portal opened no session: check that url names the right portal."));
    }
    json = json_pack("{s:i, s:s, s:s, s:s}", "version", 1, "portal", app->config.portal.url, "account",
                     account, "cookie", secret_bytes(cookie));
    text = json ? json_dumps(json, JSON_INDENT(2)) : NULL;
    path = file_join(app->state_folder, SESSION_FILE);
    if (text && path) {
        status = file_write_private(path, text, strlen(text), err);
    } else {
        error_set(err, ERROR_MEMORY, "%s", "");
    }
    if (text) {
        secret_wipe(text, strlen(text));
    }
    free(text);
    free(path);
    json_decref(json);
    return status;
}

/* The session's file as JSON; NULL without an error: there is none. */
static enum error_code session_read(const struct app *app, json_t **json, struct error *err)
{
    char *path = file_join(app->state_folder, SESSION_FILE);
    struct bytes text = {0};
    bool found = false;
    enum error_code status;

    if (!path) {
        return error_set(err, ERROR_MEMORY, "%s", "");
    }
    status = file_read_private(path, SESSION_FILE_MAX, &found, &text, err);
    free(path);
    if (status == ERROR_NONE && found) {
        *json = json_loadb((const char *)text.data, text.len, 0, NULL);
        secret_wipe(text.data, text.len);
    }
    bytes_clear(&text);
    return status;
}

enum error_code session_open(const struct app *app, struct session *session, struct error *err)
{
    struct session opened = {0};
    struct secret *cookie = NULL;
    json_t *json = NULL;
    const char *portal = NULL;
    const char *account = NULL;
    const char *value = NULL;
    enum error_code status = session_read(app, &json, err);

    if (status != ERROR_NONE) {
        return status;
    }
    /* A damaged file is as good as none: the remedy is the same. */
    if (!json ||
        json_unpack(json, "{s:s, s:s, s:s}", "portal", &portal, "account", &account, "cookie", &value) != 0 ||
        strcmp(portal, app->config.portal.url) != 0) {
        status = error_set(err, ERROR_LOGIN, _("Nobody is logged in at %s: run pinward login first."),
                           app->config.portal.url);
        goto out;
    }
    status = portal_new(&app->config, &opened.portal, err);
    if (status != ERROR_NONE) {
        goto out;
    }
    opened.account = strdup(account);
    cookie = secret_from(value, strlen(value));
    if (!opened.account || !cookie) {
        status = error_set(err, ERROR_MEMORY, "%s", "");
        goto out;
    }
    status = portal_set_cookie(opened.portal, cookie, err);
out:
    secret_free(&cookie);
    json_decref(json);
    if (status != ERROR_NONE) {
        portal_free(&opened.portal);
        free(opened.account);
        return status;
    }
    *session = opened;
    return ERROR_NONE;
}

void session_close(const struct app *app, struct session *session)
{
    if (session->portal && problem_is(portal_problem(session->portal), "login-required")) {
        (void)session_forget(app, NULL);
    }
    portal_free(&session->portal);
    free(session->account);
    session->account = NULL;
}

enum error_code session_forget(const struct app *app, struct error *err)
{
    char *path = file_join(app->state_folder, SESSION_FILE);
    enum error_code status;

    if (!path) {
        return error_set(err, ERROR_MEMORY, "%s", "");
    }
    status = file_remove(path, err);
    free(path);
    return status;
}
