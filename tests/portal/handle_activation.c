/* Activation: the account's password and possession of both keys make issued certificates usable. */
#include <stdlib.h>
#include <string.h>

#include "applying.h"
#include "auth.h"
#include "handlers.h"
#include "possession.h"
#include "store_certificate.h"
#include "uuid.h"

/* One of the application's certificates; the caller frees both. */
struct loaded {
    struct certificate row;
    uint8_t *der;
    size_t len;
    X509 *x509;
};

static void loaded_clear(struct loaded *l)
{
    free(l->der);
    X509_free(l->x509);
}

static bool load(struct exchange *x, const struct application *application, enum certificate_use use,
                 struct loaded *l)
{
    const unsigned char *at;

    memset(l, 0, sizeof(*l));
    if (certificate_find_of(x->store, application->application_id, use, x->now_s, &l->row) != STORE_ROW ||
        certificate_der(x->store, l->row.serial, &l->der, &l->len) != STORE_ROW)
        return false;
    at = l->der;
    l->x509 = d2i_X509(NULL, &at, (long)l->len);
    return l->x509 != NULL;
}

/* Can this application be activated now? False: answered. */
static bool is_activatable(struct exchange *x, const struct application *application)
{
    struct certificate signing, encryption;

    if (application->state == APPLICATION_SUBMITTED) {
        answer_problem(x, PROBLEM_NOT_ISSUED,
                       "The registration authority has not approved the application yet; try again later.");
        return false;
    }
    if (application->state == APPLICATION_ACTIVATED) {
        answer_problem(x, PROBLEM_ALREADY_ACTIVATED,
                       "The application is activated already; there is nothing to do.");
        return false;
    }
    if (certificate_find_of(x->store, application->application_id, CERTIFICATE_SIGNING, x->now_s, &signing) !=
            STORE_ROW ||
        certificate_find_of(x->store, application->application_id, CERTIFICATE_ENCRYPTION, x->now_s,
                            &encryption) != STORE_ROW) {
        answer_failure(x);
        return false;
    }
    if (signing.state == CERTIFICATE_REVOKED || encryption.state == CERTIFICATE_REVOKED) {
        answer_problem(x, PROBLEM_CERTIFICATE_NOT_ACTIVE,
                       "A certificate of this application was revoked before its activation; apply again.");
        return false;
    }
    if (signing.state == CERTIFICATE_EXPIRED || encryption.state == CERTIFICATE_EXPIRED) {
        answer_problem(x, PROBLEM_CERTIFICATE_EXPIRED,
                       "The certificates expired before their activation; register again.");
        return false;
    }
    return true;
}

static json_t *certificate_json(X509 *x509)
{
    unsigned char *der = NULL;
    int len = i2d_X509(x509, &der);
    json_t *json = len > 0 ? json_base64(der, (size_t)len) : NULL;

    OPENSSL_free(der);
    return json;
}

static void answer_challenge(struct exchange *x, const struct application *application,
                             const struct loaded *signing, const struct loaded *encryption)
{
    struct challenge challenge = {.expires_at = x->now_s + CHALLENGE_LIFETIME_S};
    uint8_t *enveloped = NULL;
    size_t len = 0;

    uuid_make(challenge.challenge_id);
    if (!possession_challenge(encryption->x509, &challenge, &enveloped, &len) || !store_begin(x->store) ||
        !challenge_set(x->store, application->application_id, &challenge) || !store_commit(x->store))
        answer_failure(x);
    else
        answer_json(x, 201,
                    json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:[o, o]}", "challenge_id",
                              challenge.challenge_id, "expires_at", json_time(challenge.expires_at), "nonce",
                              json_base64(challenge.nonce, sizeof(challenge.nonce)), "enveloped",
                              json_base64(enveloped, len), "signing_certificate",
                              json_base64(signing->der, signing->len), "encryption_certificate",
                              json_base64(encryption->der, encryption->len), "chain",
                              certificate_json(x->portal->ca->issuing),
                              certificate_json(x->portal->ca->root)));
    free(enveloped);
}

void handle_challenge_post(struct exchange *x)
{
    struct loaded signing = {0}, encryption = {0};
    struct application application;

    if (!body_read_nothing(x) || !applying_find(x, &application) || !is_activatable(x, &application))
        return;
    if (load(x, &application, CERTIFICATE_SIGNING, &signing) &&
        load(x, &application, CERTIFICATE_ENCRYPTION, &encryption))
        answer_challenge(x, &application, &signing, &encryption);
    else
        answer_failure(x);
    loaded_clear(&signing);
    loaded_clear(&encryption);
}

