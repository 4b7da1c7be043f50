#include "pkcs11-module/entry.h"
#include "pkcs11-module/gate.h"
#include "pkcs11-module/operation.h"

/* PKCS#11 2.40, 5.9: decryption. */

CK_RV gate_C_DecryptInit(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key)
{
    struct runtime *rt = runtime_get();

    if (!rt)
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    return gate_begin(rt, session, OPERATION_DECRYPT, rt->backend.functions->C_DecryptInit, mechanism, key);
}

CK_RV gate_C_Decrypt(CK_SESSION_HANDLE session, CK_BYTE_PTR encrypted_data, CK_ULONG encrypted_data_len,
                     CK_BYTE_PTR data, CK_ULONG_PTR data_len)
{
    struct runtime *rt = runtime_get();

    if (!rt)
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    return operation_whole(rt, session, OPERATION_DECRYPT, rt->backend.functions->C_Decrypt, encrypted_data,
                           encrypted_data_len, data, data_len);
}

CK_RV gate_C_DecryptUpdate(CK_SESSION_HANDLE session, CK_BYTE_PTR encrypted_part, CK_ULONG encrypted_part_len,
                           CK_BYTE_PTR part, CK_ULONG_PTR part_len)
{
    struct runtime *rt = runtime_get();

    if (!rt)
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    return operation_decrypt_part(rt, session, encrypted_part, encrypted_part_len, part, part_len);
}

CK_RV gate_C_DecryptFinal(CK_SESSION_HANDLE session, CK_BYTE_PTR last_part, CK_ULONG_PTR last_part_len)
{
    struct runtime *rt = runtime_get();

    if (!rt)
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    return operation_final(rt, session, OPERATION_DECRYPT, rt->backend.functions->C_DecryptFinal, last_part,
                           last_part_len);
}
