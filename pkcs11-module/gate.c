#include "pkcs11-module/gate.h"

#include <string.h>

#include "common/log.h"
#include "pkcs11-module/answer.h"
#include "pkcs11-module/cancel.h"
#include "pkcs11-module/consent.h"
#include "pkcs11-module/decision.h"
#include "pkcs11-module/gate_once.h"
#include "pkcs11-module/mechanism_keys.h"

/* ------------------------------------------------------------------ beginning */

static enum policy_use use_of(enum operation_kind kind)
{
    return kind == OPERATION_DECRYPT || kind == OPERATION_MESSAGE_DECRYPT ? POLICY_USE_DECRYPT : POLICY_USE_SIGN;
}

/* Is an operation of this kind in progress, protected or (free) not? */
static bool is_active(struct session *session, enum operation_kind kind, bool *free)
{
    bool active;

    pthread_mutex_lock(&session->lock);
    active = session->operations[kind].state != OPERATION_NONE;
    *free = session->free[kind].active;
    pthread_mutex_unlock(&session->lock);
    return active;
}

static CK_RV begin_free(struct session *session, enum operation_kind kind, gate_init_function *init,
                        CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key)
{
    CK_RV rv = init(session->handle, mechanism, key);

    if (rv == CKR_OK) {
        pthread_mutex_lock(&session->lock);
        session->free[kind].begun = session->free[kind].active = true;
        pthread_mutex_unlock(&session->lock);
    }
    return rv;
}

/* Records an operation that the backend has begun. false when the session was closed, or another thread began an
 * operation, meanwhile. */
static bool record(struct session *session, enum operation_kind kind, const struct operation *begun)
{
    struct operation *op = &session->operations[kind];
    bool recorded;

    pthread_mutex_lock(&session->lock);
    recorded = !session->closed && op->state == OPERATION_NONE;
    if (recorded) {
        *op = *begun;
        op->serial = ++session->next_serial;
    }
    pthread_mutex_unlock(&session->lock);
    return recorded;
}

static CK_RV open_beside(struct runtime *rt, const struct session *session, CK_SESSION_HANDLE *beside)
{
    CK_FUNCTION_LIST *backend = rt->backend.functions;
    const CK_FLAGS flags = CKF_SERIAL_SESSION | (session->flags & CKF_RW_SESSION);
    CK_SESSION_HANDLE opened;
    CK_RV rv = session_backend_open(&rt->sessions, backend, session->slot, flags, NULL, NULL, &opened);

    if (rv != CKR_OK)
        return rv == CKR_SESSION_COUNT ? rv : answer_inner(rv);
    rv = session_add(&rt->sessions, opened, session->slot, flags, true);
    if (rv != CKR_OK)
        (void)session_backend_close(&rt->sessions, backend, opened);
    else
        *beside = opened;
    return rv;
}

/* On a session of its own, so that it can be ended at any moment and on any backend by closing that session; with a
 * mechanism of its own, so that what the window says is what the backend does, whatever the host's threads write. */
static CK_RV begin_protected(struct runtime *rt, struct session *session, enum operation_kind kind,
                             gate_init_function *init, const CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key,
                             const struct key_facts *facts)
{
    struct operation begun = {.state = OPERATION_WAITING, .key = key, .facts = *facts};
    struct operation_rest rest;
    CK_RV rv = mechanism_new(mechanism, &begun.with);

    if (rv == CKR_OK)
        rv = open_beside(rt, session, &begun.on);
    if (rv != CKR_OK) {
        mechanism_free(begun.with);
        return rv;
    }
    rv = init(begun.on, &begun.with->copy, key);
    if (rv == CKR_OK && !record(session, kind, &begun))
        rv = CKR_OPERATION_ACTIVE;
    if (rv != CKR_OK) {
        rest = operation_end(&begun);
        session_close_beside(&rt->sessions, rt->backend.functions, &rest);
    }
    return rv;
}

