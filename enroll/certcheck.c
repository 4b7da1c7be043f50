#include "enroll/certcheck.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/x509v3.h>

#include "common/i18n.h"
#include "enroll/certificate.h"

#define CERTCHECK_SECURITY_BITS                                                                              \
    112 /* NIST SP 800-57 part 1: the least for new signatures; OpenSSL's level 2 */
#define CERTCHECK_AUTH_LEVEL 2

struct certcheck {
    X509 *certificate;
    const struct certcheck_promise *promise;
    const struct certcheck_trust *trust;
    const char *name; /* of the certificate, in sentences */
};

#define CERTCHECK_ADVICE N_("it will not be used: tell the registration authority.")

static enum error_code certcheck_wrong(const struct certcheck *c, const char *what, struct error *err)
{
    return error_set(err, ERROR_CERTIFICATE, _("The issued %s %s; %s"), c->name, what, _(CERTCHECK_ADVICE));
}

static enum error_code certcheck_version(const struct certcheck *c, struct error *err)
{
    return X509_get_version(c->certificate) == X509_VERSION_3
               ? ERROR_NONE
               : certcheck_wrong(c, _("is not an X.509 version 3 certificate"), err);
}

static enum error_code certcheck_serial(const struct certcheck *c, struct error *err)
{
    return certificate_has_serial(c->certificate, c->promise->serial)
               ? ERROR_NONE
               : certcheck_wrong(c, _("has not the serial number that the portal has named"), err);
}

static enum error_code certcheck_key(const struct certcheck *c, struct error *err)
{
    EVP_PKEY *key = X509_get0_pubkey(c->certificate);

    return key && EVP_PKEY_eq(key, c->promise->key) == 1
               ? ERROR_NONE
               : certcheck_wrong(c, _("is for another key than the one on the token"), err);
}

/* Exactly the same DER, not only names that compare as equal: what was promised is what was requested. */
static enum error_code certcheck_subject(const struct certcheck *c, struct error *err)
{
    struct bytes der = {0};
    bool same = certificate_name_der(X509_get_subject_name(c->certificate), &der) &&
                bytes_equal(&der, c->promise->subject);

    bytes_clear(&der);
    return same ? ERROR_NONE : certcheck_wrong(c, _("has another subject than the one registered"), err);
}

/* The e-mail address and nothing else: another name would let the holder pass as someone else. */
static enum error_code certcheck_alternative_names(const struct certcheck *c, struct error *err)
{
    const char *email = c->promise->email;
    GENERAL_NAMES *names = X509_get_ext_d2i(c->certificate, NID_subject_alt_name, NULL, NULL);
    bool same = sk_GENERAL_NAME_num(names) == 1;

    if (same) {
        int type = 0;
        const ASN1_IA5STRING *value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, 0), &type);

        same = type == GEN_EMAIL && (size_t)ASN1_STRING_length(value) == strlen(email) &&
               memcmp(ASN1_STRING_get0_data(value), email, strlen(email)) == 0;
    }
    GENERAL_NAMES_free(names);
    return same ? ERROR_NONE
                : certcheck_wrong(c, _("carries other names than the registered e-mail address"), err);
}

static enum error_code certcheck_key_usage(const struct certcheck *c, struct error *err)
{
    bool present = (X509_get_extension_flags(c->certificate) & EXFLAG_KUSAGE) != 0;

    return present && X509_get_key_usage(c->certificate) == c->promise->key_usage
               ? ERROR_NONE
               : certcheck_wrong(c, _("allows another key usage than the one promised"), err);
}

static enum error_code certcheck_extended_key_usage(const struct certcheck *c, struct error *err)
{
    unsigned promised = XKU_SMIME | (c->promise->use == CERTCHECK_SIGNING ? XKU_SSL_CLIENT : 0);
    EXTENDED_KEY_USAGE *purposes = X509_get_ext_d2i(c->certificate, NID_ext_key_usage, NULL, NULL);
    int count = c->promise->use == CERTCHECK_SIGNING
                    ? 2
                    : 1; /* OpenSSL's flags leave out purposes it does not know */
    bool same = sk_ASN1_OBJECT_num(purposes) == count &&
                X509_get_extended_key_usage(c->certificate) == promised;

