#include "enroll/flow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/i18n.h"
#include "enroll/account.h"
#include "enroll/certcheck.h"
#include "enroll/certificate.h"
#include "enroll/chain.h"
#include "enroll/codec.h"
#include "enroll/dn.h"
#include "enroll/flow_adopt.h"
#include "enroll/logintries.h"
#include "enroll/possession.h"
#include "enroll/text.h"
#include "enroll/wrap.h"

/* What both activation and writing need to judge a pair of certificates. */
struct flow_pair {
    X509 *signing;         /* borrowed */
    X509 *encryption;      /* borrowed */
    STACK_OF(X509) * sent; /* borrowed: what the portal sent to build the chain from */
    const struct portal_application *application;
    const struct token_key *signing_key;
    const struct token_key *encryption_key;
};

/* Both certificates against what was promised. *chain: the verified CA certificates and the signing
 * certificate. */
static enum error_code flow_check_pair(struct flow *flow, const struct flow_pair *pair,
                                       STACK_OF(X509) * *chain, struct error *err)
{
    const struct portal_profile *profile = &flow->promised.profile;
    struct certcheck_trust trust = {.untrusted = pair->sent, .now = time(NULL)};
    struct certcheck_promise promise = {.email = flow->promised.email,
                                        .validity_days = profile->validity_days};
    STACK_OF(X509) *verified = NULL;
    X509_NAME *subject = NULL;
    struct bytes der = {0};
    enum error_code status = dn_parse(flow->promised.subject_dn, &subject, err);

    if (status == ERROR_NONE && !certificate_name_der(subject, &der)) {
        status = error_set(err, ERROR_MEMORY, "%s", "");
    }
    if (status == ERROR_NONE) {
        status = certcheck_load_roots(flow->app->config.portal.ca_file, &trust.roots, err);
    }
    promise.subject = &der;
    if (status == ERROR_NONE) {
        promise.use = CERTCHECK_ENCRYPTION;
        promise.serial = pair->application->encryption_serial;
        promise.key = pair->encryption_key->pkey;
        promise.key_usage = profile->encryption_key_usage;
        status = certcheck_verify(pair->encryption, &promise, &trust, NULL, err);
    }
    if (status == ERROR_NONE) {
        promise.use = CERTCHECK_SIGNING;
        promise.serial = pair->application->signing_serial;
        promise.key = pair->signing_key->pkey;
        promise.key_usage = profile->signing_key_usage;
        status = certcheck_verify(pair->signing, &promise, &trust, &verified, err);
    }
    if (status == ERROR_NONE && chain) {
        *chain = verified;
        verified = NULL;
    }
    sk_X509_pop_free(verified, X509_free);
    X509_STORE_free(trust.roots);
    X509_NAME_free(subject);
    bytes_clear(&der);
    return status;
}

/* Sends the proof and settles the count of wrong passwords. When the answer is lost, the portal is asked how
 * it went, since a repeat with a wrong password would count again. */
static enum error_code flow_send_proof(struct flow *flow, const struct portal_proof *proof, struct error *err)
{
    struct portal *portal = flow->session.portal;
    const char *id = flow->journal.application_id;
    struct portal_application application = {0};
    struct problem problem;
    enum error_code status = logintries_begin(flow->app, flow->session.account, err);

    if (status != ERROR_NONE) {
        return status;
    }
    status = portal_activate(portal, id, proof, &application, err);
    problem = *portal_problem(portal);
    if (status == ERROR_NETWORK && portal_get_application(portal, id, &application, NULL) == ERROR_NONE &&
        application.state == PORTAL_ACTIVATED) {
        status = ERROR_NONE;
    }
    portal_application_clear(&application);
    return logintries_end(flow->app, flow->session.account, status, &problem, err);
}

