#include "enroll/token_pair.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "common/i18n.h"
#include "enroll/token_internal.h"

#define TOKEN_PAIRS_MAX 64

static const char *const token_pair_suffixes[] = {[TOKEN_SIGNING] = " (signing)", [TOKEN_ENCRYPTION] = " (encryption)"};

char *token_pair_label(const char *name, enum token_use use)
{
    char *label = NULL;

    return asprintf(&label, "%s%s", name, token_pair_suffixes[use]) < 0 ? NULL : label;
}

bool token_pair_use(X509 *certificate, enum token_use *use)
{
    const uint32_t usage = X509_get_key_usage(certificate);

    if (usage == UINT32_MAX) {
        return false;
    }
    if (usage & (KU_KEY_ENCIPHERMENT | KU_DATA_ENCIPHERMENT | KU_KEY_AGREEMENT)) {
        *use = TOKEN_ENCRYPTION;
        return (usage & (KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION)) == 0;
    }
    *use = TOKEN_SIGNING;
    return (usage & KU_DIGITAL_SIGNATURE) != 0;
}

/* ------------------------------------------------------------------ the pairs of a token */

struct token_pairs {
    struct token_pair items[TOKEN_PAIRS_MAX];
    size_t count;
};

static void token_half_clear(struct token_half *half)
{
    token_key_clear(&half->key);
    X509_free(half->certificate);
    half->certificate = NULL;
}

void token_pair_clear(struct token_pair *pair)
{
    token_half_clear(&pair->signing);
    token_half_clear(&pair->encryption);
    sk_X509_pop_free(pair->chain, X509_free);
    free(pair->name);
    memset(pair, 0, sizeof *pair);
}

static struct token_half *token_pair_half(struct token_pair *pair, enum token_use use)
{
    return use == TOKEN_SIGNING ? &pair->signing : &pair->encryption;
}

/* The pair of this name (len bytes of it), a new one when there is none; NULL: no room. */
static struct token_pair *token_pairs_at(struct token_pairs *pairs, const char *name, size_t len)
{
    for (size_t i = 0; i < pairs->count; i++) {
        if (strlen(pairs->items[i].name) == len && strncmp(pairs->items[i].name, name, len) == 0) {
            return &pairs->items[i];
        }
    }
    if (pairs->count == TOKEN_PAIRS_MAX) {
        return NULL;
    }
    pairs->items[pairs->count].name = strndup(name, len);
    return pairs->items[pairs->count].name ? &pairs->items[pairs->count++] : NULL;
}

/* Of two certificates for one key the later one is the one in use. */
static bool token_half_is_older(const struct token_half *half, const X509 *certificate)
{
    return !half->certificate || ASN1_TIME_compare(X509_get0_notAfter(half->certificate),
                                                   X509_get0_notAfter(certificate)) < 0;
}

/* Takes over the key when the certificate is half of a pair. */
static void token_pairs_add(struct token_pairs *pairs, X509 *certificate, struct token_key *key)
{
    enum token_use use;
    struct token_half *half;
    struct token_pair *pair;
    size_t label_len = strlen(key->label);
    size_t suffix_len;

    if (!token_pair_use(certificate, &use)) {
        return;
    }
    suffix_len = strlen(token_pair_suffixes[use]);
    if (label_len <= suffix_len || strcmp(key->label + label_len - suffix_len, token_pair_suffixes[use]) != 0) {
        return;
    }
    pair = token_pairs_at(pairs, key->label, label_len - suffix_len);
    half = pair ? token_pair_half(pair, use) : NULL;
    if (half && token_half_is_older(half, certificate) && X509_up_ref(certificate) == 1) {
        token_half_clear(half);
        half->certificate = certificate;
        half->key = *key;
        memset(key, 0, sizeof *key);
    }
}

static enum error_code token_pairs_read(struct token *token, PKCS11_CERT *list, unsigned count,
                                        struct token_pairs *pairs, struct error *err)
{
    enum error_code status = ERROR_NONE;

