#include "enroll/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/i18n.h"
#include "enroll/codec.h"
#include "enroll/session.h"
#include "enroll/text.h"
#include "enroll/token.h"

#define STATUS_DAY_S 86400

/* Whether the certificate is on this token; -1: there is no token to look at. */
static int status_on_token(struct token *token, const char *serial)
{
    bool found = false;

    if (!token || token_find_certificate(token, serial, &found, NULL, NULL) != ERROR_NONE) {
        return -1;
    }
    return found;
}

/* Whole days until the end, by the portal's clock; negative when it has passed. */
static long status_days_left(const struct portal_certificates *list, const struct portal_certificate *row)
{
    time_t left = row->not_after - list->now;

    return left >= 0 ? (long)(left / STATUS_DAY_S) : -(long)((-left + STATUS_DAY_S - 1) / STATUS_DAY_S);
}

static bool status_is_due(const struct portal_certificates *list, const struct portal_certificate *row)
{
    return strcmp(row->state, "active") == 0 && list->now >= row->renewal_opens_at &&
           list->now < row->not_after;
}

static json_t *status_row_json(const struct portal_certificates *list, const struct portal_certificate *row,
                               struct token *token)
{
    int on_token = status_on_token(token, row->serial);
    char not_after[CODEC_TIME_SIZE];
    char opens_at[CODEC_TIME_SIZE];

    codec_time_format(row->not_after, not_after);
    codec_time_format(row->renewal_opens_at, opens_at);
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:b, s:o}", "serial", row->serial, "use",
                     row->use == PORTAL_SIGNING ? "signing" : "encryption", "state", row->state, "subject_dn",
                     row->subject_dn, "not_after", not_after, "renewal_opens_at", opens_at, "days_left",
                     (json_int_t)status_days_left(list, row), "renewal_due", status_is_due(list, row) ? 1 : 0,
                     "on_token", on_token < 0 ? json_null() : json_boolean(on_token));
}

static enum error_code status_print_json(const char *account, const struct portal_certificates *list,
                                         const char *open_application, struct token *token, struct error *err)
{
    json_t *rows = json_array();
    json_t *json;
    enum error_code status = ERROR_NONE;

    for (size_t i = 0; i < list->count; i++) {
        json_array_append_new(rows, status_row_json(list, &list->items[i], token));
    }
    json = json_pack("{s:s, s:s?, s:s?, s:o}", "account", account, "token", token ? token_label(token) : NULL,
                     "open_application", open_application, "certificates", rows);
    if (!json || json_dumpf(json, stdout, JSON_INDENT(2)) != 0) {
        status = error_set(err, ERROR_IO, _("The status cannot be written."));
    }
    fputc('\n', stdout);
    json_decref(json);
    return status;
}

/* The state's name for a person. */
static const char *status_state_name(const char *state)
{
    static const char *const names[][2] = {
        {"issued", N_("not activated")}, {"active", N_("active")},   {"renewed", N_("renewed")},
        {"suspended", N_("suspended")},  {"revoked", N_("revoked")}, {"expired", N_("expired")},
    };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i][0], state) == 0) {
            return _(names[i][1]);
        }
    }
    return state;
}

static void status_print_row(const struct portal_certificates *list, const struct portal_certificate *row,
                             struct token *token)
{
    int on_token = status_on_token(token, row->serial);
    char *subject = text_clean(row->subject_dn, false);
    char days[24];

    snprintf(days, sizeof days, "%ld%s", status_days_left(list, row), status_is_due(list, row) ? " !" : "");
    text_print_cell(row->use == PORTAL_SIGNING ? _("signing") : _("encryption"), 12);
    text_print_cell(status_state_name(row->state), 15);
    text_print_cell(days, 11);
    text_print_cell(on_token < 0 ? "?" : on_token ? _("yes") : _("no"), 10);
    printf("%s\n", subject ? subject : "?");
    free(subject);
}

static void status_print_table(const struct portal_certificates *list, const char *open_application,
                               struct token *token)
{
    if (list->count == 0) {
        printf("%s\n", _("There are no certificates."));
    } else {
        text_print_cell(_("USE"), 12);
        text_print_cell(_("STATE"), 15);
        text_print_cell(_("DAYS LEFT"), 11);
        text_print_cell(_("ON TOKEN"), 10);
        printf("%s\n", _("SUBJECT"));
    }
    for (size_t i = 0; i < list->count; i++) {
        status_print_row(list, &list->items[i], token);
    }
    if (open_application) {
        printf(_("The application %s is not activated yet: complete it with pinward activate.\n"),
               open_application);
    }
}

static enum error_code status_due(const struct portal_certificates *list, struct error *err)
{
    for (size_t i = 0; i < list->count; i++) {
        if (status_is_due(list, &list->items[i])) {
            return error_set(err, ERROR_RENEWAL_DUE,
                             _("A certificate expires in %ld days: renew it now with pinward renew."),
                             status_days_left(list, &list->items[i]));
        }
    }
    return ERROR_NONE;
}

/* Without a token the list is still worth showing. */
static struct token *status_open_token(const struct app *app)
{
    struct token *token = NULL;
    struct error why = {0};

    if (token_open(&app->config, &token, &why) != ERROR_NONE) {
        fprintf(stderr, "%s\n", error_text(&why));
        return NULL;
    }
    return token;
}

enum error_code status_show(struct app *app, struct error *err)
{
    struct session session = {0};
    struct portal_certificates list = {0};
    struct portal_application open = {0};
    struct token *token = NULL;
    bool found = false;
    enum error_code status = session_open(app, &session, err);

    if (status != ERROR_NONE) {
        return status;
    }
    status = portal_get_certificates(session.portal, &list, err);
    if (status == ERROR_NONE) {
        status = portal_find_open_application(session.portal, &found, &open, err);
    }
    if (status == ERROR_NONE) {
        token = list.count > 0 ? status_open_token(app) : NULL;
        if (app->options.json) {
            status = status_print_json(session.account, &list, open.application_id, token, err);
        } else {
            status_print_table(&list, open.application_id, token);
        }
    }
    if (status == ERROR_NONE) {
        status = status_due(&list, err);
    }
    token_close(&token);
    portal_application_clear(&open);
    portal_certificates_clear(&list);
    session_close(app, &session);
    return status;
}