    EXTENDED_KEY_USAGE_free(purposes);
    return same ? ERROR_NONE
                : certcheck_wrong(c, _("allows another extended key usage than the one promised"), err);
}

static enum error_code certcheck_not_a_ca(const struct certcheck *c, struct error *err)
{
    uint32_t flags = X509_get_extension_flags(c->certificate);

    return (flags & EXFLAG_BCONS) && !(flags & EXFLAG_CA) && !(flags & EXFLAG_INVALID)
               ? ERROR_NONE
               : certcheck_wrong(c, _("does not say that it is not a CA"), err);
}

static enum error_code certcheck_validity_length(const struct certcheck *c, struct error *err)
{
    int days = 0;
    int seconds = 0;
    bool same = ASN1_TIME_diff(&days, &seconds, X509_get0_notBefore(c->certificate),
                               X509_get0_notAfter(c->certificate)) == 1 &&
                seconds == 0 && days >= 0 && (unsigned)days == c->promise->validity_days;

    return same ? ERROR_NONE : certcheck_wrong(c, _("is valid for another time than the one promised"), err);
}

static enum error_code certcheck_valid_now(const struct certcheck *c, struct error *err)
{
    time_t late = c->trust->now + CERTCHECK_CLOCK_SKEW_S;
    time_t now = c->trust->now;

    if (X509_cmp_time(X509_get0_notBefore(c->certificate), &late) >= 0) {
        return certcheck_wrong(c, _("is not valid yet by this machine's clock (check the clock)"), err);
    }
    if (X509_cmp_time(X509_get0_notAfter(c->certificate), &now) <= 0) {
        return certcheck_wrong(c, _("has expired by this machine's clock (check the clock)"), err);
    }
    return ERROR_NONE;
}

static enum error_code certcheck_signature_strength(const struct certcheck *c, struct error *err)
{
    int bits = 0;
    int digest = NID_undef;

    return X509_get_signature_info(c->certificate, &digest, NULL, &bits, NULL) == 1 &&
                   bits >= CERTCHECK_SECURITY_BITS
               ? ERROR_NONE
               : certcheck_wrong(c, _("is signed with an algorithm that is too weak"), err);
}

/* Each in the order in which its sentence says most. The chain comes after these. */
static enum error_code (*const certcheck_table[])(const struct certcheck *c, struct error *err) = {
    certcheck_version,
    certcheck_serial,
    certcheck_key,
    certcheck_subject,
    certcheck_alternative_names,
    certcheck_key_usage,
    certcheck_extended_key_usage,
    certcheck_not_a_ca,
    certcheck_validity_length,
    certcheck_valid_now,
    certcheck_signature_strength,
};

/* The chain is judged at our time, but never before the certificate begins: the skew has been allowed for
 * above. */
static time_t certcheck_chain_time(const struct certcheck *c)
{
    struct tm tm;
    time_t begins;

    if (ASN1_TIME_to_tm(X509_get0_notBefore(c->certificate), &tm) != 1) {
        return c->trust->now;
    }
    begins = timegm(&tm);
    return begins > c->trust->now ? begins : c->trust->now;
}

/* OpenSSL's purpose for S/MIME encryption knows key encipherment only, so a key that agrees on secrets (RFC 8551 section
 * 4.4.2) is judged by certcheck_key_usage and certcheck_extended_key_usage alone, and its issuers here. */
static int certcheck_purpose(const struct certcheck *c)
{
    if (c->promise->use == CERTCHECK_SIGNING) {
        return X509_PURPOSE_SMIME_SIGN;
    }
    return c->promise->key_usage & KU_KEY_AGREEMENT ? X509_PURPOSE_ANY : X509_PURPOSE_SMIME_ENCRYPT;
}

static bool certcheck_issuers_fit(STACK_OF(X509) * chain)
{
    for (int i = 1; i < sk_X509_num(chain); i++) {
        if (X509_check_purpose(sk_X509_value(chain, i), X509_PURPOSE_SMIME_ENCRYPT, 1) <= 0) {
            return false;
        }
    }
    return true;
}

