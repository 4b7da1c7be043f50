#include "pkcs11-module/entry.h"
#include "pkcs11-module/gate.h"
#include "pkcs11-module/operation.h"

/* PKCS#11 2.40, 5.13: dual-function operations. The half with a protected key runs on a session beside the application's
 * (gate.h), so the two halves are called one after the other, each where it runs; without a protected key the backend's
 * own function is called. */

/* Is the half of this kind protected? */
static CK_RV is_protected(struct runtime *rt, CK_SESSION_HANDLE session, enum operation_kind kind, bool *protected)
{
    struct gate_turn turn;
    CK_RV rv = gate_take(rt, session, kind, &turn);

    if (rv != CKR_OK)
        return rv;
    *protected = !gate_is_free(&turn);
    gate_leave(&turn, false);
    return CKR_OK;
}

CK_RV gate_C_DecryptDigestUpdate(CK_SESSION_HANDLE session, CK_BYTE_PTR encrypted_part, CK_ULONG encrypted_part_len,
                                 CK_BYTE_PTR part, CK_ULONG_PTR part_len)
{
    struct runtime *rt = runtime_get();
    bool protected = false;
    CK_RV rv = rt ? is_protected(rt, session, OPERATION_DECRYPT, &protected) : CKR_CRYPTOKI_NOT_INITIALIZED;

    if (rv != CKR_OK)
        return rv;
    if (!protected)
        return rt->backend.functions->C_DecryptDigestUpdate(session, encrypted_part, encrypted_part_len, part, part_len);
    rv = operation_decrypt_part(rt, session, encrypted_part, encrypted_part_len, part, part_len);
    if (rv == CKR_OK && part)
        rv = rt->backend.functions->C_DigestUpdate(session, part, *part_len);
    return rv;
}

CK_RV gate_C_DecryptVerifyUpdate(CK_SESSION_HANDLE session, CK_BYTE_PTR encrypted_part, CK_ULONG encrypted_part_len,
                                 CK_BYTE_PTR part, CK_ULONG_PTR part_len)
{
    struct runtime *rt = runtime_get();
    bool protected = false;
    CK_RV rv = rt ? is_protected(rt, session, OPERATION_DECRYPT, &protected) : CKR_CRYPTOKI_NOT_INITIALIZED;

    if (rv != CKR_OK)
        return rv;
    if (!protected)
        return rt->backend.functions->C_DecryptVerifyUpdate(session, encrypted_part, encrypted_part_len, part, part_len);
    rv = operation_decrypt_part(rt, session, encrypted_part, encrypted_part_len, part, part_len);
    if (rv == CKR_OK && part)
        rv = rt->backend.functions->C_VerifyUpdate(session, part, *part_len);
    return rv;
}

/* Encrypted first: a buffer that is too small must not leave the part signed already. */
CK_RV gate_C_SignEncryptUpdate(CK_SESSION_HANDLE session, CK_BYTE_PTR part, CK_ULONG part_len,
                               CK_BYTE_PTR encrypted_part, CK_ULONG_PTR encrypted_part_len)
{
    struct runtime *rt = runtime_get();
    bool protected = false;
    CK_RV rv = rt ? is_protected(rt, session, OPERATION_SIGN, &protected) : CKR_CRYPTOKI_NOT_INITIALIZED;

    if (rv != CKR_OK)
        return rv;
    if (!protected)
        return rt->backend.functions->C_SignEncryptUpdate(session, part, part_len, encrypted_part, encrypted_part_len);
    if (!encrypted_part_len || (!part && part_len > 0))
        return CKR_ARGUMENTS_BAD;
    rv = rt->backend.functions->C_EncryptUpdate(session, part, part_len, encrypted_part, encrypted_part_len);
    if (rv == CKR_OK && encrypted_part)
        rv = operation_sign_part(rt, session, part, part_len);
    return rv;
}
