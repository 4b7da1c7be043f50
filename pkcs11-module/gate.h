/*
 * gate: "may this key be used for this, now?" for operations that begin with an Init call and go on with data
 * calls, and for uses that are one call.
 *
 * The course of a protected C_SignInit + C_Sign: gate_begin opens a session beside the application's and begins the
 * operation there; gate_take finds it again at the data call; gate_agree obtains the consent; gate_leave ends it.
 *
 * Owner: struct gate_turn is the caller's, from gate_take to gate_leave.
 * Thread rule: any thread; no lock is held during a call to the backend or a question to the user.
 */
#ifndef PINWARD_MODULE_GATE_H
#define PINWARD_MODULE_GATE_H

#include "pkcs11-module/p11.h"
#include "pkcs11-module/policy.h"
#include "pkcs11-module/runtime.h"

/* C_SignInit and C_DecryptInit have the same parameters. */
typedef CK_RV gate_init_function(CK_SESSION_HANDLE, CK_MECHANISM_PTR, CK_OBJECT_HANDLE);

/* Begins an operation of this kind with init, the backend's own function for it. For a key that may be used freely
 * it is forwarded as it is. CKR_OPERATION_ACTIVE, CKR_KEY_HANDLE_INVALID, or what the backend said. */
CK_RV gate_begin(struct runtime *rt, CK_SESSION_HANDLE handle, enum operation_kind kind, gate_init_function *init,
                 CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key);

/* One data call of an operation. */
struct gate_turn {
    struct runtime *rt;
    struct session *session;
    enum operation_kind kind;
    struct operation operation; /* as it was when the turn was taken */
};

/* Finds the operation. CKR_OPERATION_NOT_INITIALIZED; CKR_OPERATION_ACTIVE while another thread asks for its
 * consent; CKR_SESSION_HANDLE_INVALID or what else the backend says of the session. On CKR_OK, gate_leave must
 * follow. */
CK_RV gate_take(struct runtime *rt, CK_SESSION_HANDLE handle, enum operation_kind kind, struct gate_turn *turn);

/* Is there still a consent to obtain? */
static inline bool gate_must_ask(const struct gate_turn *turn)
{
    return turn->operation.state == OPERATION_WAITING;
}

/* Obtains the consent when there must be one. data: all that is signed or decrypted (whole), or a first part.
 * CKR_OK: the call may go to turn->operation.on. Else the CKRs of consent_obtain; CKR_SESSION_CLOSED,
 * CKR_USER_NOT_LOGGED_IN or CKR_CRYPTOKI_NOT_INITIALIZED when that is what happened while the user was asked. */
CK_RV gate_agree(struct gate_turn *turn, const void *data, CK_ULONG data_len, bool whole);

/* Gives the turn back; ended: the operation is over (PKCS#11 2.40, 5.2: after any error but
 * CKR_BUFFER_TOO_SMALL, and after the result was given out). */
void gate_leave(struct gate_turn *turn, bool ended);

/* The context-specific login of prompt = application: does this PIN agree to the operation that waits in the
 * session? CKR_OPERATION_NOT_INITIALIZED when none waits. With pin NULL the user is asked here and now. */
CK_RV gate_context_login(struct runtime *rt, CK_SESSION_HANDLE handle, const void *pin, CK_ULONG pin_len);

/* Consent for a use that is one call on the application's session. CKR_OK also for what is not protected. */
CK_RV gate_agree_once(struct runtime *rt, CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE object, enum policy_use use);

/* For calls that have no gate yet: `refusal` when the object is a private key (whatever its level) or cannot be
 * told from one, CKR_OK when the call may be forwarded. invalid is the CKR for a handle that does not exist. */
CK_RV gate_refuse_private_key(struct runtime *rt, CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE object, CK_RV refusal,
                              CK_RV invalid);

/* The session's record, adopted when the host opened the session around the module; to be put back. */
CK_RV gate_session(struct runtime *rt, CK_SESSION_HANDLE handle, struct session **session);

#endif
