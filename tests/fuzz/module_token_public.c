#include "fuzz/module_token_internal.h"

/* The token's message functions that use no private key (PKCS#11 3.0, 5.9 and 5.16). */

static CK_RV enter(CK_SESSION_HANDLE handle)
{
    struct token_session *session = NULL;

    return token_enter(handle, &session);
}

static CK_RV make_output(CK_SESSION_HANDLE handle, const CK_BYTE *out, CK_ULONG *out_len)
{
    CK_RV rv = enter(handle);
    bool ready;

    return rv == CKR_OK ? token_has_room(out, out_len, &ready) : rv;
}

static CK_RV token_encrypt_message(CK_SESSION_HANDLE handle, CK_VOID_PTR parameter, CK_ULONG parameter_len,
                                   CK_BYTE_PTR associated, CK_ULONG associated_len, CK_BYTE_PTR in, CK_ULONG in_len,
                                   CK_BYTE_PTR out, CK_ULONG_PTR out_len)
{
    (void)parameter, (void)parameter_len, (void)associated, (void)associated_len, (void)in, (void)in_len;
    return make_output(handle, out, out_len);
}

static CK_RV token_encrypt_message_begin(CK_SESSION_HANDLE handle, CK_VOID_PTR parameter, CK_ULONG parameter_len,
                                         CK_BYTE_PTR associated, CK_ULONG associated_len)
{
    (void)parameter, (void)parameter_len, (void)associated, (void)associated_len;
    return enter(handle);
}

static CK_RV token_encrypt_message_next(CK_SESSION_HANDLE handle, CK_VOID_PTR parameter, CK_ULONG parameter_len,
                                        CK_BYTE_PTR in, CK_ULONG in_len, CK_BYTE_PTR out, CK_ULONG_PTR out_len,
                                        CK_FLAGS flags)
{
    (void)parameter, (void)parameter_len, (void)in, (void)in_len, (void)flags;
    return make_output(handle, out, out_len);
}

static CK_RV token_message_verify_init(CK_SESSION_HANDLE handle, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key)
{
    struct token_object *object = token_object(key);

    (void)mechanism;
    fuzz_require(!object || object->object_class != CKO_PRIVATE_KEY, "no signature is verified with a private key");
    return enter(handle);
}

static CK_RV token_verify_message(CK_SESSION_HANDLE handle, CK_VOID_PTR parameter, CK_ULONG parameter_len, CK_BYTE_PTR in,
                                  CK_ULONG in_len, CK_BYTE_PTR signature, CK_ULONG signature_len)
{
    (void)parameter, (void)parameter_len, (void)in, (void)in_len, (void)signature, (void)signature_len;
    return enter(handle);
}

static CK_RV token_verify_message_begin(CK_SESSION_HANDLE handle, CK_VOID_PTR parameter, CK_ULONG parameter_len)
{
    (void)parameter, (void)parameter_len;
    return enter(handle);
}

void token_fill_public(CK_FUNCTION_LIST_3_0 *functions)
{
    functions->C_EncryptMessage = token_encrypt_message;
    functions->C_EncryptMessageBegin = token_encrypt_message_begin;
    functions->C_EncryptMessageNext = token_encrypt_message_next;
    functions->C_MessageEncryptFinal = enter;
    functions->C_MessageVerifyInit = token_message_verify_init;
    functions->C_VerifyMessage = token_verify_message;
    functions->C_VerifyMessageBegin = token_verify_message_begin;
    functions->C_VerifyMessageNext = token_verify_message;
    functions->C_MessageVerifyFinal = enter;
}
