#include <string.h>

#include "fuzz/module_token_internal.h"

/* The token's functions that use a key in one call, and those that are not for private keys. */

/* PKCS#11 2.40 and 3.0; p11-kit's header leaves them out. */
#define MECHANISM_CONCATENATE_BASE_AND_KEY 0x360UL
#define MECHANISM_AES_KEY_WRAP_KWP         0x210bUL

CK_RV token_has_room(const CK_BYTE *out, CK_ULONG *out_len, bool *ready)
{
    const bool fits = out && *out_len >= TOKEN_OUTPUT_LEN;

    *ready = fits;
    *out_len = TOKEN_OUTPUT_LEN;
    return out && !fits ? CKR_BUFFER_TOO_SMALL : CKR_OK;
}

/* ------------------------------------------------------------------ wrapping, unwrapping, deriving */

/* A key that nobody can know, and that does nothing but wrap. */
static bool is_safe_carrier(struct token_object *carrier, CK_MECHANISM_TYPE mechanism)
{
    const bool opened_by_decrypting_only =
        mechanism == CKM_AES_KEY_WRAP || mechanism == CKM_AES_KEY_WRAP_PAD || mechanism == MECHANISM_AES_KEY_WRAP_KWP ||
        mechanism == CKM_AES_CBC_PAD || mechanism == CKM_DES3_CBC_PAD;

    return carrier->object_class == CKO_SECRET_KEY && opened_by_decrypting_only && *token_flag(carrier, CKA_LOCAL) &&
           *token_flag(carrier, CKA_ALWAYS_SENSITIVE) && *token_flag(carrier, CKA_NEVER_EXTRACTABLE) &&
           !*token_flag(carrier, CKA_DECRYPT) && !*token_flag(carrier, CKA_UNWRAP);
}

static void judge_export(struct token_session *session, struct token_object *carrier, CK_MECHANISM_TYPE mechanism,
                         struct token_object *key)
{
    fuzz_require(*token_flag(key, CKA_EXTRACTABLE), "a private key that may not leave does not");
    if (is_safe_carrier(carrier, mechanism)) {
        token_work(session, key, JUDGE_EXPORT, NULL, 0);
        return;
    }
    fuzz_require(judge_rules()->export_asks && !*token_flag(carrier, CKA_TOKEN) &&
                     carrier->object_class == CKO_SECRET_KEY,
                 "a private key leaves only under a key that nobody knows, or under the program's own where that is allowed");
    token_work(session, key, JUDGE_EXPORT_TO_PROGRAM, NULL, 0);
}

static CK_RV token_wrap(CK_SESSION_HANDLE handle, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE wrapping,
                        CK_OBJECT_HANDLE number, CK_BYTE_PTR out, CK_ULONG_PTR out_len)
{
    struct token_session *session = NULL;
    struct token_object *carrier = token_object(wrapping), *key = token_object(number);
    bool ready;
    CK_RV rv = token_enter(handle, &session);

    if (rv != CKR_OK || !carrier || !key)
        return rv != CKR_OK ? rv : CKR_KEY_HANDLE_INVALID;
    fuzz_require(carrier->object_class != CKO_PRIVATE_KEY, "no private key wraps another");
    rv = token_has_room(out, out_len, &ready);
    if (rv != CKR_OK || !ready)
        return rv;
    if (key->object_class == CKO_PRIVATE_KEY)
        judge_export(session, carrier, mechanism->mechanism, key);
    memset(out, 'o', TOKEN_OUTPUT_LEN);
    return CKR_OK;
}

static CK_RV make_key(struct token_session *session, CK_ATTRIBUTE_PTR template, CK_ULONG count,
                      CK_OBJECT_HANDLE_PTR made)
{
    CK_OBJECT_HANDLE ignored;
    struct token_object *object = token_new_object(session, made ? made : &ignored);
    CK_RV rv;

    if (!object)
        return CKR_DEVICE_MEMORY;
    object->object_class = CKO_SECRET_KEY;
    rv = token_apply(object, template, count, false);
    if (rv != CKR_OK)
        object->exists = false;
    return rv;
}

