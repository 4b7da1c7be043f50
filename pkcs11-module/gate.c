#include "pkcs11-module/gate.h"

#include <string.h>

#include "common/log.h"
#include "pkcs11-module/consent.h"

CK_RV gate_session(struct runtime *rt, CK_SESSION_HANDLE handle, struct session **session)
{
    CK_FUNCTION_LIST *backend = rt->backend.functions;
    CK_SESSION_INFO info;
    CK_RV rv;

    *session = session_get(&rt->sessions, handle);
    if (*session)
        return CKR_OK;
    rv = backend->C_GetSessionInfo(handle, &info);
    if (rv == CKR_OK)
        rv = session_add(&rt->sessions, backend, handle, info.slotID, info.flags);
    if (rv != CKR_OK)
        return rv;
    *session = session_get(&rt->sessions, handle);
    return *session ? CKR_OK : CKR_SESSION_HANDLE_INVALID;
}

/* ------------------------------------------------------------------ beginning */

static enum policy_use use_of(enum operation_kind kind)
{
    return kind == OPERATION_SIGN ? POLICY_USE_SIGN : POLICY_USE_DECRYPT;
}

static enum operation_state state_of(struct session *session, enum operation_kind kind)
{
    enum operation_state state;

    pthread_mutex_lock(&session->lock);
    state = session->operations[kind].state;
    pthread_mutex_unlock(&session->lock);
    return state;
}

/* Records an operation that the backend has begun. false when the session was closed, or another thread began an
 * operation, meanwhile. */
static bool record(struct session *session, enum operation_kind kind, enum operation_state state,
                   CK_SESSION_HANDLE on, CK_OBJECT_HANDLE key, const struct key_facts *facts)
{
    struct operation *op = &session->operations[kind];
    bool free;

    pthread_mutex_lock(&session->lock);
    free = !session->closed && op->state <= OPERATION_FORWARDED;
    if (free) {
        op->state = state;
        op->on = on;
        op->key = key;
        op->serial = ++session->next_serial;
        op->facts = *facts;
    }
    pthread_mutex_unlock(&session->lock);
    return free;
}

static CK_RV begin_forwarded(struct session *session, enum operation_kind kind, gate_init_function *init,
                             CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key, const struct key_facts *facts)
{
    CK_RV rv = init(session->handle, mechanism, key);

    if (rv == CKR_OK && !record(session, kind, OPERATION_FORWARDED, session->handle, key, facts))
        rv = CKR_OPERATION_ACTIVE;
    return rv;
}

/* On a session of its own, so that it can be ended at any moment and on any backend by closing that session. */
static CK_RV begin_protected(struct runtime *rt, struct session *session, enum operation_kind kind,
                             gate_init_function *init, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key,
                             const struct key_facts *facts)
{
    CK_FUNCTION_LIST *backend = rt->backend.functions;
    const CK_FLAGS flags = CKF_SERIAL_SESSION | (session->flags & CKF_RW_SESSION);
    CK_SESSION_HANDLE beside;
    CK_RV rv = backend->C_OpenSession(session->slot, flags, NULL, NULL, &beside);

    if (rv != CKR_OK)
        return rv;
    rv = init(beside, mechanism, key);
    if (rv == CKR_OK && !record(session, kind, OPERATION_WAITING, beside, key, facts))
        rv = CKR_OPERATION_ACTIVE;
    if (rv != CKR_OK)
        (void)backend->C_CloseSession(beside);
    return rv;
}

CK_RV gate_begin(struct runtime *rt, CK_SESSION_HANDLE handle, enum operation_kind kind, gate_init_function *init,
                 CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key)
{
    enum operation_state state;
    struct session *session;
    struct key_facts facts;
    CK_RV rv;

    if (!mechanism)
        return CKR_ARGUMENTS_BAD;
    rv = gate_session(rt, handle, &session);
    if (rv != CKR_OK)
        return rv;
    rv = session_key_facts(&rt->sessions, rt->backend.functions, session, key, &facts);
    state = state_of(session, kind);
    if (rv != CKR_OK)
        rv = rv == CKR_OBJECT_HANDLE_INVALID ? CKR_KEY_HANDLE_INVALID : rv;
    else if (state > OPERATION_FORWARDED)
        rv = CKR_OPERATION_ACTIVE;
    else if (policy_is_free(&rt->config, &facts))
        rv = begin_forwarded(session, kind, init, mechanism, key, &facts);
    else if (!key_facts_is_private_key(&facts))
        rv = CKR_KEY_TYPE_INCONSISTENT; /* a class that is not known to hold no private key */
    else if (state == OPERATION_FORWARDED)
        rv = CKR_OPERATION_ACTIVE;
    else
        rv = begin_protected(rt, session, kind, init, mechanism, key, &facts);
    session_put(&rt->sessions, session);
    return rv;
}

