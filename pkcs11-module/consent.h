/*
 * consent: has the user just agreed to this use? Asks, checks the PIN, and answers with a CKR.
 *
 * Owner: nothing kept. Thread rule: any thread; no lock is held while it asks.
 */
#ifndef PINWARD_MODULE_CONSENT_H
#define PINWARD_MODULE_CONSENT_H

#include "pkcs11-module/key_facts.h"
#include "pkcs11-module/p11.h"
#include "pkcs11-module/policy.h"
#include "pkcs11-module/runtime.h"

/* So many wrong PINs are one refusal, whoever brings them. */
#define CONSENT_TRIES 3

struct consent_request {
    enum policy_use use;
    CK_SESSION_HANDLE session;    /* the application's */
    CK_SLOT_ID slot;
    CK_SESSION_HANDLE on;         /* where the operation that waits runs; CK_INVALID_HANDLE: there is none */
    CK_MECHANISM_TYPE mechanism;  /* of that operation */
    const struct key_facts *facts;
    const void *data;
    CK_ULONG data_len;
    bool whole;     /* data is all there is to sign or decrypt */
    bool presented; /* prompt = application: the application has just shown that it knows the PIN */
};

/* CKR_OK: the user has agreed to this use, once. Else why not: CKR_FUNCTION_REJECTED (refused, wrong PINs, no
 * answer), CKR_FUNCTION_CANCELED, CKR_FUNCTION_FAILED (the question could not be asked), CKR_PIN_LOCKED,
 * CKR_USER_NOT_LOGGED_IN (prompt = application and no context-specific login; or no login at all),
 * CKR_HOST_MEMORY. Every outcome is recorded (decision.h): CKR_FUNCTION_FAILED also when that was not possible. */
CK_RV consent_obtain(struct runtime *rt, const struct consent_request *request, int cancel_fd);

/* Does the PIN that the application brought agree to the use? CKRs of consent_check_pin; recorded as above. */
CK_RV consent_take_pin(struct runtime *rt, const struct consent_request *request, const void *pin, CK_ULONG pin_len);

/* Does this PIN agree to the use? For C_Login(CKU_CONTEXT_SPECIFIC), PKCS#11 2.40, 5.6. CKR_PIN_INCORRECT,
 * CKR_PIN_LOCKED, CKR_USER_NOT_LOGGED_IN, or what the backend said. */
CK_RV consent_check_pin(struct runtime *rt, const struct consent_request *request, const void *pin, CK_ULONG pin_len);

#endif
