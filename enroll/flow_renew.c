#include "enroll/flow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/i18n.h"
#include "enroll/codec.h"
#include "enroll/request.h"

#define FLOW_DATE_LEN 10 /* "2026-11-22" */

/* The pair that is to be renewed, as the portal lists it. */
struct flow_old_pair {
    const struct portal_certificate *signing;
    const struct portal_certificate *encryption;
};

/* Why there is no active pair to renew. */
static enum error_code flow_renew_no_pair(const struct portal_certificates *list, struct error *err)
{
    if (portal_certificates_find(list, PORTAL_SIGNING, "expired") ||
        portal_certificates_find(list, PORTAL_ENCRYPTION, "expired")) {
        return error_set(
            err, ERROR_STATE,
            _("The certificates have expired and cannot be renewed: register again at the registration "
              "authority, then use pinward apply."));
    }
    if (list->count > 0) {
        return error_set(
            err, ERROR_STATE,
            _("You have no active pair of certificates to renew (pinward status shows them): ask the "
              "registration authority."));
    }
    return error_set(err, ERROR_STATE,
                     _("You have no certificates to renew: apply for them with pinward apply."));
}

static enum error_code flow_renew_find_pair(const struct portal_certificates *list,
                                            struct flow_old_pair *pair, struct error *err)
{
    struct flow_old_pair found = {portal_certificates_find(list, PORTAL_SIGNING, "active"),
                                  portal_certificates_find(list, PORTAL_ENCRYPTION, "active")};

    if (!found.signing || !found.encryption ||
        strcmp(found.signing->partner_serial, found.encryption->serial) != 0) {
        return flow_renew_no_pair(list, err);
    }
    *pair = found;
    return ERROR_NONE;
}

/* Neither before the last month nor after the end, by the portal's clock, which decides. */
static enum error_code flow_renew_check_window(const struct portal_certificates *list,
                                               const struct flow_old_pair *pair, struct error *err)
{
    char when[CODEC_TIME_SIZE];

    if (list->now >= pair->signing->not_after || list->now >= pair->encryption->not_after) {
        return error_set(
            err, ERROR_STATE,
            _("The certificates have expired and cannot be renewed: register again at the registration "
              "authority, then use pinward apply."));
    }
    if (list->now < pair->signing->renewal_opens_at) {
        codec_time_show(pair->signing->renewal_opens_at, when);
        return error_set(err, ERROR_STATE, _("Renewal opens at %s (in %ld days): run pinward renew then."),
                         when, (long)((pair->signing->renewal_opens_at - list->now + 86399) / 86400));
    }
    return ERROR_NONE;
}

static enum error_code flow_renew_missing(const struct flow *flow, const char *what, struct error *err)
{
    return error_set(
        err, ERROR_TOKEN,
        _("The token \"%s\" does not hold %s, which a renewal needs: insert the token that does, or ask the "
          "registration authority for a new registration."),
        token_label(flow->token), what);
}

/* The old certificate on the token, and then its key. */
static enum error_code flow_renew_find_old(struct flow *flow, const char *serial,
                                           const char *missing_certificate, const char *missing_key,
                                           X509 **certificate, struct token_key *key, struct error *err)
{
    X509 *old = NULL;
    bool found = false;
    enum error_code status = token_find_certificate(flow->token, serial, &found, &old, err);

    if (status != ERROR_NONE || !found) {
        return status != ERROR_NONE ? status : flow_renew_missing(flow, missing_certificate, err);
    }
    status = flow_log_in(flow, err);
    if (status == ERROR_NONE) {
        status = token_find_key_of(flow->token, X509_get0_pubkey(old), &found, key, err);
    }
    if (status == ERROR_NONE && !found) {
        status = flow_renew_missing(flow, missing_key, err);
    }
    if (status != ERROR_NONE) {
        X509_free(old);
        return status;
    }
    *certificate = old;
    return ERROR_NONE;
}

