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

/* A length query may come before the first part. */
CK_RV gate_C_DecryptUpdate(CK_SESSION_HANDLE session, CK_BYTE_PTR encrypted_part, CK_ULONG encrypted_part_len,
                           CK_BYTE_PTR part, CK_ULONG_PTR part_len)
{
    struct runtime *rt = runtime_get();
    struct gate_turn turn;
    CK_RV rv;

    if (!rt)
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    rv = gate_take(rt, session, OPERATION_DECRYPT, &turn);
    if (rv != CKR_OK)
        return rv;
    if (!part_len || (!encrypted_part && encrypted_part_len > 0)) {
        rv = CKR_ARGUMENTS_BAD;
    } else if (gate_must_ask(&turn) && !part && turn.operation.facts.output_len > 0) {
        *part_len = turn.operation.facts.output_len;
    } else {
        if (part || !gate_must_ask(&turn) || turn.operation.facts.always_authenticate)
            rv = gate_agree(&turn, encrypted_part, encrypted_part_len, false);
        if (rv == CKR_OK)
            rv = rt->backend.functions->C_DecryptUpdate(turn.operation.on, encrypted_part, encrypted_part_len, part,
                                                        part_len);
    }
    gate_leave(&turn, rv != CKR_OK && rv != CKR_BUFFER_TOO_SMALL);
    return rv;
}

CK_RV gate_C_DecryptFinal(CK_SESSION_HANDLE session, CK_BYTE_PTR last_part, CK_ULONG_PTR last_part_len)
{
    struct runtime *rt = runtime_get();

    if (!rt)
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    return operation_final(rt, session, OPERATION_DECRYPT, rt->backend.functions->C_DecryptFinal, last_part,
                           last_part_len);
}