/* ------------------------------------------------------------------ data calls */

CK_RV gate_take(struct runtime *rt, CK_SESSION_HANDLE handle, enum operation_kind kind, struct gate_turn *turn)
{
    struct gate_turn taken = {.rt = rt, .kind = kind};
    CK_RV rv = gate_session(rt, handle, &taken.session);

    if (rv != CKR_OK)
        return rv;
    pthread_mutex_lock(&taken.session->lock);
    taken.operation = taken.session->operations[kind];
    pthread_mutex_unlock(&taken.session->lock);
    if (taken.operation.state == OPERATION_NONE)
        rv = CKR_OPERATION_NOT_INITIALIZED;
    else if (taken.operation.state == OPERATION_ASKING)
        rv = CKR_OPERATION_ACTIVE;
    if (rv != CKR_OK)
        session_put(&rt->sessions, taken.session);
    else
        *turn = taken;
    return rv;
}

/* Moves the operation of this turn from one state to another; false when it is no longer there or in another. */
static bool change_state(struct gate_turn *turn, enum operation_state from, enum operation_state to)
{
    struct operation *op = &turn->session->operations[turn->kind];
    bool changed;

    pthread_mutex_lock(&turn->session->lock);
    changed = !turn->session->closed && op->serial == turn->operation.serial && op->state == from;
    if (changed)
        op->state = turn->operation.state = to;
    pthread_mutex_unlock(&turn->session->lock);
    return changed;
}

static bool is_closed(struct session *session)
{
    bool closed;

    pthread_mutex_lock(&session->lock);
    closed = session->closed;
    pthread_mutex_unlock(&session->lock);
    return closed;
}

/* Why the operation is no longer there after a question. */
static CK_RV gone(const struct gate_turn *turn)
{
    if (!runtime_get())
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    return is_closed(turn->session) ? CKR_SESSION_CLOSED : CKR_USER_NOT_LOGGED_IN;
}

static CK_RV agree_asking(struct gate_turn *turn, const struct consent_request *request, const void *pin,
                          CK_ULONG pin_len, int cancel_fd)
{
    CK_RV rv = pin ? consent_check_pin(turn->rt, request, pin, pin_len)
                   : consent_obtain(turn->rt, request, cancel_fd);

    if (!change_state(turn, OPERATION_ASKING, rv == CKR_OK ? OPERATION_CONSENTED : OPERATION_WAITING))
        return gone(turn);
    return rv;
}

static CK_RV agree(struct gate_turn *turn, const void *data, CK_ULONG data_len, bool whole, const void *pin,
                   CK_ULONG pin_len)
{
    const struct consent_request request = {.use = use_of(turn->kind),
                                            .session = turn->session->handle,
                                            .slot = turn->session->slot,
                                            .on = turn->operation.on,
                                            .facts = &turn->operation.facts,
                                            .data = data,
                                            .data_len = data_len,
                                            .whole = whole};
    struct ask ask;
    CK_RV rv;

    if (!change_state(turn, OPERATION_WAITING, OPERATION_ASKING))
        return CKR_OPERATION_ACTIVE;
    rv = ask_begin(&turn->rt->asks, turn->session->handle, turn->session->slot, &ask);
    if (rv != CKR_OK) {
        (void)change_state(turn, OPERATION_ASKING, OPERATION_WAITING);
        return rv;
    }
    /* What was closed or logged out before there was a question to withdraw is not asked for. */
    if (change_state(turn, OPERATION_ASKING, OPERATION_ASKING))
        rv = agree_asking(turn, &request, pin, pin_len, ask.cancel_fd);
    else
        rv = gone(turn);
    ask_end(&turn->rt->asks, &ask);
    return rv;
}

/* Remembers what the user agreed to, so that a later call of the same operation (after CKR_BUFFER_TOO_SMALL) cannot
 * bring other data. */
static void bind_consent(struct gate_turn *turn, const void *data, CK_ULONG data_len)
{
    struct operation *op = &turn->session->operations[turn->kind];

    pthread_mutex_lock(&turn->session->lock);
    if (op->serial == turn->operation.serial) {
        op->bound = true;
        crypto_generichash(op->digest, sizeof op->digest, data, data_len, NULL, 0);
    }
    pthread_mutex_unlock(&turn->session->lock);
}