static enum error_code flow_renew_find_signing(struct flow *flow, const char *serial, X509 **certificate,
                                               struct token_key *key, struct error *err)
{
    return flow_renew_find_old(flow, serial, _("the old signing certificate"), _("the old signing key"),
                               certificate, key, err);
}

/* "NAME (signing)", perhaps "NAME 2026-11-22 (signing)" from an earlier renewal, becomes "NAME 2027-11-20". A
 * new string; NULL: no memory. */
static char *flow_renew_name(const char *old_label, time_t now)
{
    const char *end = strstr(old_label, " (signing)");
    size_t len = end ? (size_t)(end - old_label) : strlen(old_label);
    char today[CODEC_TIME_SIZE];
    char *name = NULL;

    if (len > FLOW_DATE_LEN && old_label[len - FLOW_DATE_LEN - 1] == ' ' &&
        strspn(old_label + len - FLOW_DATE_LEN, "0123456789-") >= FLOW_DATE_LEN) {
        len -= FLOW_DATE_LEN + 1;
    }
    codec_time_format(now, today);
    return asprintf(&name, "%.*s %.*s", (int)len, old_label, FLOW_DATE_LEN, today) < 0 ? NULL : name;
}

/* Everything that a renewal needs is there; then the new keys are planned beside the old ones. */
static enum error_code flow_renew_plan_keys(struct flow *flow, const struct portal_certificates *list,
                                            const struct flow_old_pair *pair, struct error *err)
{
    struct token_key signing_key = {0};
    struct token_key encryption_key = {0};
    X509 *signing = NULL;
    X509 *encryption = NULL;
    char *name = NULL;
    enum error_code status =
        flow_renew_find_signing(flow, pair->signing->serial, &signing, &signing_key, err);

    if (status == ERROR_NONE) {
        status = flow_renew_find_old(flow, pair->encryption->serial, _("the old encryption certificate"),
                                     _("the old encryption key"), &encryption, &encryption_key, err);
    }
    if (status == ERROR_NONE) {
        name = flow->app->options.name ? strdup(flow->app->options.name)
                                       : flow_renew_name(signing_key.label, list->now);
        status = name ? flow_plan_keys(flow, name, err) : error_set(err, ERROR_MEMORY, "%s", "");
    }
    if (status == ERROR_NONE) {
        status = journal_set(&flow->journal.old_signing_serial, pair->signing->serial, err);
    }
    if (status == ERROR_NONE) {
        status = journal_set(&flow->journal.old_encryption_serial, pair->encryption->serial, err);
    }
    free(name);
    X509_free(signing);
    X509_free(encryption);
    token_key_clear(&signing_key);
    token_key_clear(&encryption_key);
    return status;
}

/* Both old certificates are visible without a PIN, so that nobody types one for nothing. */
static enum error_code flow_renew_check_token(struct flow *flow, const struct flow_old_pair *pair,
                                              struct error *err)
{
    bool found = false;
    enum error_code status = token_open(&flow->app->config, &flow->token, err);

    if (status == ERROR_NONE) {
        status = token_find_certificate(flow->token, pair->signing->serial, &found, NULL, err);
    }
    if (status == ERROR_NONE && !found) {
        return flow_renew_missing(flow, _("the old signing certificate"), err);
    }
    if (status == ERROR_NONE) {
        status = token_find_certificate(flow->token, pair->encryption->serial, &found, NULL, err);
    }
    if (status == ERROR_NONE && !found) {
        return flow_renew_missing(flow, _("the old encryption certificate"), err);
    }
    return status;
}

static enum error_code flow_renew_plan(struct flow *flow, struct error *err)
{
    struct portal_certificates list = {0};
    struct flow_old_pair pair = {0};
    enum error_code status = flow_check_no_open_application(flow, err);

