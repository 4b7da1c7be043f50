#include "pkcs11-module/operation.h"

#include <stdlib.h>
#include <string.h>

#include "common/secret.h"
#include "pkcs11-module/gate.h"

/* PKCS#11 2.40, 5.2: the result is given out, and with it the operation ends, unless the caller asked only for the
 * length or gave too small a buffer. */
static bool is_over(CK_RV rv, CK_BYTE_PTR out)
{
    return rv != CKR_BUFFER_TOO_SMALL && !(rv == CKR_OK && !out);
}

/* Can the length be told without the backend? It must be where the backend itself waits for the PIN: it would end
 * the operation at any call before that. */
static bool length_known(const struct gate_turn *turn)
{
    return turn->operation.facts.output_len > 0;
}

/* A signature's length is exact; a decryption's is a limit. */
static bool length_is_exact(const struct gate_turn *turn)
{
    return length_known(turn) && turn->kind != OPERATION_DECRYPT && turn->kind != OPERATION_MESSAGE_DECRYPT;
}

/* So a buffer that is too small for it can be refused before anybody is asked. */
static bool surely_too_small(const struct gate_turn *turn, CK_ULONG room)
{
    return length_is_exact(turn) && room < turn->operation.facts.output_len;
}

bool operation_answered_without_consent(const struct gate_turn *turn, CK_BYTE_PTR out, CK_ULONG_PTR out_len, CK_RV *rv)
{
    if (!length_is_exact(turn) && !(gate_must_ask(turn) && length_known(turn)))
        return false;
    if (out && !surely_too_small(turn, *out_len))
        return false;
    *rv = out ? CKR_BUFFER_TOO_SMALL : CKR_OK;
    *out_len = turn->operation.facts.output_len;
    return true;
}

bool operation_must_query_backend(const struct gate_turn *turn, CK_BYTE_PTR out)
{
    return gate_must_ask(turn) && !out && !turn->operation.facts.always_authenticate;
}

/* Consent over all of the data, then the call with just that data: a copy, which no thread of the host can change
 * while the user reads what the window says of it. */
static CK_RV agree_and_call(struct gate_turn *turn, operation_whole_function *function, const CK_BYTE *in,
                            CK_ULONG in_len, CK_BYTE_PTR out, CK_ULONG_PTR out_len)
{
    CK_BYTE_PTR copy = in ? malloc(in_len ? in_len : 1) : NULL;
    CK_RV rv = CKR_OK;

    if (in && !copy)
        return CKR_HOST_MEMORY;
    if (copy)
        memcpy(copy, in, in_len);
    if (!operation_must_query_backend(turn, out))
        rv = gate_agree(turn, copy, in_len, true);
    if (rv == CKR_OK)
        rv = gate_enter(turn);
    if (rv == CKR_OK)
        rv = function(turn->on, copy, in_len, out, out_len);
    if (copy)
        secret_wipe(copy, in_len);
    free(copy);
    return rv;
}

CK_RV operation_whole(struct runtime *rt, CK_SESSION_HANDLE handle, enum operation_kind kind,
                      operation_whole_function *function, CK_BYTE_PTR in, CK_ULONG in_len, CK_BYTE_PTR out,
                      CK_ULONG_PTR out_len)
{
    struct gate_turn turn;
    CK_RV rv = gate_take(rt, handle, kind, &turn);

    if (rv != CKR_OK)
        return rv;
    if (gate_is_free(&turn))
        rv = function(handle, in, in_len, out, out_len);
    else if (!out_len || (!in && in_len > 0))
        rv = CKR_ARGUMENTS_BAD;
    else if (!operation_answered_without_consent(&turn, out, out_len, &rv))
        rv = agree_and_call(&turn, function, in, in_len, out, out_len);
    gate_leave(&turn, is_over(rv, out));
    return rv;
}

CK_RV operation_final(struct runtime *rt, CK_SESSION_HANDLE handle, enum operation_kind kind,
                      operation_final_function *function, CK_BYTE_PTR out, CK_ULONG_PTR out_len)
{
    struct gate_turn turn;
    CK_RV rv = gate_take(rt, handle, kind, &turn);

    if (rv != CKR_OK)
        return rv;
    if (gate_is_free(&turn)) {
        rv = function(handle, out, out_len);
    } else if (!out_len) {
        rv = CKR_ARGUMENTS_BAD;
    } else if (!operation_answered_without_consent(&turn, out, out_len, &rv)) {
        if (!operation_must_query_backend(&turn, out))
            rv = gate_agree(&turn, NULL, 0, false);
        if (rv == CKR_OK)
            rv = gate_enter(&turn);
        if (rv == CKR_OK)
            rv = function(turn.on, out, out_len);
    }
    gate_leave(&turn, is_over(rv, out));
    return rv;
}
