#include "pkcs11-module/entry.h"
#include "pkcs11-module/gate.h"
#include "pkcs11-module/operation.h"

/* PKCS#11 2.40, 5.11: signing. */

CK_RV gate_C_SignInit(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key)
{
    struct runtime *rt = runtime_get();

    if (!rt)
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    return gate_begin(rt, session, OPERATION_SIGN, rt->backend.functions->C_SignInit, mechanism, key);
}

CK_RV gate_C_Sign(CK_SESSION_HANDLE session, CK_BYTE_PTR data, CK_ULONG data_len, CK_BYTE_PTR signature,
                  CK_ULONG_PTR signature_len)
{
    struct runtime *rt = runtime_get();

    if (!rt)
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    return operation_whole(rt, session, OPERATION_SIGN, rt->backend.functions->C_Sign, data, data_len, signature,
                           signature_len);
}

/* The consent is asked for at the first part: data that the user never agreed to sign is not even hashed. */
CK_RV gate_C_SignUpdate(CK_SESSION_HANDLE session, CK_BYTE_PTR part, CK_ULONG part_len)
{
    struct runtime *rt = runtime_get();
    struct gate_turn turn;
    CK_RV rv;

    if (!rt)
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    rv = gate_take(rt, session, OPERATION_SIGN, &turn);
    if (rv != CKR_OK)
        return rv;
    rv = !part && part_len > 0 ? CKR_ARGUMENTS_BAD : gate_agree(&turn, part, part_len, false);
    if (rv == CKR_OK)
        rv = rt->backend.functions->C_SignUpdate(turn.operation.on, part, part_len);
    gate_leave(&turn, rv != CKR_OK);
    return rv;
}

CK_RV gate_C_SignFinal(CK_SESSION_HANDLE session, CK_BYTE_PTR signature, CK_ULONG_PTR signature_len)
{
    struct runtime *rt = runtime_get();

    if (!rt)
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    return operation_final(rt, session, OPERATION_SIGN, rt->backend.functions->C_SignFinal, signature,
                           signature_len);
}

/* Signing with data recovery has no gate yet. */

CK_RV refuse_C_SignRecoverInit(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key)
{
    struct runtime *rt = runtime_get();
    CK_RV rv;

    if (!rt)
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    rv = gate_refuse_private_key(rt, session, key, CKR_KEY_FUNCTION_NOT_PERMITTED, CKR_KEY_HANDLE_INVALID);
    return rv == CKR_OK ? rt->backend.functions->C_SignRecoverInit(session, mechanism, key) : rv;
}

/* No operation with a private key can have been begun, so there is none to go on with. */
CK_RV refuse_C_SignRecover(CK_SESSION_HANDLE session, CK_BYTE_PTR data, CK_ULONG data_len, CK_BYTE_PTR signature,
                           CK_ULONG_PTR signature_len)
{
    struct runtime *rt = runtime_get();
    CK_SESSION_INFO info;
    CK_RV rv;

    (void)data, (void)data_len, (void)signature, (void)signature_len;
    if (!rt)
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    rv = rt->backend.functions->C_GetSessionInfo(session, &info);
    return rv == CKR_OK ? CKR_OPERATION_NOT_INITIALIZED : rv;
}
