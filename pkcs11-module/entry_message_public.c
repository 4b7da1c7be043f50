#include "pkcs11-module/cancel.h"
#include "pkcs11-module/entry_3.h"
#include "pkcs11-module/gate_once.h"
#include "pkcs11-module/runtime.h"

/* PKCS#11 3.0, 5.9 and 5.16: messages that are encrypted, and messages whose signatures are verified. No private key
 * is used. */

/* As C_EncryptInit. */
CK_RV refuse_C_MessageEncryptInit(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key)
{
    struct runtime *rt = runtime_get();
    CK_RV rv;

    if (!rt || !rt->backend.functions_3)
        return runtime_lacks_3();
    if (!mechanism)
        return cancel_by_init(rt, session, CKF_MESSAGE_ENCRYPT);
    rv = gate_refuse_private_key(rt, session, key, CKR_KEY_TYPE_INCONSISTENT, CKR_KEY_HANDLE_INVALID);
    return rv == CKR_OK ? rt->backend.functions_3->C_MessageEncryptInit(session, mechanism, key) : rv;
}

CK_RV pass_C_EncryptMessage(CK_SESSION_HANDLE session, CK_VOID_PTR parameter, CK_ULONG parameter_len,
                            CK_BYTE_PTR associated_data, CK_ULONG associated_data_len, CK_BYTE_PTR plaintext,
                            CK_ULONG plaintext_len, CK_BYTE_PTR ciphertext, CK_ULONG_PTR ciphertext_len)
{
    const CK_FUNCTION_LIST_3_0 *backend = runtime_backend_3_for(session);

    return backend ? backend->C_EncryptMessage(session, parameter, parameter_len, associated_data,
                                               associated_data_len, plaintext, plaintext_len, ciphertext,
                                               ciphertext_len)
                   : runtime_lacks_session_3();
}

CK_RV pass_C_EncryptMessageBegin(CK_SESSION_HANDLE session, CK_VOID_PTR parameter, CK_ULONG parameter_len,
                                 CK_BYTE_PTR associated_data, CK_ULONG associated_data_len)
{
    const CK_FUNCTION_LIST_3_0 *backend = runtime_backend_3_for(session);

    return backend ? backend->C_EncryptMessageBegin(session, parameter, parameter_len, associated_data,
                                                    associated_data_len)
                   : runtime_lacks_session_3();
}

CK_RV pass_C_EncryptMessageNext(CK_SESSION_HANDLE session, CK_VOID_PTR parameter, CK_ULONG parameter_len,
                                CK_BYTE_PTR plaintext_part, CK_ULONG plaintext_part_len, CK_BYTE_PTR ciphertext_part,
                                CK_ULONG_PTR ciphertext_part_len, CK_FLAGS flags)
{
    const CK_FUNCTION_LIST_3_0 *backend = runtime_backend_3_for(session);

    return backend ? backend->C_EncryptMessageNext(session, parameter, parameter_len, plaintext_part,
                                                   plaintext_part_len, ciphertext_part, ciphertext_part_len, flags)
                   : runtime_lacks_session_3();
}

CK_RV pass_C_MessageEncryptFinal(CK_SESSION_HANDLE session)
{
    const CK_FUNCTION_LIST_3_0 *backend = runtime_backend_3_for(session);

    return backend ? backend->C_MessageEncryptFinal(session) : runtime_lacks_session_3();
}

CK_RV pass_C_MessageVerifyInit(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key)
{
    const CK_FUNCTION_LIST_3_0 *backend = runtime_backend_3_for(session);

    return backend ? backend->C_MessageVerifyInit(session, mechanism, key) : runtime_lacks_session_3();
}

CK_RV pass_C_VerifyMessage(CK_SESSION_HANDLE session, CK_VOID_PTR parameter, CK_ULONG parameter_len, CK_BYTE_PTR data,
                           CK_ULONG data_len, CK_BYTE_PTR signature, CK_ULONG signature_len)
{
    const CK_FUNCTION_LIST_3_0 *backend = runtime_backend_3_for(session);

    return backend ? backend->C_VerifyMessage(session, parameter, parameter_len, data, data_len, signature,
                                              signature_len)
                   : runtime_lacks_session_3();
}

CK_RV pass_C_VerifyMessageBegin(CK_SESSION_HANDLE session, CK_VOID_PTR parameter, CK_ULONG parameter_len)
{
    const CK_FUNCTION_LIST_3_0 *backend = runtime_backend_3_for(session);

    return backend ? backend->C_VerifyMessageBegin(session, parameter, parameter_len) : runtime_lacks_session_3();
}

CK_RV pass_C_VerifyMessageNext(CK_SESSION_HANDLE session, CK_VOID_PTR parameter, CK_ULONG parameter_len,
                               CK_BYTE_PTR data, CK_ULONG data_len, CK_BYTE_PTR signature, CK_ULONG signature_len)
{
    const CK_FUNCTION_LIST_3_0 *backend = runtime_backend_3_for(session);

    return backend ? backend->C_VerifyMessageNext(session, parameter, parameter_len, data, data_len, signature,
                                                  signature_len)
                   : runtime_lacks_session_3();
}

CK_RV pass_C_MessageVerifyFinal(CK_SESSION_HANDLE session)
{
    const CK_FUNCTION_LIST_3_0 *backend = runtime_backend_3_for(session);

    return backend ? backend->C_MessageVerifyFinal(session) : runtime_lacks_session_3();
}
