#include "enroll/portal.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/i18n.h"

/* One string of an application that may be null. false: neither. */
static bool portal_read_nullable(const json_t *value, const char **text)
{
    *text = json_string_value(value);
    return *text || json_is_null(value);
}

static bool portal_read_application_state(const char *name, enum portal_application_state *state)
{
    static const char *const names[] = {
        [PORTAL_SUBMITTED] = "submitted", [PORTAL_ISSUED] = "issued", [PORTAL_ACTIVATED] = "activated"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i], name) == 0) {
            *state = (enum portal_application_state)i;
            return true;
        }
    }
    return false;
}

/* Serials go into paths and file names of messages, so only their own alphabet passes. */
static bool portal_serial_valid(const char *serial)
{
    size_t len = strlen(serial);

    return len > 0 && len <= 64 && strspn(serial, "0123456789abcdef") == len;
}

/* Takes over the reference json, also on failure. */
static enum error_code portal_read_application(json_t *json, const char *path,
                                               struct portal_application *application, struct error *err)
{
    struct portal_application got = {.json = json};
    json_t *signing = NULL;
    json_t *encryption = NULL;
    const char *kind = NULL;
    const char *state = NULL;
    const char *wrong = NULL;
    json_error_t why;

    if (json_unpack_ex(json, &why, 0, "{s:s, s:s, s:s, s:s, s:o, s:o}", "application_id", &got.application_id,
                       "request_id", &got.request_id, "kind", &kind, "state", &state, "signing_serial",
                       &signing, "encryption_serial", &encryption) != 0) {
        wrong = why.text;
    } else if (!codec_uuid_valid(got.application_id) || !portal_read_application_state(state, &got.state) ||
               (strcmp(kind, "new") != 0 && strcmp(kind, "renewal") != 0)) {
        wrong = "application_id, kind or state";
    } else if (!portal_read_nullable(signing, &got.signing_serial) ||
               !portal_read_nullable(encryption, &got.encryption_serial) ||
               (got.state != PORTAL_SUBMITTED && (!got.signing_serial || !got.encryption_serial)) ||
               (got.signing_serial && !portal_serial_valid(got.signing_serial)) ||
               (got.encryption_serial && !portal_serial_valid(got.encryption_serial))) {
        wrong = "signing_serial or encryption_serial";
    }
    if (wrong) {
        enum error_code status = portal_bad_answer(err, path, wrong);

        portal_application_clear(&got);
        return status;
    }
    got.renewal = strcmp(kind, "renewal") == 0;
    *application = got;
    return ERROR_NONE;
}

enum error_code portal_submit(struct portal *portal, const struct portal_request *request,
                              struct portal_application *application, struct error *err)
{
    bool renewal = request->old_signing_serial != NULL;
    struct portal_call call = {
        .method = "POST", .path = renewal ? "/renewals" : "/applications", .repeatable = true};
    json_t *answer = NULL;
    enum error_code status;

    call.body = json_pack("{s:s, s:s, s:s, s:s, s:s*, s:s*}", "request_id", request->request_id,
                          "terms_version", request->terms_version, "terms_sha256", request->terms_sha256,
                          renewal ? "signed_request" : "request", request->request, "old_signing_serial",
                          request->old_signing_serial, "old_encryption_serial",
                          request->old_encryption_serial);
    if (!call.body) {
        return error_set(err, ERROR_MEMORY, "%s", "");
    }
    status = portal_send(portal, &call, &answer, err);
    json_decref(call.body);
    if (status == ERROR_NONE) {
        status = portal_read_application(answer, call.path, application, err);
    }
    return status;
}

enum error_code portal_get_application(struct portal *portal, const char *application_id,
                                       struct portal_application *application, struct error *err)
{
    struct portal_call call = {.method = "GET", .repeatable = true};
    json_t *answer = NULL;
    char path[64];
    enum error_code status;

    snprintf(path, sizeof path, "/applications/%s", application_id);
    call.path = path;
    status = portal_send(portal, &call, &answer, err);
    return status == ERROR_NONE ? portal_read_application(answer, path, application, err) : status;
}

/* An issued application whose certificates were revoked or have expired can no longer be activated. */
static bool portal_application_is_open(const struct portal_application *application,
                                       const struct portal_certificates *certificates)
{
    if (application->state == PORTAL_ACTIVATED) {
        return false;
    }
    for (size_t i = 0; i < certificates->count; i++) {
        const struct portal_certificate *row = &certificates->items[i];

        if (strcmp(row->application_id, application->application_id) == 0 &&
            strcmp(row->state, "issued") != 0) {
            return false;
        }
    }
    return true;
}

static enum error_code portal_pick_open_application(const json_t *list,
                                                    const struct portal_certificates *certificates,
                                                    bool *found, struct portal_application *application,
                                                    struct error *err)
{
    *found = false;
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct portal_application got = {0};
        enum error_code status =
            portal_read_application(json_incref(json_array_get(list, i)), "/applications", &got, err);

        if (status != ERROR_NONE) {
            return status;
        }
        if (portal_application_is_open(&got, certificates)) {
            *application = got;
            *found = true;
            return ERROR_NONE;
        }
        portal_application_clear(&got);
    }
    return ERROR_NONE;
}

enum error_code portal_find_open_application(struct portal *portal, bool *found,
                                             struct portal_application *application, struct error *err)
{
    struct portal_call call = {.method = "GET", .path = "/applications", .repeatable = true};
    struct portal_certificates certificates = {0};
    const json_t *list;
    json_t *answer = NULL;
    enum error_code status = portal_send(portal, &call, &answer, err);