CK_RV gate_begin(struct runtime *rt, CK_SESSION_HANDLE handle, enum operation_kind kind, gate_init_function *init,
                 CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key)
{
    struct session *session;
    struct key_facts facts;
    bool free_active;
    CK_RV rv;

    if (!mechanism)
        return cancel_by_init_of_kind(rt, handle, kind);
    rv = gate_session(rt, handle, &session);
    if (rv != CKR_OK)
        return rv;
    rv = mechanism_names_private_key(rt, handle, mechanism);
    if (rv == CKR_OK)
        rv = session_key_facts(&rt->sessions, rt->backend.functions, session, key, &facts);
    if (rv != CKR_OK)
        rv = rv == CKR_OBJECT_HANDLE_INVALID ? CKR_KEY_HANDLE_INVALID : rv;
    else if (is_active(session, kind, &free_active))
        rv = CKR_OPERATION_ACTIVE; // NOLINT(bugprone-branch-clone): what is asked between must not come first
    else if (policy_is_free(&facts))
        rv = begin_free(session, kind, init, mechanism, key);
    else if (!key_facts_is_private_key(&facts))
        rv = CKR_KEY_TYPE_INCONSISTENT; /* a class that is not known to hold no private key */
    else if (free_active)
        rv = CKR_OPERATION_ACTIVE;
    else
        rv = begin_protected(rt, session, kind, init, mechanism, key, &facts);
    session_put(&rt->sessions, session);
    return rv;
}

/* ------------------------------------------------------------------ data calls */

CK_RV gate_take(struct runtime *rt, CK_SESSION_HANDLE handle, enum operation_kind kind, struct gate_turn *turn)
{
    struct gate_turn taken = {.rt = rt, .kind = kind, .on = handle};
    bool free_begun;
    CK_RV rv = gate_session(rt, handle, &taken.session);

    if (rv != CKR_OK)
        return rv;
    pthread_mutex_lock(&taken.session->lock);
    taken.operation = taken.session->operations[kind];
    free_begun = taken.session->free[kind].begun;
    pthread_mutex_unlock(&taken.session->lock);
    switch (taken.operation.state) {
    case OPERATION_NONE:
        rv = free_begun      ? CKR_OK
             : runtime_get() ? CKR_OPERATION_NOT_INITIALIZED
                             : CKR_CRYPTOKI_NOT_INITIALIZED; /* C_Finalize has ended it */
        break;
    case OPERATION_ASKING:
    case OPERATION_RUNNING:
        rv = CKR_OPERATION_ACTIVE;
        break;
    case OPERATION_WAITING:
    case OPERATION_CONSENTED:
        taken.on = taken.operation.on;
        break;
    }
    if (rv == CKR_OK)
        *turn = taken;
    else
        session_put(&rt->sessions, taken.session);
    return rv;
}

/* Moves the operation of this turn from one state to another. false when another thread has it, or when it is over or
 * doomed. */
static bool change_state(struct gate_turn *turn, enum operation_state from, enum operation_state to)
{
    struct operation *op = &turn->session->operations[turn->kind];
    bool changed;

    pthread_mutex_lock(&turn->session->lock);
    changed = !turn->session->closed && !op->doomed && op->serial == turn->operation.serial && op->state == from &&
              op->begun == turn->operation.begun;
    if (changed)
        op->state = turn->operation.state = to;
    pthread_mutex_unlock(&turn->session->lock);
    return changed;
}

/* Why the operation could not be moved on. */
static CK_RV why_not(const struct gate_turn *turn)
{
    const struct operation *op = &turn->session->operations[turn->kind];
    bool closed, busy, cancelled;

    if (!runtime_get())
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    pthread_mutex_lock(&turn->session->lock);
    closed = turn->session->closed;
    busy = op->serial == turn->operation.serial && !op->doomed;
    cancelled = op->serial == turn->operation.serial && op->cancelled;
    pthread_mutex_unlock(&turn->session->lock);
    if (closed)
        return CKR_SESSION_CLOSED;
    if (cancelled)
        return CKR_FUNCTION_CANCELED;
    return busy ? CKR_OPERATION_ACTIVE : CKR_USER_NOT_LOGGED_IN;
}

/* What the consent is asked for with. */
struct agreement {
    const void *data;
    CK_ULONG data_len;
    bool whole;
    bool pin_given; /* the application brings it (NULL: it was typed at the token's own PIN pad) */
    const void *pin;
    CK_ULONG pin_len;
};

