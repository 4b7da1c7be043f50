#include "pkcs11-module/cancel.h"
#include "pkcs11-module/entry.h"
#include "pkcs11-module/gate.h"
#include "pkcs11-module/gate_once.h"

/* Calls that are not meant for private keys and must not become a way around the gate when a backend is careless:
 * raw RSA "encryption" with a private key is a signature. */

CK_RV refuse_C_EncryptInit(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key)
{
    struct runtime *rt = runtime_get();
    CK_RV rv;

    if (!rt)
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    if (!mechanism)
        return cancel_by_init(rt, session, CKF_ENCRYPT);
    rv = gate_refuse_private_key(rt, session, key, CKR_KEY_TYPE_INCONSISTENT, CKR_KEY_HANDLE_INVALID);
    return rv == CKR_OK ? rt->backend.functions->C_EncryptInit(session, mechanism, key) : rv;
}

CK_RV refuse_C_DigestKey(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key)
{
    struct runtime *rt = runtime_get();
    CK_RV rv;

    if (!rt)
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    rv = gate_refuse_private_key(rt, session, key, CKR_KEY_INDIGESTIBLE, CKR_KEY_HANDLE_INVALID);
    return rv == CKR_OK ? rt->backend.functions->C_DigestKey(session, key) : rv;
}

/* An operation with a protected key runs on a session that the application does not know: its state cannot be saved. */
CK_RV own_C_GetOperationState(CK_SESSION_HANDLE session, CK_BYTE_PTR operation_state, CK_ULONG_PTR operation_state_len)
{
    struct runtime *rt = runtime_get();

    if (!rt)
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    if (gate_session_is_beside(rt, session))
        return CKR_SESSION_HANDLE_INVALID;
    return rt->backend.functions->C_GetOperationState(session, operation_state, operation_state_len);
}

/* A saved state could be made to go on with another key than it was saved with. Keys of 0 mean "none" (5.6). */
CK_RV refuse_C_SetOperationState(CK_SESSION_HANDLE session, CK_BYTE_PTR operation_state, CK_ULONG operation_state_len,
                                 CK_OBJECT_HANDLE encryption_key, CK_OBJECT_HANDLE authentication_key)
{
    struct runtime *rt = runtime_get();
    CK_RV rv = CKR_OK;

    if (!rt)
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    if (gate_session_is_beside(rt, session))
        return CKR_SESSION_HANDLE_INVALID;
    if (encryption_key != CK_INVALID_HANDLE)
        rv = gate_refuse_private_key(rt, session, encryption_key, CKR_FUNCTION_NOT_SUPPORTED, CKR_KEY_HANDLE_INVALID);
    if (rv == CKR_OK && authentication_key != CK_INVALID_HANDLE)
        rv = gate_refuse_private_key(rt, session, authentication_key, CKR_FUNCTION_NOT_SUPPORTED,
                                     CKR_KEY_HANDLE_INVALID);
    if (rv != CKR_OK)
        return rv;
    return rt->backend.functions->C_SetOperationState(session, operation_state, operation_state_len, encryption_key,
                                                      authentication_key);
}