    if (status != ERROR_NONE) {
        return status;
    }
    list = json_object_get(answer, "applications");
    if (!json_is_array(list)) {
        status = portal_bad_answer(err, call.path, "applications");
    }
    if (status == ERROR_NONE) {
        status = portal_get_certificates(portal, &certificates, err);
    }
    if (status == ERROR_NONE) {
        status = portal_pick_open_application(list, &certificates, found, application, err);
    }
    portal_certificates_clear(&certificates);
    json_decref(answer);
    return status;
}

/* A certificate from base64 DER with nothing behind it; NULL: it is not one. */
static X509 *portal_read_certificate(const char *text)
{
    struct bytes der = {0};
    X509 *certificate = NULL;

    if (text && codec_base64_decode(text, &der) && der.len <= LONG_MAX) {
        const unsigned char *p = der.data;

        certificate = d2i_X509(NULL, &p, (long)der.len);
        if (certificate && p != der.data + der.len) {
            X509_free(certificate);
            certificate = NULL;
        }
    }
    bytes_clear(&der);
    return certificate;
}

static STACK_OF(X509) * portal_read_chain(const json_t *list)
{
    STACK_OF(X509) *chain = sk_X509_new_null();

    for (size_t i = 0; chain && i < json_array_size(list); i++) {
        X509 *certificate = portal_read_certificate(json_string_value(json_array_get(list, i)));

        if (!certificate || !sk_X509_push(chain, certificate)) {
            X509_free(certificate);
            sk_X509_pop_free(chain, X509_free);
            return NULL;
        }
    }
    return chain;
}

enum error_code portal_get_challenge(struct portal *portal, const char *application_id,
                                     struct portal_challenge *challenge, struct error *err)
{
    struct portal_call call = {.method = "POST", .repeatable = true};
    struct portal_challenge got = {0};
    const char *nonce = NULL;
    const char *enveloped = NULL;
    const char *signing = NULL;
    const char *encryption = NULL;
    const char *wrong = NULL;
    json_t *chain = NULL;
    json_error_t why;
    char path[80];
    enum error_code status;

    snprintf(path, sizeof path, "/applications/%s/challenge", application_id);
    call.path = path;
    status = portal_send(portal, &call, &got.json, err);
    if (status != ERROR_NONE) {
        return status;
    }
    if (json_unpack_ex(got.json, &why, 0, "{s:s, s:s, s:s, s:s, s:s, s:o}", "challenge_id", &got.challenge_id,
                       "nonce", &nonce, "enveloped", &enveloped, "signing_certificate", &signing,
                       "encryption_certificate", &encryption, "chain", &chain) != 0) {
        wrong = why.text;
    } else if (!codec_base64_decode(nonce, &got.nonce) || !codec_base64_decode(enveloped, &got.enveloped)) {
        wrong = "nonce or enveloped is not base64";
    } else {
        got.signing = portal_read_certificate(signing);
        got.encryption = portal_read_certificate(encryption);
        got.chain = portal_read_chain(chain);
        wrong = got.signing && got.encryption && got.chain ? NULL : "a certificate cannot be read";
    }
    if (wrong) {
        status = portal_bad_answer(err, path, wrong);
        portal_challenge_clear(&got);
        return status;
    }
    *challenge = got;
    return ERROR_NONE;
}

/* The activation's body; NULL with err set. */
static json_t *portal_proof_json(const struct portal_proof *proof, struct error *err)
{
    char *signature = codec_base64_encode(proof->signature.data, proof->signature.len);
    char *decrypted = codec_base64_encode(secret_bytes(proof->decrypted), secret_length(proof->decrypted));
    json_t *password = portal_json_secret(proof->password, err);
    json_t *body = NULL;

    if (password) {
        body = json_pack("{s:s, s:s, s:o, s:s, s:s}", "request_id", proof->request_id, "challenge_id",
                         proof->challenge_id, "password", password, "signature", signature ? signature : "",
                         "decrypted", decrypted ? decrypted : "");
        if (!body) {
            error_set(err, ERROR_MEMORY, "%s", "");
        }
    }
    if (decrypted) {
        secret_wipe(decrypted, strlen(decrypted));
    }
    free(decrypted);
    free(signature);
    return body;
}

enum error_code portal_activate(struct portal *portal, const char *application_id,
                                const struct portal_proof *proof, struct portal_application *application,
                                struct error *err)
{
    /* Not repeatable: were the answer to a wrong password lost, a repeat would count as a second wrong one.
     */
    struct portal_call call = {.method = "POST"};
    struct error why = {0};
    json_t *answer = NULL;
    char path[80];
    enum error_code status;

    snprintf(path, sizeof path, "/applications/%s/activation", application_id);
    call.path = path;
    call.body = portal_proof_json(proof, &why);
    if (!call.body) {
        return error_set(err, why.code, "%s", why.text);
    }
    status = portal_send(portal, &call, &answer, err);
    json_decref(call.body);
    return status == ERROR_NONE ? portal_read_application(answer, path, application, err) : status;
}

void portal_application_clear(struct portal_application *application)
{
    json_decref(application->json);
    memset(application, 0, sizeof *application);
}

void portal_challenge_clear(struct portal_challenge *challenge)
{
    json_decref(challenge->json);
    bytes_clear(&challenge->nonce);
    bytes_clear(&challenge->enveloped);
    X509_free(challenge->signing);
    X509_free(challenge->encryption);
    sk_X509_pop_free(challenge->chain, X509_free);
    memset(challenge, 0, sizeof *challenge);
}
