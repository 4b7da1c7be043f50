#include "enroll/flow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/i18n.h"
#include "enroll/account.h"
#include "enroll/ask.h"
#include "enroll/language.h"
#include "enroll/text.h"
#include "enroll/wrap.h"

/* Behind the number of a paragraph. */
#define FLOW_TERMS_INDENT 3

/* Takes json as the promise; the journal keeps it. */
static enum error_code flow_promise(struct flow *flow, json_t *json, struct error *err)
{
    struct portal_registration read = {0};
    enum error_code status = portal_read_registration(json, &read, err);

    if (status != ERROR_NONE) {
        return status;
    }
    portal_registration_clear(&flow->promised);
    flow->promised = read;
    json_decref(flow->journal.registration);
    flow->journal.registration = json_incref(json);
    return ERROR_NONE;
}

static enum error_code
flow_show_registration(struct flow *flow, const struct portal_registration *registration, struct error *err)
{
    account_print_registration(stdout, registration);
    fflush(stdout);
    if (!registration->approved) {
        return error_set(
            err, ERROR_STATE,
            _("The registration is not approved yet: ask the registration authority, then run the same "
              "command again."));
    }
    return flow->app->options.yes ? ERROR_NONE : ask_yes(_("Is this right?"), "--yes", err);
}

enum error_code flow_confirm_registration(struct flow *flow, struct error *err)
{
    struct portal_registration registration = {0};
    enum error_code status = portal_get_registration(flow->session.portal, &registration, err);

    if (status == ERROR_NONE) {
        status = flow_show_registration(flow, &registration, err);
    }
    if (status == ERROR_NONE) {
        status = flow_promise(flow, registration.json, err);
    }
    portal_registration_clear(&registration);
    return status;
}

/* The keys that have been begun are of the old kind, and no request with them would be accepted. */
static enum error_code flow_check_keys(const struct flow *flow, const struct portal_registration *registration,
                                       struct error *err)
{
    const struct key_profile *begun = flow->promised.profile.keys;
    const struct key_profile *wanted = registration->profile.keys;

    return begun == wanted ? ERROR_NONE
                           : error_set(err, ERROR_STATE,
                                       _("The portal now wants %s keys, and what was begun is with %s: begin anew with "
                                         "--start-over."),
                                       wanted->name, begun->name);
}

enum error_code flow_refresh_registration(struct flow *flow, struct error *err)
{
    struct portal_registration registration = {0};
    enum error_code status;

    if (flow->journal.state == JOURNAL_NONE || flow->journal.state >= JOURNAL_SUBMITTED) {
        return ERROR_NONE;
    }
    flow->resumed = true;
    printf("%s\n", _("Going on where an earlier run has stopped."));
    status = portal_get_registration(flow->session.portal, &registration, err);
    if (status == ERROR_NONE && !json_equal(registration.json, flow->journal.registration)) {
        printf("%s\n", _("The registration has changed meanwhile."));
        status = flow_check_keys(flow, &registration, err);
        if (status == ERROR_NONE) {
            status = flow_show_registration(flow, &registration, err);
        }
        if (status == ERROR_NONE) {
            status = flow_promise(flow, registration.json, err);
        }
        if (status == ERROR_NONE) {
            status = flow_withdraw_request(flow, err);
        }
    }
    portal_registration_clear(&registration);
    return status;
}

static enum error_code flow_agree(const struct flow *flow, const struct portal_terms *terms,
                                  struct error *err)
{
    const char *accepted = flow->app->options.accept_terms;

    if (!accepted) {
        return ask_yes(_("Do you accept these terms?"), "--accept-terms", err);
    }
    if (strcmp(accepted, terms->version) != 0 && strcasecmp(accepted, terms->sha256) != 0) {
        return error_set(
            err, ERROR_STATE,
            _("The terms shown are version %s with SHA-256 %s, not those named with --accept-terms: read "
              "them, then name these."),
            terms->version, terms->sha256);
    }
    return ERROR_NONE;
}

enum error_code flow_accept_terms(struct flow *flow, struct error *err)
{
    struct portal_terms terms = {0};
    char *text = NULL;
    char *version = NULL;
    enum error_code status = portal_get_terms(flow->session.portal, language_tag(), &terms, err);

    if (status != ERROR_NONE) {
        return status;
    }
    text = text_clean(terms.text, true);
    version = text_clean(terms.version, false);
    if (!text || !version) {
        status = error_set(err, ERROR_MEMORY, "%s", "");
        goto out;
    }
    wrap_say(stdout, _("Terms, version %s (SHA-256 %s):"), version, terms.sha256);
    fputc('\n', stdout);
    wrap_print(stdout, text, wrap_columns(stdout), FLOW_TERMS_INDENT);
    fputs("\n\n", stdout);
    fflush(stdout);
    status = flow_agree(flow, &terms, err);
    if (status == ERROR_NONE) {
        status = journal_set(&flow->journal.terms_version, terms.version, err);
    }
    if (status == ERROR_NONE) {
        status = journal_set(&flow->journal.terms_sha256, terms.sha256, err);
    }
out:
    free(text);
    free(version);
    portal_terms_clear(&terms);
    return status;
}