    if (status == ERROR_NONE) {
        status = portal_get_certificates(flow->session.portal, &list, err);
    }
    if (status == ERROR_NONE) {
        status = flow_renew_find_pair(&list, &pair, err);
    }
    if (status == ERROR_NONE) {
        status = flow_renew_check_window(&list, &pair, err);
    }
    if (status == ERROR_NONE) {
        status = flow_renew_check_token(flow, &pair, err);
    }
    if (status == ERROR_NONE) {
        status = flow_confirm_registration(flow, err);
    }
    if (status == ERROR_NONE) {
        status = flow_accept_terms(flow, err);
    }
    if (status == ERROR_NONE) {
        status = flow_renew_plan_keys(flow, &list, &pair, err);
    }
    flow->journal.renewal = true;
    portal_certificates_clear(&list);
    return status;
}

static enum error_code flow_renew_request(struct flow *flow, struct error *err)
{
    const char *serial = flow->journal.old_signing_serial;
    struct token_key old_key = {0};
    struct bytes request = {0};
    struct bytes signed_request = {0};
    X509 *old = NULL;
    char *text = NULL;
    enum error_code status = flow_build_request(flow, &request, err);

    if (status == ERROR_NONE) {
        status = flow_renew_find_signing(flow, serial ? serial : "", &old, &old_key, err);
    }
    if (status == ERROR_NONE) {
        status = request_sign_renewal(&request, old, old_key.pkey, &signed_request, err);
    }
    if (status == ERROR_NONE) {
        text = codec_base64_encode(signed_request.data, signed_request.len);
        status = text ? journal_set(&flow->journal.request, text, err)
                      : error_set(err, ERROR_MEMORY, "%s", "");
    }
    free(text);
    bytes_clear(&request);
    bytes_clear(&signed_request);
    token_key_clear(&old_key);
    X509_free(old);
    return status;
}

static const struct flow_step flow_renew_steps[] = {
    {JOURNAL_PLANNED, N_("Looking whether the certificates can be renewed."), flow_renew_plan},
    {JOURNAL_KEYED, N_("Generating the new key pairs on the token."), flow_step_generate},
    {JOURNAL_REQUESTED, N_("Signing the request with the new and the old signing key."), flow_renew_request},
    {JOURNAL_SUBMITTED, N_("Sending the request to the portal."), flow_step_submit},
    {JOURNAL_ACTIVATED, N_("Activating the new certificates."), flow_step_activate},
    {JOURNAL_WRITTEN, N_("Writing the new certificates to the token."), flow_step_write},
};

/* The request is signed by the new key and by the old one, twice when the portal wants it signed anew; then the proof of
 * possession, as in flow_activate.c. */
static void flow_renew_expect(struct flow *flow)
{
    const enum journal_state state = flow->journal.state;
    const unsigned long left = state < JOURNAL_SUBMITTED ? 6 : state < JOURNAL_ACTIVATED ? 2 : 0;

    flow->batch = (struct token_batch){.uses = left, .purpose = _("Renew the certificates")};
}

static enum error_code flow_renew_run(struct flow *flow, struct error *err)
{
    enum error_code status = flow->app->options.start_over ? flow_discard(flow, err) : ERROR_NONE;

    if (status != ERROR_NONE) {
        return status;
    }
    if (flow->journal.state != JOURNAL_NONE && !flow->journal.renewal) {
        return error_set(err, ERROR_STATE, _("An application has been begun: complete it with pinward %s."),
                         flow->journal.state < JOURNAL_SUBMITTED ? "apply" : "activate");
    }
    status = flow_refresh_registration(flow, err);
    if (status == ERROR_NONE) {
        status = flow_run(flow, flow_renew_steps, sizeof flow_renew_steps / sizeof flow_renew_steps[0], err);
    }
    return status == ERROR_NONE ? flow_complete(flow, err) : status;
}

enum error_code flow_renew(struct app *app, struct error *err)
{
    struct flow flow = {0};
    enum error_code status = flow_open(app, &flow, err);

    if (status == ERROR_NONE) {
        flow_renew_expect(&flow);
        status = flow_renew_run(&flow, err);
        flow_close(&flow);
    }
    return status;
}
