#include "pkcs11-module/cancel.h"

#include <string.h>

#include "pkcs11-module/gate.h"

/* The flag that names each kind of operation (3.0, 3.5, CK_MECHANISM_INFO). */
static const CK_FLAGS flags_of_kinds[OPERATION_KINDS] = {
    [OPERATION_SIGN] = CKF_SIGN,
    [OPERATION_SIGN_RECOVER] = CKF_SIGN_RECOVER,
    [OPERATION_DECRYPT] = CKF_DECRYPT,
    [OPERATION_MESSAGE_SIGN] = CKF_MESSAGE_SIGN,
    [OPERATION_MESSAGE_DECRYPT] = CKF_MESSAGE_DECRYPT,
};

/* Ends the protected operation of a kind; a thread that is busy with it ends it when it comes back. false when there
 * is none. */
static bool end_protected(struct runtime *rt, struct session *session, enum operation_kind kind)
{
    struct operation *op = &session->operations[kind];
    struct operation_rest rest = {.on = CK_INVALID_HANDLE};
    enum operation_state state;
    uint64_t serial;

    pthread_mutex_lock(&session->lock);
    state = op->state;
    serial = op->serial;
    if (state == OPERATION_ASKING || state == OPERATION_RUNNING) {
        op->doomed = op->cancelled = true;
    } else if (state != OPERATION_NONE) {
        rest = operation_end(op);
    }
    pthread_mutex_unlock(&session->lock);
    if (state == OPERATION_ASKING)
        asks_withdraw_operation(&rt->asks, session->handle, serial);
    if (rest.on != CK_INVALID_HANDLE)
        session_close_beside(&rt->sessions, rt->backend.functions, &rest);
    return state != OPERATION_NONE;
}

/* Must the backend be told? Not when no operation of this kind was ever begun on the application's session, nor, where
 * the backend could not do anything about it, when there is none now. */
static bool backend_may_have(struct runtime *rt, struct session *session, enum operation_kind kind)
{
    bool may;

    pthread_mutex_lock(&session->lock);
    may = rt->backend.functions_3 ? session->free[kind].begun : session->free[kind].active;
    pthread_mutex_unlock(&session->lock);
    return may;
}

static void note_free_ended(struct session *session, CK_FLAGS flags)
{
    pthread_mutex_lock(&session->lock);
    for (int kind = 0; kind < OPERATION_KINDS; kind++)
        if (flags & flags_of_kinds[kind])
            session->free[kind].active = false;
    pthread_mutex_unlock(&session->lock);
}

/* Ends what the gate has of these. The flags of what only the backend can have. */
static CK_FLAGS end_what_is_ours(struct runtime *rt, struct session *session, CK_FLAGS flags, bool *ended)
{
    *ended = false;
    for (int kind = 0; kind < OPERATION_KINDS; kind++) {
        if (!(flags & flags_of_kinds[kind]))
            continue;
        if (end_protected(rt, session, (enum operation_kind)kind)) {
            *ended = true;
            flags &= ~flags_of_kinds[kind];
        } else if (!backend_may_have(rt, session, (enum operation_kind)kind)) {
            flags &= ~flags_of_kinds[kind];
        }
    }
    return flags;
}

static CK_RV end_the_rest(struct runtime *rt, struct session *session, CK_FLAGS rest)
{
    CK_RV rv = rt->backend.functions_3->C_SessionCancel(session->handle, rest);

    if (rv == CKR_OK)
        note_free_ended(session, rest);
    return rv;
}

CK_RV cancel_operations(struct runtime *rt, CK_SESSION_HANDLE handle, CK_FLAGS flags)
{
    struct session *session;
    CK_FLAGS rest;
    bool ended;
    CK_RV rv = gate_session(rt, handle, &session);

    if (rv != CKR_OK)
        return rv;
    rest = end_what_is_ours(rt, session, flags, &ended);
    if (rest != 0 && rt->backend.functions_3)
        rv = end_the_rest(rt, session, rest);
    else if (rest != 0)
        rv = rest == flags ? CKR_FUNCTION_NOT_SUPPORTED : CKR_OPERATION_CANCEL_FAILED;
    session_put(&rt->sessions, session);
    return rv;
}

CK_RV cancel_by_init(struct runtime *rt, CK_SESSION_HANDLE handle, CK_FLAGS flag)
{
    struct session *session;
    CK_FLAGS rest;
    bool ended;
    CK_RV rv = gate_session(rt, handle, &session);

    if (rv != CKR_OK)
        return rv;
    rest = end_what_is_ours(rt, session, flag, &ended);
    if (rest != 0 && rt->backend.functions_3)
        rv = end_the_rest(rt, session, rest);
    else if (!ended)
        rv = CKR_ARGUMENTS_BAD;
    session_put(&rt->sessions, session);
    return rv;
}

CK_RV cancel_by_init_of_kind(struct runtime *rt, CK_SESSION_HANDLE handle, enum operation_kind kind)
{
    return cancel_by_init(rt, handle, flags_of_kinds[kind]);
}
