#include "pkcs11-module/entry.h"
#include "pkcs11-module/gate.h"

/* PKCS#11 2.40, 5.13: dual-function operations, in so far as a private key may be one half of them. They have no
 * gate yet. */

/* CKR_OK when the operation of this kind that is in progress uses no private key. */
static CK_RV refuse_half(struct runtime *rt, CK_SESSION_HANDLE session, enum operation_kind kind)
{
    struct gate_turn turn;
    CK_RV rv = gate_take(rt, session, kind, &turn);

    if (rv != CKR_OK)
        return rv;
    if (key_facts_is_private_key(&turn.operation.facts) || turn.operation.state != OPERATION_FORWARDED)
        rv = CKR_FUNCTION_NOT_SUPPORTED;
    gate_leave(&turn, false);
    return rv;
}

CK_RV refuse_C_DecryptDigestUpdate(CK_SESSION_HANDLE session, CK_BYTE_PTR encrypted_part,
                                   CK_ULONG encrypted_part_len, CK_BYTE_PTR part, CK_ULONG_PTR part_len)
{
    struct runtime *rt = runtime_get();
    CK_RV rv = rt ? refuse_half(rt, session, OPERATION_DECRYPT) : CKR_CRYPTOKI_NOT_INITIALIZED;

    if (rv != CKR_OK)
        return rv;
    return rt->backend.functions->C_DecryptDigestUpdate(session, encrypted_part, encrypted_part_len, part, part_len);
}

CK_RV refuse_C_SignEncryptUpdate(CK_SESSION_HANDLE session, CK_BYTE_PTR part, CK_ULONG part_len,
                                 CK_BYTE_PTR encrypted_part, CK_ULONG_PTR encrypted_part_len)
{
    struct runtime *rt = runtime_get();
    CK_RV rv = rt ? refuse_half(rt, session, OPERATION_SIGN) : CKR_CRYPTOKI_NOT_INITIALIZED;

    if (rv != CKR_OK)
        return rv;
    return rt->backend.functions->C_SignEncryptUpdate(session, part, part_len, encrypted_part, encrypted_part_len);
}

CK_RV refuse_C_DecryptVerifyUpdate(CK_SESSION_HANDLE session, CK_BYTE_PTR encrypted_part,
                                   CK_ULONG encrypted_part_len, CK_BYTE_PTR part, CK_ULONG_PTR part_len)
{
    struct runtime *rt = runtime_get();
    CK_RV rv = rt ? refuse_half(rt, session, OPERATION_DECRYPT) : CKR_CRYPTOKI_NOT_INITIALIZED;

    if (rv != CKR_OK)
        return rv;
    return rt->backend.functions->C_DecryptVerifyUpdate(session, encrypted_part, encrypted_part_len, part, part_len);
}
