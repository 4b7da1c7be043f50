#include "enroll/token_internal.h"

#include <stdint.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

#include "common/i18n.h"
#include "common/secret.h"

#define TOKEN_CARRIER_LEN 32
#define TOKEN_WRAPPED_MAX 8192

/* CKM_AES_KEY_WRAP_KWP of PKCS#11 3.0 is RFC 5649; SoftHSM2 calls the same CKM_AES_KEY_WRAP_PAD. */
#define TOKEN_WRAP_KWP 0x210BUL

/* ------------------------------------------------------------------ out */

enum error_code token_key_is_exportable(struct token *token, const struct bytes *id, bool *exportable,
                                        struct error *err)
{
    CK_BBOOL value = CK_FALSE;
    CK_ATTRIBUTE attribute = {CKA_EXTRACTABLE, &value, sizeof value};
    CK_SESSION_HANDLE session;
    CK_OBJECT_HANDLE key;
    enum error_code status = token_session_open(token, &session, err);

    if (status != ERROR_NONE) {
        return status;
    }
    status = token_find_private(token, session, id, &key, err);
    if (status == ERROR_NONE) {
        *exportable = token->functions->C_GetAttributeValue(session, key, &attribute, 1) == CKR_OK &&
                      attribute.ulValueLen == sizeof value && value != CK_FALSE;
    }
    token->functions->C_CloseSession(session);
    return status;
}

/* A key for one export: random, in locked memory here, and gone from the token with the session. */
static enum error_code token_make_carrier(struct token *token, CK_SESSION_HANDLE session, struct secret **value,
                                          CK_OBJECT_HANDLE *carrier, struct error *err)
{
    unsigned char random[TOKEN_CARRIER_LEN];
    CK_OBJECT_CLASS class = CKO_SECRET_KEY;
    CK_KEY_TYPE type = CKK_AES;
    CK_BBOOL yes = CK_TRUE;
    CK_BBOOL no = CK_FALSE;
    struct secret *made = RAND_priv_bytes(random, sizeof random) == 1 ? secret_from(random, sizeof random) : NULL;
    CK_RV rv = CKR_HOST_MEMORY;

    secret_wipe(random, sizeof random);
    if (made) {
        CK_ATTRIBUTE template[] = {
            {CKA_CLASS, &class, sizeof class},     {CKA_KEY_TYPE, &type, sizeof type},
            {CKA_TOKEN, &no, sizeof no},           {CKA_PRIVATE, &yes, sizeof yes},
            {CKA_SENSITIVE, &yes, sizeof yes},     {CKA_EXTRACTABLE, &no, sizeof no},
            {CKA_WRAP, &yes, sizeof yes},          {CKA_UNWRAP, &no, sizeof no},
            {CKA_ENCRYPT, &no, sizeof no},         {CKA_DECRYPT, &no, sizeof no},
            {CKA_VALUE, (void *)secret_bytes(made), secret_length(made)},
        };

        rv = token->functions->C_CreateObject(session, template, sizeof template / sizeof template[0], carrier);
    }
    if (rv != CKR_OK) {
        secret_free(&made);
        return token_failed_rv(err, rv, _("preparing the export"));
    }
    *value = made;
    return ERROR_NONE;
}

static CK_MECHANISM_TYPE token_wrap_mechanism(struct token *token)
{
    CK_MECHANISM_INFO info;

    return token->functions->C_GetMechanismInfo(PKCS11_get_slotid_from_slot(token->slot), TOKEN_WRAP_KWP, &info) ==
                       CKR_OK &&
                   (info.flags & CKF_WRAP)
               ? TOKEN_WRAP_KWP
               : CKM_AES_KEY_WRAP_PAD;
}

/* Opens what the token gave (RFC 5649): the key in its PKCS#8 form (RFC 5208). NULL: it is not that. */
static EVP_PKEY *token_unwrap(const struct secret *carrier, const unsigned char *wrapped, CK_ULONG wrapped_len)
{
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    unsigned char *pkcs8 = OPENSSL_secure_malloc(TOKEN_WRAPPED_MAX);
    const unsigned char *at = pkcs8;
    PKCS8_PRIV_KEY_INFO *info = NULL;
    EVP_PKEY *key = NULL;
    int len = 0;

    if (context && pkcs8) {
        EVP_CIPHER_CTX_set_flags(context, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
        if (EVP_DecryptInit_ex(context, EVP_aes_256_wrap_pad(), NULL, (const unsigned char *)secret_bytes(carrier),
                               NULL) == 1 &&
            EVP_DecryptUpdate(context, pkcs8, &len, wrapped, (int)wrapped_len) == 1) {
            info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &at, len);
        }
    }
    if (info) {
        key = EVP_PKCS82PKEY(info);
    }
    PKCS8_PRIV_KEY_INFO_free(info);
    OPENSSL_secure_clear_free(pkcs8, TOKEN_WRAPPED_MAX);
    EVP_CIPHER_CTX_free(context);
    return key;
}

