/*
 * gate_once: "may this key be used for this, now?" for uses that are a single call: unwrap, derive, export, copy,
 * change, delete.
 *
 * Owner: nothing kept but a PIN's presentation, in the session's record.
 * Thread rule: any thread; no lock is held during a call to the backend or a question to the user.
 */
#ifndef PINWARD_MODULE_GATE_ONCE_H
#define PINWARD_MODULE_GATE_ONCE_H

#include "pkcs11-module/key_facts.h"
#include "pkcs11-module/p11.h"
#include "pkcs11-module/policy.h"
#include "pkcs11-module/runtime.h"

/* Facts about an object; invalid is the CKR that the calling function has for a handle that does not exist. */
CK_RV gate_facts(struct runtime *rt, CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE object, CK_RV invalid,
                 struct key_facts *facts);

/* Consent for one use of a key whose facts are known; key: CK_INVALID_HANDLE when it is not there yet; data: what the call
 * works on, NULL when there is none but the key. CKR_OK also for what needs no consent. Else the CKRs of consent_obtain;
 * CKR_SESSION_CLOSED, CKR_USER_NOT_LOGGED_IN or CKR_CRYPTOKI_NOT_INITIALIZED when that is what happened while the user
 * was asked; CKR_FUNCTION_REJECTED when the handle is no longer that key's. */
CK_RV gate_agree_once(struct runtime *rt, CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE key, const struct key_facts *facts,
                      enum policy_use use, const void *data, CK_ULONG data_len);

/* The call to the backend that follows a consent is made between these two: C_Finalize waits for it, and the thread
 * cannot be cancelled in it. CKR_CRYPTOKI_NOT_INITIALIZED: it must not be made. */
CK_RV gate_enter_once(struct runtime *rt, int *cancel_state);
void gate_leave_once(struct runtime *rt, int cancel_state);

/* prompt = application: the user's PIN, presented with C_Login(CKU_CONTEXT_SPECIFIC) while no operation waits, agrees to
 * the single call that follows in this session, within a short time. CKR_OPERATION_NOT_INITIALIZED with
 * prompt = module; CKR_PIN_INCORRECT, CKR_PIN_LOCKED, CKR_USER_NOT_LOGGED_IN. */
CK_RV gate_present_pin(struct runtime *rt, CK_SESSION_HANDLE handle, const void *pin, CK_ULONG pin_len);

/* For calls that no private key may be part of, whatever its level: `refusal` when the object is one or cannot be told
 * from one, CKR_OK when the call may be forwarded. */
CK_RV gate_refuse_private_key(struct runtime *rt, CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE object, CK_RV refusal,
                              CK_RV invalid);

#endif
