#include "enroll/download.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/i18n.h"
#include "enroll/certcheck.h"
#include "enroll/certificate.h"
#include "enroll/certlist.h"
#include "enroll/chain.h"
#include "enroll/choice.h"
#include "enroll/dn.h"
#include "enroll/session.h"
#include "enroll/text.h"
#include "enroll/token.h"
#include "enroll/wrap.h"

#define DOWNLOAD_DAY_S 86400

/* What became of a chosen certificate. */
enum download_outcome { DOWNLOAD_WRITTEN, DOWNLOAD_PRESENT, DOWNLOAD_ELSEWHERE };

static const char *const download_outcome_names[] = {
    [DOWNLOAD_WRITTEN] = "written",
    [DOWNLOAD_PRESENT] = "present",
    [DOWNLOAD_ELSEWHERE] = "elsewhere",
};

struct download {
    struct app *app;
    struct session session;
    struct certlist list;
    struct portal_registration registration;
    struct token *token;
    STACK_OF(X509) * ca; /* what the portal sent to build chains from */
    X509_STORE *roots;
    struct bytes subject; /* DER */
    size_t here;          /* chosen certificates that are on the token in the end */
    json_t *outcomes;
};

/* The portal's profile is that of new keys. What it was when older keys of another kind were made, nobody says any more:
 * their certificate must be as usual. */
static unsigned download_key_usage(const struct portal_profile *profile, bool signing, const EVP_PKEY *key)
{
    const struct key_profile *kind = key_profile_of(key);

    if (signing) {
        return profile->signing_key_usage;
    }
    return kind && strcmp(kind->type, profile->keys->type) != 0 ? key_profile_usual_encryption(kind)
                                                                : profile->encryption_key_usage;
}

/* The portal says both what it promises and what it issues. The other certificate of the pair, where the token has it, was
 * judged when it was written, so it is asked too. */
static enum error_code download_check_partner(const struct download *d, const struct portal_certificate *row,
                                              X509 *certificate, struct error *err)
{
    X509 *partner = NULL;
    bool found = false;
    enum error_code status = token_find_certificate(d->token, row->partner_serial, &found, &partner, err);

    if (status == ERROR_NONE && found && !certcheck_same_holder(certificate, partner)) {
        status = error_set(err, ERROR_CERTIFICATE,
                           _("The certificate %.8s is for another name or e-mail address than the other one of its pair, "
                             "which is on the token: it was not written, tell the registration authority."),
                           row->serial);
    }
    X509_free(partner);
    return status;
}

/* Certificates are written when they are what was promised. One that has expired is still needed for what was
 * encrypted to it, so it is judged as it was at its last second. */
static enum error_code download_check(const struct download *d, const struct portal_certificate *row,
                                      const struct token_key *key, X509 *certificate, STACK_OF(X509) * *chain,
                                      struct error *err)
{
    const struct portal_profile *profile = &d->registration.profile;
    const bool signing = row->use == PORTAL_SIGNING;
    const time_t now = time(NULL);
    const struct certcheck_trust trust = {
        .roots = d->roots, .untrusted = d->ca, .now = now < row->not_after ? now : row->not_after - 1};
    const struct certcheck_promise promise = {
        .use = signing ? CERTCHECK_SIGNING : CERTCHECK_ENCRYPTION,
        .serial = row->serial,
        .key = key->pkey,
        .subject = &d->subject,
        .email = d->registration.email,
        .key_usage = download_key_usage(profile, signing, key->pkey),
        .validity_days = (unsigned)((row->not_after - row->not_before) / DOWNLOAD_DAY_S),
    };

    enum error_code status = download_check_partner(d, row, certificate, err);

    return status == ERROR_NONE ? certcheck_verify(certificate, &promise, &trust, chain, err) : status;
}

static enum error_code download_write(struct download *d, const struct portal_certificate *row,
                                      const struct token_key *key, X509 *certificate, struct error *err)
{
    STACK_OF(X509) *chain = NULL;
    enum error_code status = download_check(d, row, key, certificate, &chain, err);

    if (status == ERROR_NONE) {
        status = token_write_certificate(d->token, certificate, key->label, &key->id, err);
    }
    if (status == ERROR_NONE) {
        status = chain_write(d->token, chain, err);
    }
    sk_X509_pop_free(chain, X509_free);
    return status;
}

/* Fetches the certificate and writes it if its private key is on the token. */
static enum error_code download_fetch(struct download *d, const struct portal_certificate *row,
                                      enum download_outcome *outcome, struct error *err)
{
    struct token_key key = {0};
    X509 *certificate = NULL;
    bool found = false;
    enum error_code status = token_login(d->token, err);

    if (status == ERROR_NONE) {
        status = portal_get_certificate(d->session.portal, row->serial, &certificate, err);
    }
    if (status == ERROR_NONE) {
        status = token_find_key_of(d->token, X509_get0_pubkey(certificate), &found, &key, err);
    }
    if (status == ERROR_NONE && found) {
        status = download_write(d, row, &key, certificate, err);
    }
    if (status == ERROR_NONE) {
        *outcome = found ? DOWNLOAD_WRITTEN : DOWNLOAD_ELSEWHERE;
    }
    token_key_clear(&key);
    X509_free(certificate);
    return status;
}

