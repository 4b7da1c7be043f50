#include "enroll/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/i18n.h"
#include "enroll/certlist.h"
#include "enroll/codec.h"
#include "enroll/session.h"
#include "enroll/text.h"
#include "enroll/wrap.h"

/* Where the account stands as a whole. */
enum status_verdict { STATUS_NONE, STATUS_WELL, STATUS_DUE, STATUS_EXPIRED };

static const char *const status_verdict_names[] = {
    [STATUS_NONE] = "none",
    [STATUS_WELL] = "well",
    [STATUS_DUE] = "renewal-due",
    [STATUS_EXPIRED] = "expired",
};

static bool status_has(const struct certlist *list, const char *state)
{
    return portal_certificates_find(&list->portal, PORTAL_SIGNING, state) ||
           portal_certificates_find(&list->portal, PORTAL_ENCRYPTION, state);
}

/* Expired: nothing is left that could be used, resumed or activated. */
static enum status_verdict status_judge(const struct certlist *list, const struct portal_certificate **due)
{
    for (size_t i = 0; i < list->portal.count; i++) {
        if (certlist_is_due(list, &list->portal.items[i])) {
            *due = &list->portal.items[i];
            return STATUS_DUE;
        }
    }
    if (list->portal.count == 0) {
        return STATUS_NONE;
    }
    return status_has(list, "expired") && !status_has(list, "active") && !status_has(list, "suspended") &&
                   !status_has(list, "issued")
               ? STATUS_EXPIRED
               : STATUS_WELL;
}

static void status_note(struct output *output, const char *account, const struct certlist *list,
                        const char *open_application, enum status_verdict verdict)
{
    json_t *rows = json_array();

    for (size_t i = 0; i < list->portal.count; i++) {
        json_array_append_new(rows, certlist_json(list, i));
    }
    output_note(output, "account", json_string(account));
    output_note(output, "token", output_text(list->token));
    output_note(output, "open_application", open_application ? json_string(open_application) : json_null());
    output_note(output, "standing", json_string(status_verdict_names[verdict]));
    output_note(output, "certificates", rows);
}

/* Since when what no longer holds does not, and why: what became of a suspension or of a form that was handed
 * in. */
static void status_print_outcome(const struct portal_certificate *row)
{
    const char *use = row->use == PORTAL_SIGNING ? _("Signing") : _("Encryption");
    char *reason = text_clean(row->reason ? row->reason : "unspecified", false);
    char since[CODEC_TIME_SIZE];

    codec_time_show(row->state_since, since);
    if (strcmp(row->state, "suspended") == 0) {
        wrap_say(stdout,
                 _("%s certificate %.8s has been suspended since %s. Only the registration authority can resume it: "
                   "pinward form resume fills in the form."),
                 use, row->serial, since);
    } else if (strcmp(row->state, "revoked") == 0) {
        wrap_say(stdout, _("%s certificate %.8s was revoked at %s (%s)."), use, row->serial, since,
                 reason ? reason : "?");
    }
    free(reason);
}

static void status_print(const struct certlist *list, const char *open_application)
{
    if (list->portal.count == 0) {
        wrap_say(stdout, "%s", open_application ? _("There are no certificates.")
                                                : _("There are no certificates: apply for them with pinward apply."));
    } else {
        certlist_print(stdout, list, NULL, false);
        for (size_t i = 0; i < list->portal.count; i++) {
            status_print_outcome(&list->portal.items[i]);
        }
    }
    if (open_application && status_has(list, "issued")) {
        wrap_say(stdout, _("The application %s is not activated yet: complete it with pinward activate."),
                 open_application);
    } else if (open_application) {
        wrap_say(stdout,
                 _("The registration authority has not issued the certificates of the application %s yet: wait until they "
                   "are shown here, then run pinward activate."),
                 open_application);
    }
    fflush(stdout);
}

static enum error_code status_sentence(const struct certlist *list, enum status_verdict verdict,
                                       const struct portal_certificate *due, struct error *err)
{
    switch (verdict) {
    case STATUS_NONE:
    case STATUS_WELL:
        break;
    case STATUS_DUE:
        return certlist_days_left(list, due) < 2
                   ? error_set(err, ERROR_RENEWAL_DUE, "%s",
                               _("A certificate expires within 48 hours: renew it now with pinward renew."))
                   : error_set(err, ERROR_RENEWAL_DUE,
                               _("A certificate expires in %ld days: renew it now with pinward renew."),
                               certlist_days_left(list, due));
    case STATUS_EXPIRED:
        return error_set(err, ERROR_EXPIRED,
                         _("The certificates have expired and cannot be renewed: register again at the "
                           "registration authority, then use pinward apply."));
    }
    return ERROR_NONE;
}

static enum error_code status_of(struct app *app, const struct session *session, struct error *err)
{
    struct certlist list = {0};
    struct portal_application open = {0};
    const struct portal_certificate *due = NULL;
    bool found = false;
    enum error_code status = certlist_read(app, session->portal, &list, err);

    if (status == ERROR_NONE) {
        status = portal_find_open_application(session->portal, &found, &open, err);
    }
    if (status == ERROR_NONE) {
        enum status_verdict verdict = status_judge(&list, &due);

        if (found && verdict == STATUS_EXPIRED) {
            verdict = STATUS_WELL; /* the way out has been taken already */
        }
        status_note(&app->output, session->account, &list, open.application_id, verdict);
        status_print(&list, open.application_id);
        status = status_sentence(&list, verdict, due, err);
    }
    portal_application_clear(&open);
    certlist_clear(&list);
    return status;
}

enum error_code status_show(struct app *app, struct error *err)
{
    struct session session = {0};
    enum error_code status = session_open(app, &session, err);

    if (status == ERROR_NONE) {
        status = status_of(app, &session, err);
        session_close(app, &session);
    }
    return status;
}
