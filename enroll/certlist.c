#include "enroll/certlist.h"

#include <stdlib.h>
#include <string.h>

#include "common/i18n.h"
#include "enroll/codec.h"
#include "enroll/text.h"
#include "enroll/token.h"
#include "enroll/wrap.h"

#define CERTLIST_DAY_S    86400
#define CERTLIST_DATE_LEN 10 /* "2026-11-22" */

static enum certlist_place certlist_look(struct token *token, const char *serial)
{
    bool found = false;

    if (!token || token_find_certificate(token, serial, &found, NULL, NULL) != ERROR_NONE) {
        return CERTLIST_UNKNOWN;
    }
    return found ? CERTLIST_HERE : CERTLIST_ELSEWHERE;
}

static enum error_code certlist_look_all(const struct app *app, struct certlist *list, struct error *err)
{
    struct token *token = NULL;
    struct error why = {0};

    list->places = calloc(list->portal.count + 1, sizeof *list->places);
    if (!list->places) {
        return error_set(err, ERROR_MEMORY, "%s", "");
    }
    if (list->portal.count == 0) {
        return ERROR_NONE;
    }
    if (token_open(&app->config, &token, &why) != ERROR_NONE) {
        fprintf(stderr, "%s\n", error_text(&why));
    }
    list->token = token ? strdup(token_label(token)) : NULL;
    for (size_t i = 0; i < list->portal.count; i++) {
        list->places[i] = certlist_look(token, list->portal.items[i].serial);
    }
    token_close(&token);
    return ERROR_NONE;
}

enum error_code certlist_read(const struct app *app, struct portal *portal, struct certlist *list,
                              struct error *err)
{
    struct certlist read = {0};
    enum error_code status = portal_get_certificates(portal, &read.portal, err);

    if (status == ERROR_NONE) {
        status = certlist_look_all(app, &read, err);
    }
    if (status != ERROR_NONE) {
        certlist_clear(&read);
        return status;
    }
    *list = read;
    return ERROR_NONE;
}

void certlist_clear(struct certlist *list)
{
    portal_certificates_clear(&list->portal);
    free(list->places);
    free(list->token);
    *list = (struct certlist){0};
}

long certlist_days_left(const struct certlist *list, const struct portal_certificate *row)
{
    const time_t left = row->not_after - list->portal.now;

    return left >= 0 ? (long)(left / CERTLIST_DAY_S) : -(long)((-left + CERTLIST_DAY_S - 1) / CERTLIST_DAY_S);
}

bool certlist_is_due(const struct certlist *list, const struct portal_certificate *row)
{
    return strcmp(row->state, "active") == 0 && list->portal.now >= row->renewal_opens_at &&
           list->portal.now < row->not_after;
}

/* ------------------------------------------------------------------ for people */

static const char *certlist_state_name(const char *state)
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

static const char *certlist_place_name(enum certlist_place place)
{
    return place == CERTLIST_UNKNOWN ? "?" : place == CERTLIST_HERE ? _("yes") : _("no");
}

enum certlist_column {
    CERTLIST_NUMBER,
    CERTLIST_USE,
    CERTLIST_STATE,
    CERTLIST_UNTIL,
    CERTLIST_DAYS,
    CERTLIST_PLACE,
    CERTLIST_SERIAL,
    CERTLIST_COLUMNS,
};

/* subject NULL: all rows have the same, which has been said. */
static void certlist_print_cells(FILE *out, const char *const cells[CERTLIST_COLUMNS], const char *subject)
{
    static const size_t widths[CERTLIST_SERIAL] = {4, 12, 15, 13, 11, 10};

    for (size_t i = 0; i < CERTLIST_SERIAL; i++) {
        if (cells[i]) {
            text_print_cell(out, cells[i], widths[i]);
        }
    }
    fprintf(out, "%s%s%s\n", cells[CERTLIST_SERIAL], subject ? "  " : "", subject ? subject : "");
}

