#include "ca_crl.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

/* RFC 5280 section 3.3: an entry stays until a list made after the certificate's expiry has shown it. */
#define CRL_KEEP_S (7 * CLOCK_DAY_S)

static bool add_extension_value(X509_CRL *crl, int nid, ASN1_STRING *value)
{
    return value != NULL && X509_CRL_add1_ext_i2d(crl, nid, value, 0, X509V3_ADD_DEFAULT) == 1;
}

static bool set_entry(X509_REVOKED *entry, const struct certificate *certificate)
{
    /* On hold from its birth until its activation, and while suspended: certificateHold. */
    int reason = certificate->state == CERTIFICATE_REVOKED ? certificate->reason
                                                           : CRL_REASON_CERTIFICATE_HOLD;
    ASN1_ENUMERATED *code = ASN1_ENUMERATED_new();
    ASN1_INTEGER *serial = NULL;
    ASN1_TIME *since = ASN1_TIME_set(NULL, (time_t)certificate->state_since);
    BIGNUM *number = NULL;
    bool ok = false;

    if (code == NULL || since == NULL || BN_hex2bn(&number, certificate->serial) == 0)
        goto out;
    serial = BN_to_ASN1_INTEGER(number, NULL);
    if (serial == NULL || X509_REVOKED_set_serialNumber(entry, serial) != 1 ||
        X509_REVOKED_set_revocationDate(entry, since) != 1)
        goto out;
    /* RFC 5280 section 5.3.1: "unspecified" is said by leaving the extension out. */
    ok = reason == CRL_REASON_UNSPECIFIED ||
         (ASN1_ENUMERATED_set(code, reason) == 1 &&
          X509_REVOKED_add1_ext_i2d(entry, NID_crl_reason, code, 0, X509V3_ADD_DEFAULT) == 1);
out:
    BN_free(number);
    ASN1_INTEGER_free(serial);
    ASN1_TIME_free(since);
    ASN1_ENUMERATED_free(code);
    return ok;
}

static bool add_entries(X509_CRL *crl, struct store *store, int64_t now_s)
{
    sqlite3_stmt *row = certificate_list_revoked(store, now_s, CRL_KEEP_S);
    enum store_result result = STORE_DONE;
    bool ok = true;

    while (ok && (result = store_step(store, row)) == STORE_ROW) {
        X509_REVOKED *entry = X509_REVOKED_new();
        struct certificate certificate;

        certificate_read(row, INT64_MIN, &certificate); /* as stored: an expired hold is still a hold */
        ok = entry != NULL && set_entry(entry, &certificate) && X509_CRL_add0_revoked(crl, entry) == 1;
        if (!ok)
            X509_REVOKED_free(entry);
    }
    sqlite3_finalize(row);
    return ok && result == STORE_DONE;
}

static bool add_extensions(X509_CRL *crl, const struct ca *ca, int64_t number)
{
    ASN1_INTEGER *crl_number = ASN1_INTEGER_new();
    X509V3_CTX context;
    X509_EXTENSION *key_id;
    bool ok;

    X509V3_set_ctx(&context, ca->issuing, NULL, NULL, crl, 0);
    key_id = X509V3_EXT_conf_nid(NULL, &context, NID_authority_key_identifier, "keyid:always");
    ok = key_id != NULL && X509_CRL_add_ext(crl, key_id, -1) == 1 && crl_number != NULL &&
         ASN1_INTEGER_set_int64(crl_number, number) == 1 &&
         add_extension_value(crl, NID_crl_number, crl_number);
    X509_EXTENSION_free(key_id);
    ASN1_INTEGER_free(crl_number);
    return ok;
}

static bool make(const struct ca *ca, struct store *store, int64_t number, int64_t now_s, uint8_t **der,
                 size_t *len)
{
    ASN1_TIME *this_update = ASN1_TIME_set(NULL, (time_t)now_s);
    ASN1_TIME *next_update = ASN1_TIME_set(NULL, (time_t)(now_s + CA_CRL_VALIDITY_S));
    X509_CRL *crl = X509_CRL_new();
    int size = -1;

    if (crl != NULL && this_update != NULL && next_update != NULL &&
        X509_CRL_set_version(crl, X509_CRL_VERSION_2) &&
        X509_CRL_set_issuer_name(crl, X509_get_subject_name(ca->issuing)) == 1 &&
        X509_CRL_set1_lastUpdate(crl, this_update) == 1 && X509_CRL_set1_nextUpdate(crl, next_update) == 1 &&
        add_entries(crl, store, now_s) && add_extensions(crl, ca, number) && X509_CRL_sort(crl) == 1 &&
        X509_CRL_sign(crl, ca->issuing_key, EVP_sha384()) != 0) {
        unsigned char *encoded = NULL;

        size = i2d_X509_CRL(crl, &encoded);
        if (size > 0 && (*der = malloc((size_t)size)) != NULL) {
            memcpy(*der, encoded, (size_t)size);
            *len = (size_t)size;
        } else {
            size = -1;
        }
        OPENSSL_free(encoded);
    }
    ERR_clear_error();
    X509_CRL_free(crl);
    ASN1_TIME_free(this_update);
    ASN1_TIME_free(next_update);
    return size > 0;
}

/* A clock that went back (the test clock can) makes the old list one from the future. */
static bool is_current(const struct crl_state *state, int64_t now_s)
{
    return state->number > 0 && state->made_change == state->change && now_s >= state->this_update &&
           now_s < state->this_update + CA_CRL_VALIDITY_S / 2;
}

static enum error_code remake(const struct ca *ca, struct store *store, int64_t now_s, uint8_t **der,
                              size_t *len)
{
    struct crl_state state;
    uint8_t *made = NULL;
    size_t made_len = 0;

    if (!store_begin(store) || crl_state_get(store, &state, NULL, NULL) != STORE_ROW)
        return ERROR_IO;
    state.number += 1;
    state.made_change = state.change;
    state.this_update = now_s;
    if (!make(ca, store, state.number, now_s, &made, &made_len))
        return ERROR_INTERNAL;
    if (!crl_state_set(store, &state, made, made_len) || !store_commit(store)) {
        free(made);
        return ERROR_IO;
    }
    *der = made;
    *len = made_len;
    return ERROR_NONE;
}

enum error_code ca_crl_current(const struct ca *ca, struct store *store, int64_t now_s, uint8_t **der,
                               size_t *len, struct error *err)
{
    enum error_code status;
    struct crl_state state;
    uint8_t *stored = NULL;
    size_t stored_len = 0;

    if (crl_state_get(store, &state, &stored, &stored_len) != STORE_ROW)
        return error_set(err, ERROR_IO, "The revocation list cannot be read from the database.");
    if (is_current(&state, now_s)) {
        *der = stored;
        *len = stored_len;
        return ERROR_NONE;
    }
    free(stored);
    status = remake(ca, store, now_s, der, len);
    if (status == ERROR_NONE)
        return ERROR_NONE;
    store_rollback(store);
    return error_set(err, status, "The revocation list cannot be made.");
}