static CK_RV token_unwrap(CK_SESSION_HANDLE handle, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE number,
                          CK_BYTE_PTR wrapped, CK_ULONG wrapped_len, CK_ATTRIBUTE_PTR template, CK_ULONG count,
                          CK_OBJECT_HANDLE_PTR made)
{
    struct token_session *session = NULL;
    struct token_object *key = token_object(number);
    CK_RV rv = token_enter(handle, &session);

    (void)mechanism;
    if (rv != CKR_OK || !key)
        return rv != CKR_OK ? rv : CKR_UNWRAPPING_KEY_HANDLE_INVALID;
    rv = make_key(session, template, count, made);
    if (rv == CKR_OK)
        token_work(session, key, JUDGE_UNWRAP, wrapped, wrapped_len);
    return rv;
}

static CK_RV token_derive(CK_SESSION_HANDLE handle, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE number,
                          CK_ATTRIBUTE_PTR template, CK_ULONG count, CK_OBJECT_HANDLE_PTR made)
{
    struct token_session *session = NULL;
    struct token_object *key = token_object(number);
    CK_RV rv = token_enter(handle, &session);

    if (rv != CKR_OK || !key)
        return rv != CKR_OK ? rv : CKR_KEY_HANDLE_INVALID;
    if (mechanism->mechanism == MECHANISM_CONCATENATE_BASE_AND_KEY) {
        CK_OBJECT_HANDLE second;

        memcpy(&second, mechanism->pParameter, sizeof second);
        fuzz_require(!token_object(second) || !token_is_private(token_object(second)),
                     "no private key is the second of a derivation");
    }
    rv = make_key(session, template, count, made);
    if (rv == CKR_OK)
        token_work(session, key, JUDGE_DERIVE, NULL, 0);
    return rv;
}

/* ------------------------------------------------------------------ what is not for private keys */

static void require_not_private(CK_OBJECT_HANDLE number)
{
    struct token_object *object = token_object(number);

    fuzz_require(!object || !token_is_private(object), "a private key goes to no function that is not for one");
}

static CK_RV token_encrypt_init(CK_SESSION_HANDLE handle, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key)
{
    struct token_session *session = NULL;

    (void)mechanism;
    require_not_private(key);
    return token_enter(handle, &session);
}

static CK_RV token_digest_key(CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE key)
{
    struct token_session *session = NULL;

    require_not_private(key);
    return token_enter(handle, &session);
}

static CK_RV token_set_state(CK_SESSION_HANDLE handle, CK_BYTE_PTR state, CK_ULONG state_len, CK_OBJECT_HANDLE encrypts,
                             CK_OBJECT_HANDLE authenticates)
{
    struct token_session *session = NULL;

    (void)state, (void)state_len;
    require_not_private(encrypts);
    require_not_private(authenticates);
    return token_enter(handle, &session);
}

static CK_RV token_get_state(CK_SESSION_HANDLE handle, CK_BYTE_PTR state, CK_ULONG_PTR state_len)
{
    struct token_session *session = NULL;
    CK_RV rv = token_enter(handle, &session);
    bool ready;

    return rv == CKR_OK ? token_has_room(state, state_len, &ready) : rv;
}

void token_fill_once(CK_FUNCTION_LIST_3_0 *functions)
{
    functions->C_WrapKey = token_wrap;
    functions->C_UnwrapKey = token_unwrap;
    functions->C_DeriveKey = token_derive;
    functions->C_EncryptInit = token_encrypt_init;
    functions->C_MessageEncryptInit = token_encrypt_init;
    functions->C_DigestKey = token_digest_key;
    functions->C_SetOperationState = token_set_state;
    functions->C_GetOperationState = token_get_state;
}