/* While the turn owns the operation, in state ASKING. */
static CK_RV agree_asking(struct gate_turn *turn, const struct agreement *how, int cancel_fd)
{
    const struct consent_request request = {.use = use_of(turn->kind),
                                            .session = turn->session->handle,
                                            .slot = turn->session->slot,
                                            .on = turn->operation.on,
                                            .mechanism = turn->operation.with->copy.mechanism,
                                            .facts = &turn->operation.facts,
                                            .data = how->data,
                                            .data_len = how->data_len,
                                            .whole = how->whole};

    /* What was closed or logged out before there was a question to withdraw is not asked for. */
    if (!change_state(turn, OPERATION_ASKING, OPERATION_ASKING))
        return why_not(turn);
    return how->pin_given ? consent_take_pin(turn->rt, &request, how->pin, how->pin_len)
                          : consent_obtain(turn->rt, &request, cancel_fd);
}

/* Remembers what the user agreed to, so that no later call of the same operation (after CKR_BUFFER_TOO_SMALL), and no
 * other thread, can bring other data. While the operation is ASKING, and nobody else looks at it. */
static void bind_consent(struct gate_turn *turn, const struct agreement *how)
{
    struct operation *op = &turn->session->operations[turn->kind];

    pthread_mutex_lock(&turn->session->lock);
    if (op->serial == turn->operation.serial) {
        op->bound = true;
        crypto_generichash(op->digest, sizeof op->digest, how->data, how->data_len, NULL, 0);
    }
    pthread_mutex_unlock(&turn->session->lock);
}

/* Gives the operation back after a question: consented, waiting still, or (doomed meanwhile) ended by gate_leave. */
static CK_RV after_asking(struct gate_turn *turn, const struct agreement *how, CK_RV rv)
{
    if (rv == CKR_OK && how->whole)
        bind_consent(turn, how);
    if (change_state(turn, OPERATION_ASKING, rv == CKR_OK ? OPERATION_CONSENTED : OPERATION_WAITING))
        return rv;
    return why_not(turn);
}

/* From here to gate_leave the module is not finalized under the turn. false: it is being finalized. */
static bool hold(struct gate_turn *turn)
{
    if (!turn->held)
        turn->held = asks_enter(&turn->rt->asks, &turn->cancel_state);
    return turn->held;
}

