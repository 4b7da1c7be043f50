/* OpenSSL 3 keeps EC_KEY_METHOD for keys that are not in its memory, which is what it is used for here; its successor is a
 * whole provider. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "enroll/token_internal.h"

#include <stdint.h>
#include <string.h>

#include <openssl/ec.h>
#include <openssl/err.h>

#include "common/i18n.h"
#include "enroll/ask.h"

/* libp11 does ECDH too, but presents no PIN for it (PKCS#11 has a context-specific login for operations that are begun
 * with an Init; the module takes one before C_DeriveKey as well), so it fails where the module leaves the asking to the
 * application. Hence an EC_KEY whose ECDH is done here, and only that. */

#define TOKEN_POINT_MAX 133 /* uncompressed, on P-521: SEC 1 section 2.3.3 */

/* What such an EC_KEY stands for. */
struct token_agreement {
    struct token *token;
    struct bytes id;
};

static void token_agreement_free(void *parent, void *data, CRYPTO_EX_DATA *all, int index, long argument, void *pointer)
{
    struct token_agreement *agreement = data;

    (void)parent, (void)all, (void)index, (void)argument, (void)pointer;
    if (agreement) {
        bytes_clear(&agreement->id);
        OPENSSL_free(agreement);
    }
}

/* Of the process, since OpenSSL has no end for it. -1: there is no memory. */
static int token_agreement_index(void)
{
    static int index = -1;

    if (index < 0) {
        index = EC_KEY_get_ex_new_index(0, NULL, NULL, NULL, token_agreement_free);
    }
    return index;
}

/* ------------------------------------------------------------------ one derivation */

/* The PIN for this one use, where the token wants it from the application. */
static CK_RV token_present_pin(const struct token *token, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key)
{
    CK_BBOOL always = CK_FALSE;
    CK_ATTRIBUTE attribute = {CKA_ALWAYS_AUTHENTICATE, &always, sizeof always};
    struct secret *pin = NULL;
    enum error_code status;
    CK_RV rv = token->functions->C_GetAttributeValue(session, key, &attribute, 1);

    if (rv != CKR_OK || always == CK_FALSE) { /* a token that does not know the attribute wants none */
        return CKR_OK;
    }
    status = ask_pin(token->config, _("The use of a key on the token needs the PIN."), &pin, NULL);
    if (status != ERROR_NONE) {
        return status == ERROR_CANCELLED ? CKR_FUNCTION_CANCELED : CKR_FUNCTION_FAILED;
    }
    rv = token->functions->C_Login(session, CKU_CONTEXT_SPECIFIC, (CK_UTF8CHAR *)secret_bytes(pin),
                                   secret_length(pin));
    secret_free(&pin);
    return rv;
}

/* PKCS#11 curves 2.40, 2.3.9: the x-coordinate of the shared point, as long as the curve's field, in a session object
 * that is read and destroyed at once. */
static CK_RV token_derive(const struct token *token, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key,
                          CK_ECDH1_DERIVE_PARAMS *params, unsigned char *secret, CK_ULONG len)
{
    CK_MECHANISM mechanism = {CKM_ECDH1_DERIVE, params, sizeof *params};
    CK_OBJECT_CLASS class = CKO_SECRET_KEY;
    CK_KEY_TYPE type = CKK_GENERIC_SECRET;
    CK_BBOOL yes = CK_TRUE;
    CK_BBOOL no = CK_FALSE;
    CK_ATTRIBUTE template[] = {
        {CKA_CLASS, &class, sizeof class}, {CKA_KEY_TYPE, &type, sizeof type},    {CKA_TOKEN, &no, sizeof no},
        {CKA_SENSITIVE, &no, sizeof no},   {CKA_EXTRACTABLE, &yes, sizeof yes}, {CKA_VALUE_LEN, &len, sizeof len},
    };
    CK_ATTRIBUTE value = {CKA_VALUE, secret, len};
    CK_OBJECT_HANDLE derived;
    CK_RV destroyed;
    CK_RV rv = token->functions->C_DeriveKey(session, &mechanism, key, template, sizeof template / sizeof template[0],
                                             &derived);

    if (rv != CKR_OK) {
        return rv;
    }
    rv = token->functions->C_GetAttributeValue(session, derived, &value, 1);
    destroyed = token->functions->C_DestroyObject(session, derived);
    if (rv == CKR_OK && value.ulValueLen != len) {
        rv = CKR_GENERAL_ERROR;
    }
    return rv == CKR_OK ? destroyed : rv;
}

