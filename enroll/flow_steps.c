#include "enroll/flow.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include <openssl/rand.h>

#include "common/i18n.h"
#include "enroll/account.h"
#include "enroll/ask.h"
#include "enroll/codec.h"
#include "enroll/dn.h"
#include "enroll/request.h"
#include "enroll/text.h"

#define FLOW_KEY_ID_LEN  20
#define FLOW_NAME_MAX    64

enum error_code flow_use_token(struct flow *flow, struct error *err)
{
    const struct journal *journal = &flow->journal;
    enum error_code status = ERROR_NONE;

    if (!flow->token) {
        status = token_open(&flow->app->config, &flow->token, err);
    }
    if (status == ERROR_NONE && journal->token_serial && strcmp(journal->token_serial, token_serial(flow->token)) != 0) {
        return error_set(err, ERROR_TOKEN,
                         _("The new keys are on the token \"%s\" (serial number %s), and this is \"%s\" (%s): insert that "
                           "token and run the same command again."),
                         journal->token_label, journal->token_serial, token_label(flow->token),
                         token_serial(flow->token));
    }
    return status == ERROR_NONE ? token_login(flow->token, err) : status;
}

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

static enum error_code flow_show_registration(struct flow *flow, const struct portal_registration *registration,
                                              struct error *err)
{
    account_print_registration(stdout, registration);
    fflush(stdout);
    if (!registration->approved) {
        return error_set(err, ERROR_STATE,
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

static enum error_code flow_new_uuid(char **field, struct error *err)
{
    char uuid[CODEC_UUID_SIZE];

    return codec_uuid_new(uuid) ? journal_set(field, uuid, err)
                                : error_set(err, ERROR_INTERNAL, _("The system gives no random numbers."));
}

/* What has been signed is not what the portal wants: it is signed anew, with the same keys, under a new id. */
static enum error_code flow_withdraw_request(struct flow *flow, struct error *err)
{
    enum error_code status = flow_new_uuid(&flow->journal.request_id, err);

    if (status == ERROR_NONE) {
        (void)journal_set(&flow->journal.request, NULL, NULL);
        if (flow->journal.state > JOURNAL_KEYED) {
            flow->journal.state = JOURNAL_KEYED;
        }
        status = journal_save(&flow->journal, err);
    }
    return status;
}

enum error_code flow_refresh_registration(struct flow *flow, struct error *err)
{
    struct portal_registration registration = {0};
    enum error_code status;

    if (flow->journal.state == JOURNAL_NONE || flow->journal.state >= JOURNAL_SUBMITTED) {
        return ERROR_NONE;
    }
    printf("%s\n", _("Going on where an earlier run has stopped."));
    status = portal_get_registration(flow->session.portal, &registration, err);
    if (status == ERROR_NONE && !json_equal(registration.json, flow->journal.registration)) {
        printf("%s\n", _("The registration has changed meanwhile."));
        status = flow_show_registration(flow, &registration, err);
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

/* The portal has the terms in English and in Traditional Chinese. */
static const char *flow_language(void)
{
    const char *locale = setlocale(LC_MESSAGES, NULL);

    return locale && (strncmp(locale, "zh_TW", 5) == 0 || strncmp(locale, "zh_HK", 5) == 0) ? "zh-TW" : "en";
}

static enum error_code flow_agree(const struct flow *flow, const struct portal_terms *terms, struct error *err)
{
    const char *accepted = flow->app->options.accept_terms;

    if (!accepted) {
        return ask_yes(_("Do you accept these terms?"), "--accept-terms", err);
    }
    if (strcmp(accepted, terms->version) != 0 && strcasecmp(accepted, terms->sha256) != 0) {
        return error_set(err, ERROR_STATE,
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
    enum error_code status = portal_get_terms(flow->session.portal, flow_language(), &terms, err);

    if (status != ERROR_NONE) {
        return status;
    }
    text = text_clean(terms.text, true);
    version = text_clean(terms.version, false);
    if (!text || !version) {
        status = error_set(err, ERROR_MEMORY, "%s", "");
        goto out;
    }
    printf(_("Terms, version %s (SHA-256 %s):\n\n%s\n\n"), version, terms.sha256, text);
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

enum error_code flow_check_no_open_application(struct flow *flow, struct error *err)
{
    struct portal_application application = {0};
    bool found = false;
    enum error_code status = portal_find_open_application(flow->session.portal, &found, &application, err);

    if (status == ERROR_NONE && found) {
        status = error_set(err, ERROR_STATE,
                           _("The application %s is not activated yet: complete it with pinward activate."),
                           application.application_id);
        portal_application_clear(&application);
    }
    return status;
}

/* A random id, a label that no key has. */
static enum error_code flow_plan_key(struct flow *flow, const char *name, const char *use, char **id, char **label,
                                     struct error *err)
{
    unsigned char random[FLOW_KEY_ID_LEN];
    char *new_label = NULL;
    char *new_id = NULL;
    bool taken = false;
    enum error_code status = ERROR_MEMORY;

    if (RAND_bytes(random, sizeof random) != 1) {
        return error_set(err, ERROR_INTERNAL, _("The system gives no random numbers."));
    }
    new_id = codec_hex_encode(random, sizeof random);
    if (!new_id || asprintf(&new_label, "%s (%s)", name, use) < 0) {
        error_set(err, ERROR_MEMORY, "%s", "");
        goto out;
    }
    status = token_has_label(flow->token, new_label, &taken, err);
    if (status == ERROR_NONE && taken) {
        status = error_set(err, ERROR_STATE,
                           _("There is a key named \"%s\" on the token already: choose another name with --name."),
                           new_label);
    }
    if (status == ERROR_NONE) {
        status = journal_set(id, new_id, err);
    }
    if (status == ERROR_NONE) {
        status = journal_set(label, new_label, err);
    }
out:
    free(new_id);
    free(new_label);
    return status;
}

enum error_code flow_plan_keys(struct flow *flow, const char *name, struct error *err)
{
    struct journal *journal = &flow->journal;
    char *clean = text_clean(name, false);
    bool fit = clean && strcmp(clean, name) == 0 && name[0] && strlen(name) <= FLOW_NAME_MAX;
    enum error_code status;

    free(clean);
    if (!fit) {
        return error_set(err, ERROR_USAGE, _("The name of the keys must be 1 to %d bytes of UTF-8 text on one line."),
                         FLOW_NAME_MAX);
    }
    status = flow_plan_key(flow, name, "signing", &journal->signing_id, &journal->signing_label, err);
    if (status == ERROR_NONE) {
        status = flow_plan_key(flow, name, "encryption", &journal->encryption_id, &journal->encryption_label, err);
    }
    if (status == ERROR_NONE) {
        status = flow_new_uuid(&journal->request_id, err);
    }
    if (status == ERROR_NONE) {
        status = flow_new_uuid(&journal->activation_id, err);
    }
    if (status == ERROR_NONE) {
        status = journal_set(&journal->account, flow->session.account, err);
    }
    if (status == ERROR_NONE) {
        status = journal_set(&journal->token_label, token_label(flow->token), err);
    }
    if (status == ERROR_NONE) {
        status = journal_set(&journal->token_serial, token_serial(flow->token), err);
    }
    return status;
}

static enum error_code flow_generate(struct flow *flow, enum token_use use, const char *hex_id, const char *label,
                                     struct error *err)
{
    struct token_key_spec spec = {.use = use, .bits = flow->promised.profile.key_bits, .label = label};
    struct bytes id = {0};
    struct timespec from;
    struct timespec to;
    enum error_code status;

    if (!codec_hex_decode(hex_id, &id)) {
        return error_set(err, ERROR_MEMORY, "%s", "");
    }
    spec.id = &id;
    clock_gettime(CLOCK_MONOTONIC, &from);
    status = token_generate(flow->token, &spec, err);
    clock_gettime(CLOCK_MONOTONIC, &to);
    bytes_clear(&id);
    if (status == ERROR_NONE) {
        printf(_("  \"%s\": RSA, %u bits, %.2f s\n"), label, spec.bits,
               (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9);
        fflush(stdout);
    }
    return status;
}

enum error_code flow_step_generate(struct flow *flow, struct error *err)
{
    const struct journal *journal = &flow->journal;
    enum error_code status = flow_use_token(flow, err);

    if (status == ERROR_NONE) {
        status = flow_generate(flow, TOKEN_SIGNING, journal->signing_id, journal->signing_label, err);
    }
    if (status == ERROR_NONE) {
        status = flow_generate(flow, TOKEN_ENCRYPTION, journal->encryption_id, journal->encryption_label, err);
    }
    return status;
}

static enum error_code flow_find_key(struct flow *flow, const char *hex_id, const char *label, struct token_key *key,
                                     struct error *err)
{
    struct bytes id = {0};
    bool found = false;
    enum error_code status;

    if (!codec_hex_decode(hex_id, &id)) {
        return error_set(err, ERROR_MEMORY, "%s", "");
    }
    status = token_find_key_by_id(flow->token, &id, &found, key, err);
    bytes_clear(&id);
    if (status == ERROR_NONE && !found) {
        status = error_set(err, ERROR_TOKEN,
                           _("The token \"%s\" does not hold the key \"%s\": insert the token on which it was generated "
                             "and run the same command again."),
                           token_label(flow->token), label);
    }
    return status;
}

enum error_code flow_find_keys(struct flow *flow, struct token_key *signing, struct token_key *encryption,
                               struct error *err)
{
    const struct journal *journal = &flow->journal;
    struct token_key first = {0};
    enum error_code status = flow_use_token(flow, err);

    if (status == ERROR_NONE) {
        status = flow_find_key(flow, journal->signing_id, journal->signing_label, &first, err);
    }
    if (status == ERROR_NONE) {
        status = flow_find_key(flow, journal->encryption_id, journal->encryption_label, encryption, err);
    }
    if (status != ERROR_NONE) {
        token_key_clear(&first);
        return status;
    }
    *signing = first;
    return ERROR_NONE;
}

enum error_code flow_build_request(struct flow *flow, struct bytes *der, struct error *err)
{
    struct token_key signing = {0};
    struct token_key encryption = {0};
    X509_NAME *subject = NULL;
    enum error_code status = dn_parse(flow->promised.subject_dn, &subject, err);

    if (status == ERROR_NONE) {
        status = flow_find_keys(flow, &signing, &encryption, err);
    }
    if (status == ERROR_NONE) {
        status = request_build(subject, signing.pkey, encryption.pkey, der, err);
    }
    token_key_clear(&signing);
    token_key_clear(&encryption);
    X509_NAME_free(subject);
    return status;
}

static enum error_code flow_send_request(struct flow *flow, struct portal_application *application, struct error *err)
{
    const struct journal *journal = &flow->journal;
    struct portal_request request = {
        .request_id = journal->request_id,
        .terms_version = journal->terms_version,
        .terms_sha256 = journal->terms_sha256,
        .request = journal->request,
        .old_signing_serial = journal->old_signing_serial,
        .old_encryption_serial = journal->old_encryption_serial,
    };

    return portal_submit(flow->session.portal, &request, application, err);
}

enum error_code flow_step_submit(struct flow *flow, struct error *err)
{
    struct portal_application application = {0};
    struct portal *portal = flow->session.portal;
    enum error_code status = flow_send_request(flow, &application, err);

    if (status != ERROR_NONE && problem_is(portal_problem(portal), "terms-outdated")) {
        printf("%s\n", _("The terms have changed meanwhile."));
        status = flow_accept_terms(flow, err);
        if (status == ERROR_NONE) {
            status = flow_send_request(flow, &application, err);
        }
    }
    if (status != ERROR_NONE && (problem_is(portal_problem(portal), "request-invalid") ||
                                 problem_is(portal_problem(portal), "request-id-reused"))) {
        (void)flow_withdraw_request(flow, NULL); /* the portal's reason is the error to show */
    }
    if (status != ERROR_NONE) {
        return status;
    }
    status = journal_set(&flow->journal.application_id, application.application_id, err);
    if (status == ERROR_NONE) {
        printf(_("  The portal has the application %s.\n"), application.application_id);
    }
    portal_application_clear(&application);
    return status;
}
