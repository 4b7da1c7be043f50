#include "enroll/suspend.h"

#include <stdlib.h>
#include <string.h>

#include "common/i18n.h"
#include "enroll/account.h"
#include "enroll/ask.h"
#include "enroll/certlist.h"
#include "enroll/choice.h"
#include "enroll/logintries.h"
#include "enroll/session.h"
#include "enroll/wrap.h"

struct suspend {
    struct app *app;
    struct session session;
    struct certlist list;
    bool *chosen;
    json_t *done;
};

/* When the answer is lost, the portal is asked how it went, since a repeat with a wrong password would count
 * again. */
static bool suspend_was_done(struct suspend *s, const char *serial)
{
    struct portal_certificates list = {0};
    bool done = false;

    if (portal_get_certificates(s->session.portal, &list, NULL) != ERROR_NONE) {
        return false;
    }
    for (size_t i = 0; i < list.count; i++) {
        done = done ||
               (strcmp(list.items[i].serial, serial) == 0 && strcmp(list.items[i].state, "suspended") == 0);
    }
    portal_certificates_clear(&list);
    return done;
}

static enum error_code suspend_one(struct suspend *s, const struct portal_certificate *row,
                                   const struct secret *password, struct error *err)
{
    struct portal *portal = s->session.portal;
    struct problem problem;
    enum error_code status = logintries_begin(s->app, s->session.account, err);

    if (status != ERROR_NONE) {
        return status;
    }
    status = portal_suspend(portal, row->serial, password, err);
    problem = *portal_problem(portal);
    if (status == ERROR_NETWORK && suspend_was_done(s, row->serial)) {
        status = ERROR_NONE;
    }
    status = logintries_end(s->app, s->session.account, status, &problem, err);
    if (status == ERROR_NONE) {
        printf(_("%s certificate %.8s is suspended.\n"),
               row->use == PORTAL_SIGNING ? _("Signing") : _("Encryption"), row->serial);
        fflush(stdout);
        json_array_append_new(s->done, json_pack("{s:s, s:s}", "serial", row->serial, "use",
                                                 row->use == PORTAL_SIGNING ? "signing" : "encryption"));
    }
    return status;
}

static enum error_code suspend_all(struct suspend *s, struct error *err)
{
    struct secret *password = NULL;
    enum error_code status = logintries_check(s->app, s->session.account, err);

    if (status == ERROR_NONE) {
        status = account_ask_password(s->app, _("Suspend certificates."), _("Password of the portal:"),
                                      &password, err);
    }
    for (size_t i = 0; status == ERROR_NONE && i < s->list.portal.count; i++) {
        if (s->chosen[i]) {
            status = suspend_one(s, &s->list.portal.items[i], password, err);
        }
    }
    secret_free(&password);
    output_note(&s->app->output, "suspended", json_incref(s->done));
    if (status == ERROR_NONE) {
        wrap_say(stdout, "%s\n",
            _("The revocation list and OCSP say so from now on. Only the registration authority can resume "
              "them: pinward form resume."));
    }
    return status;
}

static enum error_code suspend_eligible(const struct certlist *list, bool *eligible, struct error *err)
{
    size_t count = 0;

    for (size_t i = 0; i < list->portal.count; i++) {
        const char *state = list->portal.items[i].state;

        eligible[i] = strcmp(state, "active") == 0 || strcmp(state, "renewed") == 0;
        count += eligible[i];
    }
    return count > 0 ? ERROR_NONE
                     : error_set(err, ERROR_STATE,
                                 _("There are no certificates that can be suspended: pinward status "
                                   "shows them."));
}

static enum error_code suspend_choose(struct suspend *s, struct error *err)
{
    bool *eligible = calloc(s->list.portal.count + 1, sizeof *eligible);
    enum error_code status;

    s->chosen = calloc(s->list.portal.count + 1, sizeof *s->chosen);
    status = eligible && s->chosen ? suspend_eligible(&s->list, eligible, err)
                                   : error_set(err, ERROR_MEMORY, "%s", "");
    if (status == ERROR_NONE) {
        status = choice_make(s->app, &s->list, eligible, _("Which are to be suspended? (numbers, or all)"),
                             s->chosen, err);
    }
    free(eligible);
    if (status == ERROR_NONE && !s->app->options.yes) {
        certlist_print(stderr, &s->list, s->chosen, false);
        status = ask_yes(_("Suspend these? Only the registration authority can resume them."), "--yes", err);
    }
    return status;
}

enum error_code suspend_run(struct app *app, struct error *err)
{
    struct suspend s = {.app = app, .done = json_array()};
    enum error_code status = session_open(app, &s.session, err);

    if (status == ERROR_NONE) {
        status = certlist_read(app, s.session.portal, &s.list, err);
    }
    if (status == ERROR_NONE) {
        status = suspend_choose(&s, err);
    }
    if (status == ERROR_NONE) {
        status = suspend_all(&s, err);
    }
    certlist_clear(&s.list);
    free(s.chosen);
    json_decref(s.done);
    session_close(app, &s.session);
    return status;
}