static CK_RV token_agree(const struct token_agreement *agreement, CK_ECDH1_DERIVE_PARAMS *params,
                         unsigned char *secret, size_t len)
{
    struct token *token = agreement->token;
    CK_OBJECT_HANDLE key;
    CK_SESSION_HANDLE session;
    CK_RV rv;

    if (token_session_open(token, &session, NULL) != ERROR_NONE) {
        return CKR_FUNCTION_FAILED;
    }
    rv = token_find_private(token, session, &agreement->id, &key, NULL) == ERROR_NONE ? CKR_OK : CKR_KEY_HANDLE_INVALID;
    if (rv == CKR_OK) {
        rv = token_present_pin(token, session, key);
    }
    if (rv == CKR_OK) {
        rv = token_derive(token, session, key, params, secret, len);
    }
    token->functions->C_CloseSession(session);
    return rv;
}

/* What OpenSSL calls, which wipes the secret when it frees it. An error goes where libp11's go, for token_failed. */
static int token_agree_compute(unsigned char **secret, size_t *secret_len, const EC_POINT *peer, const EC_KEY *key)
{
    const struct token_agreement *agreement = EC_KEY_get_ex_data(key, token_agreement_index());
    const EC_GROUP *group = EC_KEY_get0_group(key);
    const size_t len = ((size_t)EC_GROUP_get_degree(group) + 7) / 8;
    unsigned char point[TOKEN_POINT_MAX];
    size_t point_len = EC_POINT_point2oct(group, peer, POINT_CONVERSION_UNCOMPRESSED, point, sizeof point, NULL);
    CK_ECDH1_DERIVE_PARAMS params = {.kdf = CKD_NULL, .public_data_len = point_len, .public_data = point};
    unsigned char *made = point_len > 0 && agreement ? OPENSSL_malloc(len) : NULL;
    CK_RV rv = made ? token_agree(agreement, &params, made, len) : CKR_HOST_MEMORY;

    if (rv != CKR_OK) {
        ERR_raise(ERR_get_CKR_code(), (int)(rv & ERR_REASON_MASK));
        OPENSSL_clear_free(made, len);
        return 0;
    }
    *secret = made;
    *secret_len = len;
    return 1;
}

/* ------------------------------------------------------------------ the key */

static const EC_KEY_METHOD *token_agreement_method(struct token *token)
{
    if (!token->agreement) {
        token->agreement = EC_KEY_METHOD_new(EC_KEY_OpenSSL());
        if (token->agreement) {
            EC_KEY_METHOD_set_compute_key(token->agreement, token_agree_compute);
        }
    }
    return token->agreement;
}

void token_agree_end(struct token *token)
{
    if (token->agreement) { /* not NULL-safe, as OpenSSL's other free functions are */
        EC_KEY_METHOD_free(token->agreement);
    }
    token->agreement = NULL;
}

static bool token_agreement_attach(struct token *token, const struct token_key *key, EC_KEY *ec)
{
    struct token_agreement *agreement = OPENSSL_zalloc(sizeof *agreement);
    const int index = token_agreement_index();

    if (agreement) {
        agreement->token = token;
        if (index >= 0 && bytes_set(&agreement->id, key->id.data, key->id.len) &&
            EC_KEY_set_ex_data(ec, index, agreement) == 1) {
            return true;
        }
        bytes_clear(&agreement->id);
        OPENSSL_free(agreement);
    }
    return false;
}

static EVP_PKEY *token_agreement_key(struct token *token, const struct token_key *key)
{
    const EC_KEY *shown = EVP_PKEY_get0_EC_KEY(key->pkey);
    const EC_KEY_METHOD *method = token_agreement_method(token);
    EC_KEY *ec = EC_KEY_new();
    EVP_PKEY *made = EVP_PKEY_new();

    if (shown && method && ec && made && EC_KEY_set_group(ec, EC_KEY_get0_group(shown)) == 1 &&
        EC_KEY_set_public_key(ec, EC_KEY_get0_public_key(shown)) == 1 && EC_KEY_set_method(ec, method) == 1 &&
        token_agreement_attach(token, key, ec) && EVP_PKEY_assign_EC_KEY(made, ec) == 1) {
        return made;
    }
    EC_KEY_free(ec);
    EVP_PKEY_free(made);
    return NULL;
}

enum error_code token_decryption_key(struct token *token, const struct token_key *key, EVP_PKEY **decrypting,
                                     struct error *err)
{
    EVP_PKEY *made = key->pkey;

    if (EVP_PKEY_get_base_id(made) == EVP_PKEY_EC) {
        const enum error_code status =
            token_isolated_carries(token, CKM_ECDH1_DERIVE, _("Decrypting with an EC key"), err);

        if (status != ERROR_NONE) {
            return status;
        }
        made = token_agreement_key(token, key);
    } else if (EVP_PKEY_up_ref(made) != 1) {
        made = NULL;
    }
    if (!made) {
        return token_failed(err, _("reading its keys"));
    }
    *decrypting = made;
    return ERROR_NONE;
}