static enum error_code flow_prove(struct flow *flow, const struct portal_challenge *challenge,
                                  const struct flow_pair *pair, struct error *err)
{
    struct portal_proof proof = {.request_id = flow->journal.activation_id,
                                 .challenge_id = challenge->challenge_id};
    struct secret *password = NULL;
    struct secret *decrypted = NULL;
    EVP_PKEY *decrypting = NULL;
    enum error_code status = logintries_check(flow->app, flow->session.account, err);

    if (status == ERROR_NONE) {
        status = account_ask_password(flow->app, _("Activate the new certificates."), _("Password of the portal:"),
                                      &password, err);
    }
    if (status == ERROR_NONE) {
        printf("%s\n", _("  Showing the portal that both keys are here."));
        fflush(stdout);
        status = possession_sign(pair->signing_key->pkey, flow->journal.application_id, &challenge->nonce,
                                 &proof.signature, err);
    }
    if (status == ERROR_NONE) {
        status = token_decryption_key(flow->token, pair->encryption_key, &decrypting, err);
    }
    if (status == ERROR_NONE) {
        status = possession_decrypt(decrypting, pair->encryption, &challenge->enveloped, &decrypted, err);
    }
    if (status == ERROR_NONE) {
        proof.password = password;
        proof.decrypted = decrypted;
        status = flow_send_proof(flow, &proof, err);
    }
    secret_free(&password);
    secret_free(&decrypted);
    EVP_PKEY_free(decrypting);
    bytes_clear(&proof.signature);
    return status;
}

static enum error_code flow_answer_challenge(struct flow *flow, const struct portal_application *application,
                                             struct error *err)
{
    struct token_key signing = {0};
    struct token_key encryption = {0};
    struct portal_challenge challenge = {0};
    enum error_code status = flow_find_keys(flow, &signing, &encryption, err);

    if (status == ERROR_NONE) {
        status = portal_get_challenge(flow->session.portal, application->application_id, &challenge, err);
    }
    if (status == ERROR_NONE) {
        struct flow_pair pair = {challenge.signing, challenge.encryption, challenge.chain, application,
                                 &signing,          &encryption};

        status = flow_check_pair(flow, &pair, NULL, err);
        if (status == ERROR_NONE) {
            printf("%s\n", _("  Both certificates are what was promised."));
            status = flow_prove(flow, &challenge, &pair, err);
        }
    }
    portal_challenge_clear(&challenge);
    token_key_clear(&signing);
    token_key_clear(&encryption);
    return status;
}

enum error_code flow_step_activate(struct flow *flow, struct error *err)
{
    struct portal_application application = {0};
    enum error_code status =
        portal_get_application(flow->session.portal, flow->journal.application_id, &application, err);

    if (status != ERROR_NONE) {
        return status;
    }
    switch (application.state) {
    case PORTAL_SUBMITTED:
        status = error_set(
            err, ERROR_STATE,
            _("The registration authority has not approved the application %s yet: run pinward activate "
              "when it has."),
            application.application_id);
        break;
    case PORTAL_ISSUED:
        status = flow_answer_challenge(flow, &application, err);
        break;
    case PORTAL_ACTIVATED: /* an earlier run was killed before it could note it */
        break;
    }
    portal_application_clear(&application);
    return status;
}

static enum error_code flow_write_pair(struct flow *flow, const struct flow_pair *pair, struct error *err)
{
    const struct token_key *signing = pair->signing_key;
    const struct token_key *encryption = pair->encryption_key;
    STACK_OF(X509) *chain = NULL;
    enum error_code status = flow_check_pair(flow, pair, &chain, err);

    if (status == ERROR_NONE) {
        status = token_write_certificate(flow->token, pair->signing, signing->label, &signing->id, err);
    }
    if (status == ERROR_NONE) {
        status =
            token_write_certificate(flow->token, pair->encryption, encryption->label, &encryption->id, err);
    }
    if (status == ERROR_NONE) {
        status = chain_write(flow->token, chain, err);
    }
    sk_X509_pop_free(chain, X509_free);
    return status;
}