static CK_RV agree(struct gate_turn *turn, const struct agreement *how)
{
    struct ask ask;
    CK_RV rv;

    if (!hold(turn))
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    if (!change_state(turn, OPERATION_WAITING, OPERATION_ASKING))
        return why_not(turn);
    turn->entered = true;
    rv = ask_begin_operation(&turn->rt->asks, turn->session->handle, turn->session->slot, turn->operation.serial, &ask);
    if (rv == CKR_OK) {
        rv = agree_asking(turn, how, ask.cancel_fd);
        rv = after_asking(turn, how, rv);
        ask_end(&turn->rt->asks, &ask);
    } else {
        rv = after_asking(turn, how, rv);
    }
    turn->entered = turn->operation.state == OPERATION_ASKING;
    return rv;
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

static CK_RV refuse_other_data(struct gate_turn *turn, const void *data, CK_ULONG data_len)
{
    const struct decision decision = {.operation = policy_use_name(use_of(turn->kind)),
                                      .slot = turn->session->slot,
                                      .facts = &turn->operation.facts,
                                      .data = data,
                                      .data_len = data_len};

    log_warning("key \"%s\": the program came back with other data than its user agreed to: refused",
                turn->operation.facts.label);
    return decision_record(turn->rt, &decision, "other data than agreed", CKR_FUNCTION_REJECTED);
}

CK_RV gate_agree(struct gate_turn *turn, const void *data, CK_ULONG data_len, bool whole)
{
    const struct agreement how = {.data = data, .data_len = data_len, .whole = whole};

    if (gate_must_ask(turn))
        return agree(turn, &how);
    if (is_what_was_agreed(turn, data, data_len, whole))
        return CKR_OK;
    return refuse_other_data(turn, whole ? data : NULL, data_len);
}

CK_RV gate_enter(struct gate_turn *turn)
{
    if (gate_is_free(turn))
        return CKR_OK;
    turn->before = turn->operation.state;
    if (!hold(turn))
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    if (!change_state(turn, turn->before, OPERATION_RUNNING))
        return why_not(turn);
    turn->entered = true;
    return CKR_OK;
}

/* Ends the operation, or lets go of it. What is left of it when it is over. */
static struct operation_rest let_go(struct gate_turn *turn, bool ended)
{
    struct operation *op = &turn->session->operations[turn->kind];
    struct operation_rest rest = {.on = CK_INVALID_HANDLE};

    pthread_mutex_lock(&turn->session->lock);
    if (op->serial == turn->operation.serial) {
        const bool ours = turn->entered || (op->state != OPERATION_ASKING && op->state != OPERATION_RUNNING);

        if (ours && (ended || op->doomed)) {
            rest = operation_end(op);
        } else if (turn->entered && op->state == OPERATION_RUNNING) {
            op->state = turn->before;
            op->begun = turn->operation.begun && turn->before == OPERATION_CONSENTED;
            op->bound = op->bound && turn->before == OPERATION_CONSENTED;
        }
    }
    pthread_mutex_unlock(&turn->session->lock);
    return rest;
}

static void note_free_end(struct gate_turn *turn)
{
    pthread_mutex_lock(&turn->session->lock);
    turn->session->free[turn->kind].active = false;
    pthread_mutex_unlock(&turn->session->lock);
}

void gate_leave(struct gate_turn *turn, bool ended)
{
    struct operation_rest rest = {.on = CK_INVALID_HANDLE};

    if (!gate_is_free(turn))
        rest = let_go(turn, ended);
    else if (ended)
        note_free_end(turn);
    if (rest.on != CK_INVALID_HANDLE)
        session_close_beside(&turn->rt->sessions, turn->rt->backend.functions, &rest);
    session_put(&turn->rt->sessions, turn->session);
    if (turn->held)
        asks_leave(&turn->rt->asks, turn->cancel_state);
}

/* ------------------------------------------------------------------ context-specific logins */

/* After so many wrong PINs the operation is over, as it is when the user was wrong so often in a window. A program that
 * answers by itself, and for as long as it hears CKR_PIN_INCORRECT, would else lock the token: NSS asks its program so. */
static CK_RV count_wrong_pins(struct gate_turn *turn, CK_RV rv)
{
    struct operation *op = &turn->session->operations[turn->kind];
    unsigned wrong = 0;

    pthread_mutex_lock(&turn->session->lock);
    if (op->serial == turn->operation.serial)
        wrong = op->wrong_pins = rv == CKR_PIN_INCORRECT ? op->wrong_pins + 1 : 0;
    pthread_mutex_unlock(&turn->session->lock);
    if (wrong < CONSENT_TRIES)
        return rv;
    log_warning("key \"%s\": %d wrong PINs from the program: the use is refused", turn->operation.facts.label,
                CONSENT_TRIES);
    return CKR_FUNCTION_REJECTED;
}

CK_RV gate_context_login(struct runtime *rt, CK_SESSION_HANDLE handle, bool ask, const void *pin, CK_ULONG pin_len)
{
    const struct agreement how = {.pin_given = !ask, .pin = pin, .pin_len = pin_len};
    CK_RV rv;

    for (int kind = 0; kind < OPERATION_KINDS; kind++) {
        struct gate_turn turn;
        bool waits;
        bool over = false;

        rv = gate_take(rt, handle, (enum operation_kind)kind, &turn);
        if (rv == CKR_OPERATION_NOT_INITIALIZED)
            continue;
        if (rv != CKR_OK)
            return rv;
        waits = gate_must_ask(&turn);
        if (waits)
            rv = agree(&turn, &how);
        if (waits && (rv == CKR_OK || rv == CKR_PIN_INCORRECT)) {
            rv = count_wrong_pins(&turn, rv);
            over = rv == CKR_FUNCTION_REJECTED;
        }
        gate_leave(&turn, over);
        if (waits)
            return rv;
    }
    return ask || !pin ? CKR_OPERATION_NOT_INITIALIZED : gate_present_pin(rt, handle, pin, pin_len);
}