enum error_code token_check_export(struct token *token, struct error *err)
{
    return token_isolated_carries(token, CKM_AES_KEY_WRAP_PAD, _("Taking keys out of the token"), err);
}

static enum error_code token_export_in(struct token *token, CK_SESSION_HANDLE session, const struct bytes *id,
                                       EVP_PKEY **key, struct error *err)
{
    CK_MECHANISM mechanism = {token_wrap_mechanism(token), NULL, 0};
    unsigned char wrapped[TOKEN_WRAPPED_MAX];
    CK_ULONG wrapped_len = sizeof wrapped;
    struct secret *value = NULL;
    CK_OBJECT_HANDLE carrier = CK_INVALID_HANDLE;
    CK_OBJECT_HANDLE handle;
    enum error_code status = token_find_private(token, session, id, &handle, err);
    CK_RV rv;

    if (status == ERROR_NONE) {
        status = token_make_carrier(token, session, &value, &carrier, err);
    }
    if (status != ERROR_NONE) {
        return status;
    }
    rv = token->functions->C_WrapKey(session, &mechanism, carrier, handle, wrapped, &wrapped_len);
    if (rv == CKR_OK) {
        *key = token_unwrap(value, wrapped, wrapped_len);
        if (!*key) {
            status = error_set(err, ERROR_TOKEN, _("The token gave something for the key that is not one."));
        }
    } else {
        status = token_failed_rv(err, rv, _("exporting a key"));
    }
    (void)token->functions->C_DestroyObject(session, carrier);
    secret_free(&value);
    return status;
}

enum error_code token_export_key(struct token *token, const struct bytes *id, EVP_PKEY *public_key, EVP_PKEY **key,
                                 struct error *err)
{
    CK_SESSION_HANDLE session;
    EVP_PKEY *exported = NULL;
    enum error_code status = token_session_open(token, &session, err);

    if (status != ERROR_NONE) {
        return status;
    }
    status = token_export_in(token, session, id, &exported, err);
    token->functions->C_CloseSession(session);
    if (status == ERROR_NONE && EVP_PKEY_eq(exported, public_key) != 1) {
        status = error_set(err, ERROR_TOKEN, _("The token gave another key than the one that was asked for."));
    }
    ERR_clear_error();
    if (status != ERROR_NONE) {
        EVP_PKEY_free(exported);
        return status;
    }
    *key = exported;
    return ERROR_NONE;
}

/* ------------------------------------------------------------------ in */

/* The numbers of an RSA key (PKCS#11 2.40, 2.1.3), in the order of token_rsa_parts. */
#define TOKEN_RSA_PARTS  8
#define TOKEN_NUMBER_MAX 1024

static const struct {
    const char *name; /* OpenSSL's */
    CK_ATTRIBUTE_TYPE type;
} token_rsa_parts[TOKEN_RSA_PARTS] = {
    {OSSL_PKEY_PARAM_RSA_N, CKA_MODULUS},           {OSSL_PKEY_PARAM_RSA_E, CKA_PUBLIC_EXPONENT},
    {OSSL_PKEY_PARAM_RSA_D, CKA_PRIVATE_EXPONENT},  {OSSL_PKEY_PARAM_RSA_FACTOR1, CKA_PRIME_1},
    {OSSL_PKEY_PARAM_RSA_FACTOR2, CKA_PRIME_2},     {OSSL_PKEY_PARAM_RSA_EXPONENT1, CKA_EXPONENT_1},
    {OSSL_PKEY_PARAM_RSA_EXPONENT2, CKA_EXPONENT_2}, {OSSL_PKEY_PARAM_RSA_COEFFICIENT1, CKA_COEFFICIENT},
};

#define TOKEN_RSA_PUBLIC_PARTS 2