static enum error_code certcheck_chain(const struct certcheck *c, STACK_OF(X509) * *chain, struct error *err)
{
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    enum error_code status = ERROR_NONE;
    X509_VERIFY_PARAM *parameters;

    if (!context || X509_STORE_CTX_init(context, c->trust->roots, c->certificate, c->trust->untrusted) != 1) {
        X509_STORE_CTX_free(context);
        return error_set(err, ERROR_MEMORY, "%s", "");
    }
    parameters = X509_STORE_CTX_get0_param(context);
    X509_VERIFY_PARAM_set_time(parameters, certcheck_chain_time(c));
    X509_VERIFY_PARAM_set_auth_level(parameters, CERTCHECK_AUTH_LEVEL);
    X509_VERIFY_PARAM_set_purpose(parameters, certcheck_purpose(c));
    X509_VERIFY_PARAM_set_trust(parameters, X509_TRUST_EMAIL);
    if (X509_verify_cert(context) != 1) {
        char what[256];

        snprintf(what, sizeof what, _("does not chain to the pinned CA (%s)"),
                 X509_verify_cert_error_string(X509_STORE_CTX_get_error(context)));
        status = certcheck_wrong(c, what, err);
    } else if (certcheck_purpose(c) == X509_PURPOSE_ANY && !certcheck_issuers_fit(X509_STORE_CTX_get0_chain(context))) {
        status = certcheck_wrong(c, _("is issued by a CA that may not issue for e-mail"), err);
    } else if (chain) {
        *chain = X509_STORE_CTX_get1_chain(context);
        status = *chain ? ERROR_NONE : error_set(err, ERROR_MEMORY, "%s", "");
    }
    X509_STORE_CTX_free(context);
    return status;
}

enum error_code certcheck_verify(X509 *certificate, const struct certcheck_promise *promise,
                                 const struct certcheck_trust *trust, STACK_OF(X509) * *chain,
                                 struct error *err)
{
    struct certcheck c = {
        .certificate = certificate,
        .promise = promise,
        .trust = trust,
        .name = promise->use == CERTCHECK_SIGNING ? _("signing certificate") : _("encryption certificate"),
    };
    enum error_code status = ERROR_NONE;

    for (size_t i = 0; status == ERROR_NONE && i < sizeof certcheck_table / sizeof certcheck_table[0]; i++) {
        status = certcheck_table[i](&c, err);
    }
    if (status == ERROR_NONE) {
        status = certcheck_chain(&c, chain, err);
    }
    ERR_clear_error();
    return status;
}

bool certcheck_same_holder(X509 *one, X509 *other)
{
    STACK_OF(OPENSSL_STRING) *ours = X509_get1_email(one);
    STACK_OF(OPENSSL_STRING) *theirs = X509_get1_email(other);
    bool same = X509_NAME_cmp(X509_get_subject_name(one), X509_get_subject_name(other)) == 0 &&
                sk_OPENSSL_STRING_num(ours) == sk_OPENSSL_STRING_num(theirs);

    for (int i = 0; same && i < sk_OPENSSL_STRING_num(ours); i++) {
        same = strcmp(sk_OPENSSL_STRING_value(ours, i), sk_OPENSSL_STRING_value(theirs, i)) == 0;
    }
    X509_email_free(ours);
    X509_email_free(theirs);
    return same;
}

enum error_code certcheck_load_roots(const char *ca_file, X509_STORE **roots, struct error *err)
{
    X509_STORE *store = X509_STORE_new();

    if (!store) {
        return error_set(err, ERROR_MEMORY, "%s", "");
    }
    if (X509_STORE_load_file(store, ca_file) != 1) {
        ERR_clear_error();
        X509_STORE_free(store);
        return error_set(err, ERROR_CONFIG,
                         _("The ca-file %s cannot be read as PEM certificates: correct it in [portal]."),
                         ca_file);
    }
    *roots = store;
    return ERROR_NONE;
}
