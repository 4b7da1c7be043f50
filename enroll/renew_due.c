#include "enroll/renew_due.h"

#include <stdio.h>
#include <time.h>

#include <openssl/x509v3.h>

#include "common/i18n.h"
#include "enroll/certcheck.h"
#include "enroll/codec.h"
#include "enroll/flow.h"
#include "enroll/journal.h"
#include "enroll/session.h"
#include "enroll/token.h"
#include "enroll/wrap.h"

/* A renewal window is a month; a certificate that ends later than this is surely before it. */
#define RENEW_SURELY_EARLY_S 3456000 /* 40 days */

static bool renew_is_ours(X509_STORE *roots, STACK_OF(X509) * all, X509 *certificate)
{
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    bool ours = false;

    if (context && X509_STORE_CTX_init(context, roots, certificate, all) == 1) {
        X509_STORE_CTX_set_flags(context, X509_V_FLAG_NO_CHECK_TIME); /* its time is what is asked about */
        ours = X509_verify_cert(context) == 1;
    }
    X509_STORE_CTX_free(context);
    return ours;
}

/* When the last of the user's certificates from the pinned CA on this token ends; 0: there is none. */
static enum error_code renew_last_end(struct app *app, time_t *end, struct error *err)
{
    STACK_OF(X509) *all = NULL;
    X509_STORE *roots = NULL;
    struct token *token = NULL;
    time_t last = 0;
    enum error_code status = token_open(&app->config, &token, err);

    if (status == ERROR_NONE) {
        status = token_list_certificates(token, &all, err);
    }
    if (status == ERROR_NONE) {
        status = certcheck_load_roots(app->config.portal.ca_file, &roots, err);
    }
    for (int i = 0; status == ERROR_NONE && i < sk_X509_num(all); i++) {
        X509 *one = sk_X509_value(all, i);
        struct tm tm;

        if (X509_check_ca(one) == 0 && ASN1_TIME_to_tm(X509_get0_notAfter(one), &tm) == 1 &&
            renew_is_ours(roots, all, one) && timegm(&tm) > last) {
            last = timegm(&tm);
        }
    }
    sk_X509_pop_free(all, X509_free);
    X509_STORE_free(roots);
    token_close(&token);
    if (status == ERROR_NONE) {
        *end = last;
    }
    return status;
}

/* Has a renewal been begun that is not complete? */
static enum error_code renew_is_begun(struct app *app, const struct session *session, bool *begun,
                                      struct error *err)
{
    struct journal journal = {0};
    enum error_code status =
        journal_open(app->state_folder, app->config.portal.url, session->account, &journal, err);

    if (status == ERROR_NONE) {
        *begun = journal.state != JOURNAL_NONE;
        journal_close(&journal);
    }
    return status;
}

/* What the portal says: has the window of an active certificate opened? Without an active one, renew itself
 * says what is wrong. */
static enum error_code renew_is_open(const struct session *session, bool *open, time_t *opens_at,
                                     struct error *err)
{
    struct portal_certificates list = {0};
    const struct portal_certificate *active;
    enum error_code status = portal_get_certificates(session->portal, &list, err);

    if (status != ERROR_NONE) {
        return status;
    }
    active = portal_certificates_find(&list, PORTAL_SIGNING, "active");
    *open = !active || list.now >= active->renewal_opens_at;
    *opens_at = active ? active->renewal_opens_at : 0;
    portal_certificates_clear(&list);
    return ERROR_NONE;
}

static enum error_code renew_not_yet(struct app *app, const char *sentence, time_t when)
{
    char text[CODEC_TIME_SIZE];

    codec_time_show(when, text);
    wrap_say(stdout, sentence, text);
    output_note(&app->output, "due", json_false());
    return ERROR_NONE;
}

/* With a session: *due, or *opens_at says when it will be. */
static enum error_code renew_ask_portal(struct app *app, bool *due, time_t *opens_at, struct error *err)
{
    struct session session = {0};
    enum error_code status = session_open(app, &session, err);

    if (status == ERROR_NONE) {
        status = renew_is_open(&session, due, opens_at, err);
        session_close(app, &session);
    }
    return status;
}

/* The journal is the account's who logged in last, be it long ago: its session's file is there. */
static bool renew_goes_on(struct app *app)
{
    struct session session = {0};
    bool begun = false;

    if (session_open(app, &session, NULL) == ERROR_NONE) {
        /* Another run that holds the journal is a renewal under way: flow_renew says so. */
        begun = renew_is_begun(app, &session, &begun, NULL) != ERROR_NONE || begun;
        session_close(app, &session);
    }
    return begun;
}

/* What a timer's log will show, so it says all that is to be known. Nobody is asked: there may be nobody. */
static enum error_code renew_needs_login(time_t end, struct error *err)
{
    char text[CODEC_TIME_SIZE];

    codec_time_show(end, text);
    return error_set(err, ERROR_LOGIN,
                     _("A renewal may be due, since the certificates on the token end at %s, but nobody is logged in at the "
                       "portal: run pinward login, then pinward renew."),
                     text);
}

static enum error_code renew_if_due(struct app *app, struct error *err)
{
    time_t end = 0;
    time_t opens_at = 0;
    bool due = false;
    enum error_code status;

    if (renew_goes_on(app)) {
        return flow_renew(app, err);
    }
    status = renew_last_end(app, &end, err);
    if (status != ERROR_NONE) {
        return status;
    }
    if (end > time(NULL) + RENEW_SURELY_EARLY_S) {
        return renew_not_yet(app, _("Nothing is due: the certificates on the token are valid until %s.\n"),
                             end);
    }
    status = renew_ask_portal(app, &due, &opens_at, err);
    if (status == ERROR_LOGIN && end > 0) {
        return renew_needs_login(end, err);
    }
    if (status == ERROR_NONE && !due) {
        return renew_not_yet(app, _("Nothing is due: renewal opens at %s.\n"), opens_at);
    }
    return status == ERROR_NONE ? flow_renew(app, err) : status;
}

enum error_code renew_run(struct app *app, struct error *err)
{
    return app->options.if_due ? renew_if_due(app, err) : flow_renew(app, err);
}
