#include "pkcs11-module/gate.h"
#include "pkcs11-module/operation.h"

/* Parts of a multi-part operation; the one-part calls and the ends are in operation.c. */

CK_RV operation_sign_part(struct runtime *rt, CK_SESSION_HANDLE handle, CK_BYTE_PTR part, CK_ULONG part_len)
{
    struct gate_turn turn;
    CK_RV rv = gate_take(rt, handle, OPERATION_SIGN, &turn);

    if (rv != CKR_OK)
        return rv;
    if (!gate_is_free(&turn)) {
        rv = !part && part_len > 0 ? CKR_ARGUMENTS_BAD : gate_agree(&turn, part, part_len, false);
        if (rv == CKR_OK)
            rv = gate_enter(&turn);
    }
    if (rv == CKR_OK)
        rv = rt->backend.functions->C_SignUpdate(turn.on, part, part_len);
    gate_leave(&turn, rv != CKR_OK);
    return rv;
}

/* A protected decryption, but for the call itself. true: *rv is the answer; false: the call is to be made. */
static bool decrypt_part_answered(struct gate_turn *turn, CK_BYTE_PTR encrypted_part, CK_ULONG encrypted_part_len,
                                  CK_BYTE_PTR part, CK_ULONG_PTR part_len, CK_RV *rv)
{
    if (!part_len || (!encrypted_part && encrypted_part_len > 0)) {
        *rv = CKR_ARGUMENTS_BAD;
    } else if (gate_must_ask(turn) && !part && turn->operation.facts.output_len > 0) {
        *part_len = turn->operation.facts.output_len;
        *rv = CKR_OK;
        return true;
    } else {
        *rv = CKR_OK;
        if (part || !gate_must_ask(turn) || turn->operation.facts.always_authenticate)
            *rv = gate_agree(turn, encrypted_part, encrypted_part_len, false);
        if (*rv == CKR_OK)
            *rv = gate_enter(turn);
    }
    return *rv != CKR_OK;
}

CK_RV operation_decrypt_part(struct runtime *rt, CK_SESSION_HANDLE handle, CK_BYTE_PTR encrypted_part,
                             CK_ULONG encrypted_part_len, CK_BYTE_PTR part, CK_ULONG_PTR part_len)
{
    struct gate_turn turn;
    CK_RV rv = gate_take(rt, handle, OPERATION_DECRYPT, &turn);

    if (rv != CKR_OK)
        return rv;
    if (gate_is_free(&turn) ||
        !decrypt_part_answered(&turn, encrypted_part, encrypted_part_len, part, part_len, &rv))
        rv = rt->backend.functions->C_DecryptUpdate(turn.on, encrypted_part, encrypted_part_len, part, part_len);
    gate_leave(&turn, rv != CKR_OK && rv != CKR_BUFFER_TOO_SMALL);
    return rv;
}