static void certlist_print_row(FILE *out, const struct certlist *list, size_t i, bool numbered, bool subjects)
{
    const struct portal_certificate *row = &list->portal.items[i];
    char *subject = text_clean(row->subject_dn, false);
    char serial[CERTLIST_SERIAL_DIGITS + 1];
    char until[CODEC_TIME_SIZE];
    char number[24];
    char days[24];
    const char *const cells[CERTLIST_COLUMNS] = {
        [CERTLIST_NUMBER] = numbered ? number : NULL,
        [CERTLIST_USE] = row->use == PORTAL_SIGNING ? _("signing") : _("encryption"),
        [CERTLIST_STATE] = certlist_state_name(row->state),
        [CERTLIST_UNTIL] = until,
        [CERTLIST_DAYS] = days,
        [CERTLIST_PLACE] = certlist_place_name(list->places[i]),
        [CERTLIST_SERIAL] = serial,
    };

    snprintf(number, sizeof number, "%zu", i + 1);
    snprintf(days, sizeof days, "%ld%s", certlist_days_left(list, row),
             certlist_is_due(list, row) ? " !" : "");
    snprintf(serial, sizeof serial, "%s", row->serial);
    codec_time_format(row->not_after, until);
    until[CERTLIST_DATE_LEN] = '\0';
    certlist_print_cells(out, cells, subjects ? subject ? subject : "?" : NULL);
    free(subject);
}

/* The subject that all rows have; NULL: they differ, or there is no row. */
static const char *certlist_one_subject(const struct certlist *list)
{
    const char *subject = list->portal.count > 0 ? list->portal.items[0].subject_dn : NULL;

    for (size_t i = 1; i < list->portal.count; i++) {
        if (strcmp(list->portal.items[i].subject_dn, subject) != 0) {
            return NULL;
        }
    }
    return subject;
}

void certlist_print(FILE *out, const struct certlist *list, const bool *wanted, bool numbered)
{
    const char *const heads[CERTLIST_COLUMNS] = {
        [CERTLIST_NUMBER] = numbered ? "#" : NULL,
        [CERTLIST_USE] = _("USE"),
        [CERTLIST_STATE] = _("STATE"),
        [CERTLIST_UNTIL] = _("VALID UNTIL"),
        [CERTLIST_DAYS] = _("DAYS LEFT"),
        [CERTLIST_PLACE] = _("ON TOKEN"),
        [CERTLIST_SERIAL] = _("SERIAL"),
    };
    const char *subject = certlist_one_subject(list);
    char *clean = subject ? text_clean(subject, false) : NULL;

    if (clean) {
        wrap_say(out, _("Subject: %s"), clean);
    }
    certlist_print_cells(out, heads, subject ? NULL : _("SUBJECT"));
    for (size_t i = 0; i < list->portal.count; i++) {
        if (!wanted || wanted[i]) {
            certlist_print_row(out, list, i, numbered, !subject);
        }
    }
    free(clean);
}

/* ------------------------------------------------------------------ for programs */

json_t *certlist_json(const struct certlist *list, size_t i)
{
    const struct portal_certificate *row = &list->portal.items[i];
    const enum certlist_place place = list->places[i];
    char not_before[CODEC_TIME_SIZE];
    char not_after[CODEC_TIME_SIZE];
    char opens_at[CODEC_TIME_SIZE];
    char since[CODEC_TIME_SIZE];

    codec_time_format(row->not_before, not_before);
    codec_time_format(row->not_after, not_after);
    codec_time_format(row->renewal_opens_at, opens_at);
    codec_time_format(row->state_since, since);
    return json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s?, s:s, s:s, s:s, s:s, s:I, s:b, s:o}", "serial", row->serial, "use",
        row->use == PORTAL_SIGNING ? "signing" : "encryption", "partner_serial", row->partner_serial, "state",
        row->state, "state_since", since, "reason", row->reason, "subject_dn", row->subject_dn, "not_before",
        not_before, "not_after", not_after, "renewal_opens_at", opens_at, "days_left",
        (json_int_t)certlist_days_left(list, row), "renewal_due", certlist_is_due(list, row) ? 1 : 0,
        "on_token", place == CERTLIST_UNKNOWN ? json_null() : json_boolean(place == CERTLIST_HERE));
}