/* Fills attributes with the numbers of one half; the values are in one locked block, of TOKEN_NUMBER_MAX bytes each. The
 * count; 0: it is no such key. */
static CK_ULONG token_rsa_fill(EVP_PKEY *key, bool private_half, unsigned char *block, CK_ATTRIBUTE *attributes)
{
    const size_t count = private_half ? TOKEN_RSA_PARTS : TOKEN_RSA_PUBLIC_PARTS;

    for (size_t i = 0; i < count; i++) {
        unsigned char *value = block + i * TOKEN_NUMBER_MAX;
        BIGNUM *number = NULL;
        bool ok = EVP_PKEY_get_bn_param(key, token_rsa_parts[i].name, &number) == 1 &&
                  BN_num_bytes(number) <= TOKEN_NUMBER_MAX;

        if (ok) {
            attributes[i] = (CK_ATTRIBUTE){token_rsa_parts[i].type, value, (CK_ULONG)BN_bn2bin(number, value)};
        }
        BN_clear_free(number);
        if (!ok) {
            return 0;
        }
    }
    return count;
}

static bool token_ec_number(EVP_PKEY *key, const char *name, unsigned char *value, size_t len)
{
    BIGNUM *number = NULL;
    bool ok = EVP_PKEY_get_bn_param(key, name, &number) == 1 && BN_bn2binpad(number, value, (int)len) == (int)len;

    BN_clear_free(number);
    return ok;
}

/* The same for an EC key (PKCS#11 curves 2.40, 2.3.3 and 2.3.4): the point is uncompressed, in an OCTET STRING. */
static CK_ULONG token_ec_fill(EVP_PKEY *key, bool private_half, unsigned char *block, CK_ATTRIBUTE *attributes)
{
    const struct key_profile *profile = key_profile_of(key);
    const size_t field = profile && profile->curve ? profile->bits / 8 : 0;
    unsigned char *value = block;

    if (field == 0) {
        return 0;
    }
    attributes[0] =
        (CK_ATTRIBUTE){CKA_EC_PARAMS, (void *)(uintptr_t)profile->ec_params, profile->ec_params_len};
    if (private_half) {
        attributes[1] = (CK_ATTRIBUTE){CKA_VALUE, value, field};
        return token_ec_number(key, OSSL_PKEY_PARAM_PRIV_KEY, value, field) ? 2 : 0;
    }
    value[0] = V_ASN1_OCTET_STRING;
    value[1] = (unsigned char)(1 + 2 * field); /* less than 128, so one octet */
    value[2] = POINT_CONVERSION_UNCOMPRESSED;
    attributes[1] = (CK_ATTRIBUTE){CKA_EC_POINT, value, 3 + 2 * field};
    return token_ec_number(key, OSSL_PKEY_PARAM_EC_PUB_X, value + 3, field) &&
                   token_ec_number(key, OSSL_PKEY_PARAM_EC_PUB_Y, value + 3 + field, field)
               ? 2
               : 0;
}

/* What both halves of a pair are told besides their numbers, with the same uses as a pair that is generated
 * (token_generate.c); attributes has room for all of it. */
static CK_ULONG token_describe_half(bool ec, bool private_half, const struct token_key_spec *spec,
                                    CK_ATTRIBUTE *attributes)
{
    static CK_OBJECT_CLASS classes[] = {CKO_PUBLIC_KEY, CKO_PRIVATE_KEY};
    static CK_KEY_TYPE types[] = {CKK_RSA, CKK_EC};
    static CK_BBOOL yes = CK_TRUE;
    static CK_BBOOL no = CK_FALSE;
    CK_BBOOL *signs = spec->use == TOKEN_SIGNING ? &yes : &no;
    CK_BBOOL *decrypts = spec->use == TOKEN_ENCRYPTION && !ec ? &yes : &no;
    CK_BBOOL *derives = spec->use == TOKEN_ENCRYPTION && ec ? &yes : &no;
    const CK_ATTRIBUTE both[] = {
        {CKA_CLASS, &classes[private_half], sizeof classes[0]},
        {CKA_KEY_TYPE, &types[ec], sizeof types[0]},
        {CKA_TOKEN, &yes, sizeof yes},
        {CKA_PRIVATE, private_half ? &yes : &no, sizeof yes},
        {private_half ? CKA_SIGN : CKA_VERIFY, signs, sizeof yes},
        {private_half ? CKA_DECRYPT : CKA_ENCRYPT, decrypts, sizeof yes},
        {private_half ? CKA_UNWRAP : CKA_WRAP, &no, sizeof no},
        {private_half ? CKA_SIGN_RECOVER : CKA_VERIFY_RECOVER, &no, sizeof no},
        {CKA_ID, spec->id->data, spec->id->len},
        {CKA_LABEL, (void *)spec->label, strlen(spec->label)},
        {CKA_DERIVE, derives, sizeof yes}, /* of private halves only, so it is the last */
    };

    memcpy(attributes, both, sizeof both);
    return sizeof both / sizeof both[0] - (private_half ? 0 : 1);
}