struct activation {
    const char *request_id;
    const char *challenge_id;
    struct secret *password;
    struct bytes signature;
    struct bytes decrypted;
};

static void answer_possession(struct exchange *x, const char *which)
{
    char detail[200];

    snprintf(detail, sizeof(detail),
             "Possession of the %s key was not shown; ask for a new challenge and answer it with that key.",
             which);
    answer_problem_with(x, PROBLEM_POSSESSION_NOT_SHOWN, json_pack("{s:s}", "which", which), detail);
}

/* A challenge that was answered wrongly is spent: its removal is committed, and nothing else. */
static bool possession_holds(struct exchange *x, const struct application *application,
                             const struct activation *a, const struct challenge *challenge)
{
    const char *missing = NULL;
    struct loaded signing;

    if (!load(x, application, CERTIFICATE_SIGNING, &signing)) {
        loaded_clear(&signing);
        answer_failure(x);
        return false;
    }
    if (!possession_signature_holds(signing.x509, application->application_id, challenge->nonce,
                                    a->signature.data, a->signature.len))
        missing = "signing";
    else if (!possession_decryption_holds(challenge, a->decrypted.data, a->decrypted.len))
        missing = "encryption";
    loaded_clear(&signing);
    if (missing == NULL)
        return true;
    if (challenge_remove(x->store, application->application_id) && store_commit(x->store))
        answer_possession(x, missing);
    else
        answer_failure(x);
    return false;
}

static bool challenge_is_open(struct exchange *x, const struct application *application,
                              const struct activation *a, struct challenge *challenge)
{
    enum store_result result = challenge_find(x->store, application->application_id, challenge);

    if (result == STORE_FAILED) {
        answer_failure(x);
        return false;
    }
    if (result == STORE_ROW && strcmp(challenge->challenge_id, a->challenge_id) == 0 &&
        x->now_s < challenge->expires_at)
        return true;
    answer_problem(
        x, PROBLEM_CHALLENGE_EXPIRED,
        "The challenge is expired, spent or replaced by a newer one; ask for a new one and answer that.");
    return false;
}

static bool activate(struct exchange *x, const struct application *application, const char *request_id)
{
    return challenge_remove(x->store, application->application_id) &&
           certificate_activate(x->store, application->application_id, x->now_s) &&
           application_set_activated(x->store, application->application_id, request_id, x->now_s) &&
           (application->replaces[0] == '\0' ||
            certificate_set_renewed(x->store, application->replaces, x->now_s)) &&
           store_commit(x->store);
}

/* The part inside the transaction; the application is read again, since the password took its time. */
static void activate_checked(struct exchange *x, const struct activation *a)
{
    struct application application;
    struct challenge challenge;

    if (!store_begin(x->store)) {
        answer_failure(x);
        return;
    }
    if (!applying_find(x, &application) || !is_activatable(x, &application) ||
        !challenge_is_open(x, &application, a, &challenge) ||
        !possession_holds(x, &application, a, &challenge))
        return;
    if (activate(x, &application, a->request_id) &&
        application_find(x->store, x->id, &application) == STORE_ROW)
        answer_json(x, 200, applying_json(&application));
    else
        answer_failure(x);
}

void handle_activation_post(struct exchange *x)
{
    struct activation a = {0};
    const struct member members[] = {
        {"request_id", MEMBER_UUID, UUID_SIZE - 1, &a.request_id},
        {"challenge_id", MEMBER_UUID, UUID_SIZE - 1, &a.challenge_id},
        {"password", MEMBER_SECRET, 1024, &a.password},
        {"signature", MEMBER_BASE64, 1024, &a.signature},
        {"decrypted", MEMBER_BASE64, 1024, &a.decrypted},
    };
    struct application application;

    if (!body_read(x, members, sizeof(members) / sizeof(members[0])) || !applying_find(x, &application))
        return;
    if (application.state == APPLICATION_ACTIVATED &&
        strcmp(application.activation_request_id, a.request_id) == 0) {
        answer_json(x, 200, applying_json(&application));
        return;
    }
    if (is_activatable(x, &application) && auth_check(x, x->session.account, a.password, NULL))
        activate_checked(x, &a);
}