enum error_code flow_step_write(struct flow *flow, struct error *err)
{
    struct portal *portal = flow->session.portal;
    struct portal_application application = {0};
    struct token_key signing_key = {0};
    struct token_key encryption_key = {0};
    STACK_OF(X509) *ca = NULL;
    X509 *signing = NULL;
    X509 *encryption = NULL;
    enum error_code status = flow_find_keys(flow, &signing_key, &encryption_key, err);

    if (status == ERROR_NONE) {
        status = portal_get_application(portal, flow->journal.application_id, &application, err);
    }
    if (status == ERROR_NONE && application.state != PORTAL_ACTIVATED) {
        status =
            portal_bad_answer(err, "/applications", "an activated application is not activated any more");
    }
    if (status == ERROR_NONE) {
        status = portal_get_certificate(portal, application.signing_serial, &signing, err);
    }
    if (status == ERROR_NONE) {
        status = portal_get_certificate(portal, application.encryption_serial, &encryption, err);
    }
    if (status == ERROR_NONE) {
        status = portal_get_ca(portal, &ca, err);
    }
    if (status == ERROR_NONE) {
        struct flow_pair pair = {signing, encryption, ca, &application, &signing_key, &encryption_key};

        status = flow_write_pair(flow, &pair, err);
    }
    X509_free(signing);
    X509_free(encryption);
    sk_X509_pop_free(ca, X509_free);
    token_key_clear(&signing_key);
    token_key_clear(&encryption_key);
    portal_application_clear(&application);
    return status;
}

enum error_code flow_complete(struct flow *flow, struct error *err)
{
    const struct journal *journal = &flow->journal;
    char *signing = text_clean(journal->signing_label, false);
    char *encryption = text_clean(journal->encryption_label, false);
    char *token = text_clean(journal->token_label, false);

    if (signing && encryption && token) {
        wrap_say(stdout, _("The certificates \"%s\" and \"%s\" are active and on the token \"%s\"."), signing,
                 encryption, token);
    }
    if (journal->renewal) {
        wrap_say(stdout, "%s",
                 _("The old keys and certificates stay on the token: what was encrypted to the old one is still "
                   "read with it."));
    } else {
        wrap_say(stdout, "%s", _("Next: pinward help signing says how programs use them."));
    }
    free(signing);
    free(encryption);
    free(token);
    flow_note(flow);
    return journal_finish(&flow->journal, err);
}

static const struct flow_step flow_activate_steps[] = {
    {JOURNAL_ACTIVATED, N_("Activating the certificates."), flow_step_activate},
    {JOURNAL_WRITTEN, N_("Writing the certificates to the token."), flow_step_write},
};

/* The proof of possession: one signature, one decryption. After it, certificates are written, no key is used. */
static void flow_activate_expect(struct flow *flow)
{
    flow->batch = (struct token_batch){.uses = flow->journal.state < JOURNAL_ACTIVATED ? 2 : 0,
                                       .purpose = _("Activate the new certificates")};
}

static enum error_code flow_activate_run(struct flow *flow, struct error *err)
{
    enum error_code status = ERROR_NONE;
    bool already = false;

    if (flow->journal.state == JOURNAL_NONE) {
        status = flow_adopt(flow, &already, err);
        if (status == ERROR_NONE && already) {
            return ERROR_NONE;
        }
    } else if (flow->journal.state < JOURNAL_SUBMITTED) {
        status = error_set(err, ERROR_STATE,
                           flow->journal.renewal
                               ? _("The renewal has not been sent yet: complete it with pinward renew.")
                               : _("The application has not been sent yet: complete it with pinward apply."));
    }
    if (status == ERROR_NONE) {
        status = flow_run(flow, flow_activate_steps,
                          sizeof flow_activate_steps / sizeof flow_activate_steps[0], err);
    }
    return status == ERROR_NONE ? flow_complete(flow, err) : status;
}

enum error_code flow_activate(struct app *app, struct error *err)
{
    struct flow flow = {0};
    enum error_code status = flow_open(app, &flow, err);

    if (status == ERROR_NONE) {
        flow_activate_expect(&flow);
        status = flow_activate_run(&flow, err);
        flow_close(&flow);
    }
    return status;
}