    for (unsigned i = 0; status == ERROR_NONE && i < count; i++) {
        X509 *certificate = list[i].x509;
        EVP_PKEY *public_key = certificate ? X509_get0_pubkey(certificate) : NULL;
        struct token_key key = {0};
        bool found = false;

        if (!public_key || X509_check_ca(certificate) != 0) {
            continue;
        }
        status = token_find_key_of(token, public_key, &found, &key, err);
        if (status == ERROR_NONE && found) {
            token_pairs_add(pairs, certificate, &key);
        }
        token_key_clear(&key);
    }
    ERR_clear_error();
    return status;
}

/* ------------------------------------------------------------------ choosing */

static bool token_pair_is_meant(const struct token_pair *pair, const char *name)
{
    if (!pair->signing.certificate || !pair->encryption.certificate) {
        return false;
    }
    if (name) {
        return strcmp(pair->name, name) == 0;
    }
    return X509_cmp_current_time(X509_get0_notAfter(pair->signing.certificate)) > 0 &&
           X509_cmp_current_time(X509_get0_notAfter(pair->encryption.certificate)) > 0;
}

static enum error_code token_pairs_choose(struct token *token, struct token_pairs *pairs, const char *name,
                                          struct token_pair **chosen, struct error *err)
{
    size_t found = 0;

    for (size_t i = 0; i < pairs->count; i++) {
        if (token_pair_is_meant(&pairs->items[i], name)) {
            *chosen = &pairs->items[i];
            found++;
        }
    }
    if (found == 1) {
        return ERROR_NONE;
    }
    if (found > 1) {
        return error_set(err, ERROR_STATE,
                         _("There are several pairs of certificates on the token \"%s\": name one with --name (pinward "
                           "token info lists them)."),
                         token_label(token));
    }
    return name ? error_set(err, ERROR_STATE,
                            _("There is no pair of certificates named \"%s\" on the token \"%s\": pinward token info lists "
                              "what is there."),
                            name, token_label(token))
                : error_set(err, ERROR_STATE,
                            _("There is no pair of certificates on the token \"%s\" that has not expired: name an older "
                              "one with --name (pinward token info lists them)."),
                            token_label(token));
}

static X509 *token_issuer_of(X509 *certificate, PKCS11_CERT *list, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (list[i].x509 && X509_check_ca(list[i].x509) > 0 &&
            X509_check_issued(list[i].x509, certificate) == X509_V_OK) {
            return list[i].x509;
        }
    }
    return NULL;
}

/* Upwards from the signing certificate, to the root if it is there. */
static bool token_pair_climb(struct token_pair *pair, PKCS11_CERT *list, unsigned count)
{
    X509 *at = pair->signing.certificate;

    pair->chain = sk_X509_new_null();
    while (pair->chain && sk_X509_num(pair->chain) < (int)count && X509_check_issued(at, at) != X509_V_OK) {
        X509 *issuer = token_issuer_of(at, list, count);

        if (!issuer) {
            break;
        }
        if (X509_up_ref(issuer) != 1) {
            return false;
        }
        if (sk_X509_push(pair->chain, issuer) <= 0) {
            X509_free(issuer);
            return false;
        }
        at = issuer;
    }
    return pair->chain != NULL;
}

enum error_code token_pair_find(struct token *token, const char *name, struct token_pair *pair, struct error *err)
{
    struct token_pairs *pairs = calloc(1, sizeof *pairs);
    struct token_pair *chosen = NULL;
    PKCS11_CERT *list = NULL;
    unsigned count = 0;
    enum error_code status = ERROR_NONE;

    if (!pairs) {
        return error_set(err, ERROR_MEMORY, "%s", "");
    }
    ERR_clear_error();
    if (PKCS11_enumerate_certs(token->slot->token, &list, &count) != 0) {
        status = token_failed(err, _("reading its certificates"));
    }
    if (status == ERROR_NONE) {
        status = token_pairs_read(token, list, count, pairs, err);
    }
    if (status == ERROR_NONE) {
        status = token_pairs_choose(token, pairs, name, &chosen, err);
    }
    if (status == ERROR_NONE && !token_pair_climb(chosen, list, count)) {
        status = error_set(err, ERROR_MEMORY, "%s", "");
    }
    if (status == ERROR_NONE) {
        *pair = *chosen;
        memset(chosen, 0, sizeof *chosen);
    }
    for (size_t i = 0; i < pairs->count; i++) {
        token_pair_clear(&pairs->items[i]);
    }
    free(pairs);
    return status;
}
