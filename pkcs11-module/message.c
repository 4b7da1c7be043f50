#include "pkcs11-module/message.h"

#include <stdlib.h>
#include <string.h>

#include "common/secret.h"
#include "pkcs11-module/gate.h"
#include "pkcs11-module/operation.h"

/* ------------------------------------------------------------------ the backend's functions */

static CK_RV call_whole(const struct gate_turn *turn, const struct message_call *c)
{
    CK_FUNCTION_LIST_3_0 *backend = turn->rt->backend.functions_3;

    if (c->kind == OPERATION_MESSAGE_SIGN)
        return backend->C_SignMessage(turn->on, c->parameter, c->parameter_len, c->in, c->in_len, c->out, c->out_len);
    return backend->C_DecryptMessage(turn->on, c->parameter, c->parameter_len, c->associated, c->associated_len, c->in,
                                     c->in_len, c->out, c->out_len);
}

static CK_RV call_begin(const struct gate_turn *turn, const struct message_call *c)
{
    CK_FUNCTION_LIST_3_0 *backend = turn->rt->backend.functions_3;

    if (c->kind == OPERATION_MESSAGE_SIGN)
        return backend->C_SignMessageBegin(turn->on, c->parameter, c->parameter_len);
    return backend->C_DecryptMessageBegin(turn->on, c->parameter, c->parameter_len, c->associated, c->associated_len);
}

static CK_RV call_next(const struct gate_turn *turn, const struct message_call *c)
{
    CK_FUNCTION_LIST_3_0 *backend = turn->rt->backend.functions_3;

    if (c->kind == OPERATION_MESSAGE_SIGN)
        return backend->C_SignMessageNext(turn->on, c->parameter, c->parameter_len, c->in, c->in_len, c->out,
                                          c->out_len);
    return backend->C_DecryptMessageNext(turn->on, c->parameter, c->parameter_len, c->in, c->in_len, c->out, c->out_len,
                                         c->flags);
}

/* ------------------------------------------------------------------ messages */

/* Gives the turn back. over: so is the message, and with it its consent; the process goes on. */
static void leave(struct gate_turn *turn, bool over)
{
    if (over && turn->operation.state == OPERATION_CONSENTED)
        (void)gate_enter(turn); /* a call that was refused here: what was agreed to is used up all the same */
    if (over)
        turn->before = OPERATION_WAITING;
    gate_leave(turn, false);
}

/* The result was asked for and is not out yet (3.0, 5.2): the message goes on. */
static bool asks_again(CK_RV rv, const struct message_call *call)
{
    return rv == CKR_BUFFER_TOO_SMALL || (rv == CKR_OK && !call->out);
}

/* ------------------------------------------------------------------ copies */

static bool promises_bytes(const void *bytes, CK_ULONG len)
{
    return !bytes && len > 0;
}

static bool lacks_bytes(const struct message_call *call)
{
    return promises_bytes(call->parameter, call->parameter_len) ||
           promises_bytes(call->associated, call->associated_len) || promises_bytes(call->in, call->in_len);
}

/* NULL stays NULL. false: no memory. */
static bool copy_bytes(const void *bytes, CK_ULONG len, void **copy)
{
    *copy = bytes ? malloc(len ? len : 1) : NULL;
    if (*copy && len)
        memcpy(*copy, bytes, len);
    return *copy || !bytes;
}

static void free_bytes(void *bytes, CK_ULONG len)
{
    if (bytes)
        secret_wipe(bytes, len);
    free(bytes);
}

static void copies_clear(struct message_call *copies)
{
    free_bytes(copies->parameter, copies->parameter_len);
    free_bytes(copies->associated, copies->associated_len);
    free_bytes(copies->in, copies->in_len);
}

/* What the user is asked about, in copies that no thread of the host can change while the window is read. What a
 * parameter points to stays the host's. CKR_HOST_MEMORY; else copies_clear must follow. */
static CK_RV copies_init(const struct message_call *call, struct message_call *copies)
{
    void *parameter = NULL, *associated = NULL, *in = NULL;
    const bool copied = copy_bytes(call->parameter, call->parameter_len, &parameter) &&
                        copy_bytes(call->associated, call->associated_len, &associated) &&
                        copy_bytes(call->in, call->in_len, &in);

    *copies = *call;
    copies->parameter = parameter;
    copies->associated = associated;
    copies->in = in;
    if (!copied)
        copies_clear(copies);
    return copied ? CKR_OK : CKR_HOST_MEMORY;
}

/* A token may have put a nonce or a tag into the parameter (3.0, 5.9.2). */
static void give_parameter_back(const struct message_call *call, const struct message_call *copies)
{
    if (call->parameter_len > 0)
        memcpy(call->parameter, copies->parameter, call->parameter_len);
}