static enum error_code token_write_half(struct token *token, CK_SESSION_HANDLE session, bool private_half,
                                        EVP_PKEY *key, const struct token_key_spec *spec, struct error *err)
{
    const bool ec = EVP_PKEY_is_a(key, "EC");
    unsigned char *block = OPENSSL_secure_malloc(TOKEN_RSA_PARTS * TOKEN_NUMBER_MAX);
    CK_ATTRIBUTE attributes[32];
    CK_OBJECT_HANDLE made;
    CK_ULONG count;
    CK_ULONG parts;
    CK_RV rv = CKR_HOST_MEMORY;

    if (block) {
        count = token_describe_half(ec, private_half, spec, attributes);
        parts = (ec ? token_ec_fill : token_rsa_fill)(key, private_half, block, attributes + count);
        if (parts > 0) {
            rv = token->functions->C_CreateObject(session, attributes, count + parts, &made);
        }
    }
    OPENSSL_secure_clear_free(block, TOKEN_RSA_PARTS * TOKEN_NUMBER_MAX);
    return rv == CKR_OK ? ERROR_NONE : token_failed_rv(err, rv, _("writing a key"));
}

/* Is this half there, whole? */
static enum error_code token_has_half(struct token *token, CK_SESSION_HANDLE session, bool private_half,
                                      const struct bytes *id, bool *has, struct error *err)
{
    CK_OBJECT_CLASS class = private_half ? CKO_PRIVATE_KEY : CKO_PUBLIC_KEY;
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof class}, {CKA_ID, id->data, id->len}};
    CK_OBJECT_HANDLE objects[TOKEN_FIND_MAX];
    CK_ULONG count = 0;
    enum error_code status = token_find_objects(token, session, template, 2, objects, &count, err);

    if (status == ERROR_NONE) {
        *has = count > 0 && token_is_whole(token, session, objects[0], private_half);
    }
    return status;
}

/* Writes one half unless it is there, whole. */
static enum error_code token_import_half(struct token *token, CK_SESSION_HANDLE session, bool private_half,
                                         EVP_PKEY *key, const struct token_key_spec *spec, struct error *err)
{
    const CK_OBJECT_CLASS class = private_half ? CKO_PRIVATE_KEY : CKO_PUBLIC_KEY;
    bool has = false;
    enum error_code status = token_has_half(token, session, private_half, spec->id, &has, err);

    if (status == ERROR_NONE && !has && spec->interrupted) {
        status = token_clean_up(token, session, class, spec->id, err);
    }
    if (status == ERROR_NONE && !has) {
        status = token_write_half(token, session, private_half, key, spec, err);
    }
    return status;
}

static enum error_code token_import_in(struct token *token, CK_SESSION_HANDLE session, EVP_PKEY *key,
                                       const struct token_key_spec *spec, struct error *err)
{
    enum error_code status = token_import_half(token, session, true, key, spec, err);

    return status == ERROR_NONE ? token_import_half(token, session, false, key, spec, err) : status;
}

enum error_code token_import_pair(struct token *token, EVP_PKEY *key, const struct token_key_spec *spec,
                                  struct error *err)
{
    CK_SESSION_HANDLE session;
    enum error_code status;

    if (!EVP_PKEY_is_a(key, "RSA") && !key_profile_of(key)) {
        return error_set(err, ERROR_PFX,
                         _("The private key is neither an RSA key nor an EC key on P-256 or P-384, and only those can be "
                           "imported."));
    }
    status = token_session_open(token, &session, err);
    if (status != ERROR_NONE) {
        return status;
    }
    status = token_import_in(token, session, key, spec, err);
    token->functions->C_CloseSession(session);
    return status;
}
