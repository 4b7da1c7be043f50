/*
 * gate: "may this key be used for this, now?" for operations that begin with an Init call and go on with data calls.
 * Uses that are one call: gate_once.
 *
 * The course of a protected C_SignInit + C_Sign: gate_begin opens a session beside the application's and begins the
 * operation there; gate_take finds it again at the data call; gate_agree obtains the consent; gate_enter goes into the
 * backend with it; gate_leave comes back, and ends it.
 *
 * Owner: struct gate_turn is the caller's, from gate_take to gate_leave.
 * Thread rule: any thread; no lock is held during a call to the backend or a question to the user. One thread at a time
 *   has an operation; another gets CKR_OPERATION_ACTIVE.
 */
#ifndef PINWARD_MODULE_GATE_H
#define PINWARD_MODULE_GATE_H

#include "pkcs11-module/gate_session.h"
#include "pkcs11-module/p11.h"
#include "pkcs11-module/policy.h"
#include "pkcs11-module/runtime.h"

/* C_SignInit, C_SignRecoverInit and C_DecryptInit have the same parameters. */
typedef CK_RV gate_init_function(CK_SESSION_HANDLE, CK_MECHANISM_PTR, CK_OBJECT_HANDLE);

/* Begins an operation of this kind with init, the backend's own function for it. For a key that may be used freely it is
 * forwarded as it is; a NULL mechanism ends one (cancel.h). CKR_OPERATION_ACTIVE, CKR_KEY_HANDLE_INVALID, or what the backend said. */
CK_RV gate_begin(struct runtime *rt, CK_SESSION_HANDLE handle, enum operation_kind kind, gate_init_function *init,
                 CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key);

/* One data call of an operation. */
struct gate_turn {
    struct runtime *rt;
    struct session *session;
    enum operation_kind kind;
    struct operation operation; /* as it was when the turn was taken */
    CK_SESSION_HANDLE on;       /* the session that the backend's function is to be called with */
    enum operation_state before; /* the state to go back to when the operation is not over */
    bool held;    /* the module is not finalized before gate_leave */
    bool entered; /* this turn owns the operation, in state ASKING or RUNNING */
    int cancel_state;
};

/* Finds the operation. CKR_OPERATION_NOT_INITIALIZED; CKR_OPERATION_ACTIVE while another thread has it;
 * CKR_SESSION_HANDLE_INVALID for a session that is not the application's. On CKR_OK, gate_leave must follow. */
CK_RV gate_take(struct runtime *rt, CK_SESSION_HANDLE handle, enum operation_kind kind, struct gate_turn *turn);

/* Is the call forwarded as it is, because no protected operation of this kind is in progress in the session but a free one
 * was begun? The backend then says whether that is still there. */
static inline bool gate_is_free(const struct gate_turn *turn)
{
    return turn->operation.state == OPERATION_NONE;
}

/* Is there still a consent to obtain? */
static inline bool gate_must_ask(const struct gate_turn *turn)
{
    return turn->operation.state == OPERATION_WAITING;
}

/* Obtains the consent when there must be one. data: all that is signed or decrypted (whole), or a first part. Else the
 * CKRs of consent_obtain; CKR_SESSION_CLOSED, CKR_USER_NOT_LOGGED_IN or CKR_CRYPTOKI_NOT_INITIALIZED when that is what
 * happened while the user was asked. */
CK_RV gate_agree(struct gate_turn *turn, const void *data, CK_ULONG data_len, bool whole);

/* Goes into the backend with the operation: the call may be made with turn->on. CKR_OPERATION_ACTIVE when another thread
 * was first; CKR_SESSION_CLOSED, CKR_USER_NOT_LOGGED_IN or CKR_CRYPTOKI_NOT_INITIALIZED. */
CK_RV gate_enter(struct gate_turn *turn);

/* Gives the turn back; ended: the operation is over (PKCS#11 2.40, 5.2: after any error but CKR_BUFFER_TOO_SMALL, and
 * after the result was given out). */
void gate_leave(struct gate_turn *turn, bool ended);

/* The context-specific login. ask: the user is asked here and now (prompt = module). Else: does this PIN (NULL: the one
 * typed at the token's own PIN pad) agree to the operation that waits in the session? When none waits it is presented
 * for the single call that follows (gate_once.h). CKR_OPERATION_NOT_INITIALIZED when there is nothing to agree to. */
CK_RV gate_context_login(struct runtime *rt, CK_SESSION_HANDLE handle, bool ask, const void *pin, CK_ULONG pin_len);

#endif