static bool is_what_was_agreed(const struct gate_turn *turn, const void *data, CK_ULONG data_len, bool whole)
{
    unsigned char digest[crypto_generichash_BYTES];

    if (!turn->operation.bound)
        return true;
    if (!whole)
        return false;
    crypto_generichash(digest, sizeof digest, data, data_len, NULL, 0);
    return sodium_memcmp(digest, turn->operation.digest, sizeof digest) == 0;
}

CK_RV gate_agree(struct gate_turn *turn, const void *data, CK_ULONG data_len, bool whole)
{
    CK_RV rv;

    if (gate_must_ask(turn)) {
        rv = agree(turn, data, data_len, whole, NULL, 0);
        if (rv == CKR_OK && whole)
            bind_consent(turn, data, data_len);
        return rv;
    }
    if (is_what_was_agreed(turn, data, data_len, whole))
        return CKR_OK;
    log_warning("key \"%s\": the program came back with other data than its user agreed to: refused",
                turn->operation.facts.label);
    return CKR_FUNCTION_REJECTED;
}

void gate_leave(struct gate_turn *turn, bool ended)
{
    CK_SESSION_HANDLE beside = CK_INVALID_HANDLE;

    if (ended) {
        struct operation *op = &turn->session->operations[turn->kind];

        pthread_mutex_lock(&turn->session->lock);
        if (op->serial == turn->operation.serial) {
            if (op->state > OPERATION_FORWARDED)
                beside = op->on;
            memset(op, 0, sizeof *op);
        }
        pthread_mutex_unlock(&turn->session->lock);
    }
    if (beside != CK_INVALID_HANDLE)
        (void)turn->rt->backend.functions->C_CloseSession(beside);
    session_put(&turn->rt->sessions, turn->session);
}

CK_RV gate_context_login(struct runtime *rt, CK_SESSION_HANDLE handle, const void *pin, CK_ULONG pin_len)
{
    CK_RV rv = CKR_OPERATION_NOT_INITIALIZED;

    for (int kind = 0; kind < OPERATION_KINDS; kind++) {
        struct gate_turn turn;
        CK_RV taken = gate_take(rt, handle, (enum operation_kind)kind, &turn);

        if (taken != CKR_OK && taken != CKR_OPERATION_NOT_INITIALIZED)
            return taken;
        if (taken != CKR_OK)
            continue;
        if (gate_must_ask(&turn)) {
            rv = agree(&turn, NULL, 0, false, pin, pin_len);
            gate_leave(&turn, false);
            break;
        }
        gate_leave(&turn, false);
    }
    return rv;
}

/* ------------------------------------------------------------------ single calls */

static CK_RV agree_once(struct runtime *rt, struct session *session, const struct key_facts *facts,
                        enum policy_use use)
{
    const struct consent_request request = {.use = use,
                                            .session = session->handle,
                                            .slot = session->slot,
                                            .on = CK_INVALID_HANDLE,
                                            .facts = facts,
                                            .whole = true};
    struct ask ask;
    CK_RV rv = ask_begin(&rt->asks, session->handle, session->slot, &ask);

    if (rv != CKR_OK)
        return rv;
    if (!is_closed(session))
        rv = consent_obtain(rt, &request, ask.cancel_fd);
    ask_end(&rt->asks, &ask);
    if (!runtime_get())
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    return is_closed(session) ? CKR_SESSION_CLOSED : rv;
}

CK_RV gate_agree_once(struct runtime *rt, CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE object, enum policy_use use)
{
    struct session *session;
    struct key_facts facts;
    CK_RV rv = gate_session(rt, handle, &session);

    if (rv != CKR_OK)
        return rv;
    rv = session_key_facts(&rt->sessions, rt->backend.functions, session, object, &facts);
    if (rv == CKR_OK && !policy_is_free(&rt->config, &facts))
        rv = agree_once(rt, session, &facts, use);
    session_put(&rt->sessions, session);
    return rv;
}

CK_RV gate_refuse_private_key(struct runtime *rt, CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE object, CK_RV refusal,
                              CK_RV invalid)
{
    struct session *session;
    struct key_facts facts;
    CK_RV rv = gate_session(rt, handle, &session);

    if (rv != CKR_OK)
        return rv;
    rv = session_key_facts(&rt->sessions, rt->backend.functions, session, object, &facts);
    session_put(&rt->sessions, session);
    if (rv == CKR_OBJECT_HANDLE_INVALID)
        return invalid;
    if (rv != CKR_OK)
        return rv;
    if (!key_facts_is_private_key(&facts) && policy_is_free(&rt->config, &facts))
        return CKR_OK;
    log_warning("a call that has no gate was refused for key \"%s\"", facts.label);
    return refusal;
}
