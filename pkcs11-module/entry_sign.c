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

    if (!rt)
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    return operation_sign_part(rt, session, part, part_len);
}

CK_RV gate_C_SignFinal(CK_SESSION_HANDLE session, CK_BYTE_PTR signature, CK_ULONG_PTR signature_len)
{
    struct runtime *rt = runtime_get();

    if (!rt)
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    return operation_final(rt, session, OPERATION_SIGN, rt->backend.functions->C_SignFinal, signature,
                           signature_len);
}

CK_RV gate_C_SignRecoverInit(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key)
{
    struct runtime *rt = runtime_get();

    if (!rt)
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    return gate_begin(rt, session, OPERATION_SIGN_RECOVER, rt->backend.functions->C_SignRecoverInit, mechanism, key);
}

CK_RV gate_C_SignRecover(CK_SESSION_HANDLE session, CK_BYTE_PTR data, CK_ULONG data_len, CK_BYTE_PTR signature,
                         CK_ULONG_PTR signature_len)
{
    struct runtime *rt = runtime_get();

    if (!rt)
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    return operation_whole(rt, session, OPERATION_SIGN_RECOVER, rt->backend.functions->C_SignRecover, data, data_len,
                           signature, signature_len);
}