/* Consent over all of the message, then the call with just that. */
static CK_RV agree_and_call(struct gate_turn *turn, const struct message_call *call)
{
    struct message_call copies;
    CK_RV rv = copies_init(call, &copies);

    if (rv != CKR_OK)
        return rv;
    if (!operation_must_query_backend(turn, call->out))
        rv = gate_agree(turn, copies.in, copies.in_len, true);
    if (rv == CKR_OK)
        rv = gate_enter(turn);
    if (rv == CKR_OK) {
        rv = call_whole(turn, &copies);
        give_parameter_back(call, &copies);
    }
    copies_clear(&copies);
    return rv;
}

/* The same for the beginning of a message: which data it will be nobody knows yet. */
static CK_RV agree_and_begin(struct gate_turn *turn, const struct message_call *call)
{
    struct message_call copies;
    CK_RV rv = lacks_bytes(call) ? CKR_ARGUMENTS_BAD : copies_init(call, &copies);

    if (rv != CKR_OK)
        return rv;
    rv = gate_agree(turn, NULL, 0, false);
    if (rv == CKR_OK)
        rv = gate_enter(turn);
    if (rv == CKR_OK) {
        rv = call_begin(turn, &copies);
        give_parameter_back(call, &copies);
    }
    copies_clear(&copies);
    return rv;
}

/* ------------------------------------------------------------------ messages, whole and in parts */

CK_RV message_whole(struct runtime *rt, CK_SESSION_HANDLE handle, const struct message_call *call)
{
    struct gate_turn turn;
    bool over = false;
    CK_RV rv = gate_take(rt, handle, call->kind, &turn);

    if (rv != CKR_OK)
        return rv;
    if (gate_is_free(&turn)) {
        rv = call_whole(&turn, call);
    } else if (turn.operation.begun) {
        rv = CKR_OPERATION_ACTIVE;
    } else {
        if (!call->out_len || lacks_bytes(call))
            rv = CKR_ARGUMENTS_BAD;
        else if (!operation_answered_without_consent(&turn, call->out, call->out_len, &rv))
            rv = agree_and_call(&turn, call);
        over = !asks_again(rv, call);
    }
    leave(&turn, over);
    return rv;
}

/* Nothing of the message reaches the backend before the user has agreed. */
CK_RV message_begin(struct runtime *rt, CK_SESSION_HANDLE handle, const struct message_call *call)
{
    struct gate_turn turn;
    bool over = false;
    CK_RV rv = gate_take(rt, handle, call->kind, &turn);

    if (rv != CKR_OK)
        return rv;
    if (gate_is_free(&turn)) {
        rv = call_begin(&turn, call);
    } else if (turn.operation.begun) {
        rv = CKR_OPERATION_ACTIVE;
    } else {
        rv = agree_and_begin(&turn, call);
        over = rv != CKR_OK;
        turn.operation.begun = !over;
    }
    leave(&turn, over);
    return rv;
}

/* After this part (5.11.4, 5.14.4): a signature's last part is the one that asks for the signature, a ciphertext's the
 * one that says so. */
static bool is_over_after_part(CK_RV rv, const struct message_call *call)
{
    if (call->kind == OPERATION_MESSAGE_SIGN)
        return call->out_len ? !asks_again(rv, call) : rv != CKR_OK;
    if (call->flags & CKF_END_OF_MESSAGE)
        return !asks_again(rv, call);
    return rv != CKR_OK && rv != CKR_BUFFER_TOO_SMALL;
}

CK_RV message_next(struct runtime *rt, CK_SESSION_HANDLE handle, const struct message_call *call)
{
    struct gate_turn turn;
    bool over = false;
    CK_RV rv = gate_take(rt, handle, call->kind, &turn);

    if (rv != CKR_OK)
        return rv;
    if (gate_is_free(&turn)) {
        rv = call_next(&turn, call);
    } else if (!turn.operation.begun) {
        rv = CKR_OPERATION_NOT_INITIALIZED;
    } else {
        if (lacks_bytes(call) || (call->kind == OPERATION_MESSAGE_DECRYPT && !call->out_len))
            rv = CKR_ARGUMENTS_BAD;
        else
            rv = gate_enter(&turn);
        if (rv == CKR_OK)
            rv = call_next(&turn, call);
        over = is_over_after_part(rv, call);
    }
    leave(&turn, over);
    return rv;
}

CK_RV message_final(struct runtime *rt, CK_SESSION_HANDLE handle, enum operation_kind kind)
{
    CK_FUNCTION_LIST_3_0 *backend = rt->backend.functions_3;
    struct gate_turn turn;
    CK_RV rv = gate_take(rt, handle, kind, &turn);

    if (rv != CKR_OK)
        return rv;
    rv = gate_enter(&turn);
    if (rv == CKR_OK)
        rv = kind == OPERATION_MESSAGE_SIGN ? backend->C_MessageSignFinal(turn.on)
                                            : backend->C_MessageDecryptFinal(turn.on);
    gate_leave(&turn, rv != CKR_OPERATION_ACTIVE);
    return rv;
}