static void download_say(struct download *d, const struct portal_certificate *row,
                         enum download_outcome outcome)
{
    static const char *const sentences[] = {
        [DOWNLOAD_WRITTEN] = N_("%s certificate %.8s: written to the token \"%s\".\n"),
        [DOWNLOAD_PRESENT] = N_("%s certificate %.8s: on the token \"%s\" already.\n"),
        [DOWNLOAD_ELSEWHERE] =
            N_("%s certificate %.8s: its key is not on the token \"%s\" but elsewhere, so it was not "
               "written.\n"),
    };

    char *token = text_clean(token_label(d->token), false);

    wrap_say(stdout, _(sentences[outcome]), row->use == PORTAL_SIGNING ? _("Signing") : _("Encryption"), row->serial,
           token ? token : "?");
    fflush(stdout);
    free(token);
    json_array_append_new(d->outcomes, json_pack("{s:s, s:s, s:s}", "serial", row->serial, "use",
                                                 row->use == PORTAL_SIGNING ? "signing" : "encryption",
                                                 "outcome", download_outcome_names[outcome]));
    d->here += outcome != DOWNLOAD_ELSEWHERE;
}

static enum error_code download_chosen(struct download *d, const bool *chosen, struct error *err)
{
    enum error_code status = ERROR_NONE;

    for (size_t i = 0; status == ERROR_NONE && i < d->list.portal.count; i++) {
        const struct portal_certificate *row = &d->list.portal.items[i];
        enum download_outcome outcome = DOWNLOAD_PRESENT;

        if (!chosen[i]) {
            continue;
        }
        if (d->list.places[i] != CERTLIST_HERE) {
            status = download_fetch(d, row, &outcome, err);
        }
        if (status == ERROR_NONE) {
            download_say(d, row, outcome);
        }
    }
    output_note(&d->app->output, "token", output_text(token_label(d->token)));
    output_note(&d->app->output, "certificates", json_incref(d->outcomes));
    if (status == ERROR_NONE && d->here == 0) {
        status = error_set(
            err, ERROR_TOKEN,
            _("None of these certificates has its key on the token \"%s\": insert the token on which the "
              "keys were made."),
            token_label(d->token));
    }
    return status;
}

/* What every certificate is compared with. */
static enum error_code download_prepare(struct download *d, struct error *err)
{
    X509_NAME *subject = NULL;
    enum error_code status = portal_get_registration(d->session.portal, &d->registration, err);

    if (status == ERROR_NONE) {
        status = dn_parse(d->registration.subject_dn, &subject, err);
    }
    if (status == ERROR_NONE && !certificate_name_der(subject, &d->subject)) {
        status = error_set(err, ERROR_MEMORY, "%s", "");
    }
    if (status == ERROR_NONE) {
        status = certcheck_load_roots(d->app->config.portal.ca_file, &d->roots, err);
    }
    if (status == ERROR_NONE) {
        status = portal_get_ca(d->session.portal, &d->ca, err);
    }
    if (status == ERROR_NONE) {
        status = token_open(&d->app->config, &d->token, err);
    }
    X509_NAME_free(subject);
    return status;
}

/* A certificate that is not activated cannot be had. */
static enum error_code download_eligible(const struct certlist *list, bool *eligible, struct error *err)
{
    size_t count = 0;

    for (size_t i = 0; i < list->portal.count; i++) {
        eligible[i] = strcmp(list->portal.items[i].state, "issued") != 0;
        count += eligible[i];
    }
    return count > 0 ? ERROR_NONE
                     : error_set(err, ERROR_STATE,
                                 _("There are no certificates to download: pinward status says what "
                                   "the next step is."));
}

static enum error_code download_choose(struct download *d, struct error *err)
{
    bool *eligible = calloc(d->list.portal.count + 1, sizeof *eligible);
    bool *chosen = calloc(d->list.portal.count + 1, sizeof *chosen);
    enum error_code status = eligible && chosen ? download_eligible(&d->list, eligible, err)
                                                : error_set(err, ERROR_MEMORY, "%s", "");

    if (status == ERROR_NONE) {
        status = choice_make(d->app, &d->list, eligible, _("Which are to be downloaded? (numbers, or all)"),
                             chosen, err);
    }
    if (status == ERROR_NONE) {
        status = download_prepare(d, err);
    }
    if (status == ERROR_NONE) {
        status = download_chosen(d, chosen, err);
    }
    free(eligible);
    free(chosen);
    return status;
}

enum error_code download_run(struct app *app, struct error *err)
{
    struct download d = {.app = app, .outcomes = json_array()};
    enum error_code status = session_open(app, &d.session, err);

    if (status == ERROR_NONE) {
        status = certlist_read(app, d.session.portal, &d.list, err);
    }
    if (status == ERROR_NONE) {
        status = download_choose(&d, err);
    }
    token_close(&d.token);
    sk_X509_pop_free(d.ca, X509_free);
    X509_STORE_free(d.roots);
    bytes_clear(&d.subject);
    portal_registration_clear(&d.registration);
    certlist_clear(&d.list);
    session_close(app, &d.session);
    json_decref(d.outcomes);
    return status;
}
