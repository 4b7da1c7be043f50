/*
 * answer: what a call answers that the gate makes for itself, as an answer of the function that the application called.
 * Each function has a list of what it may answer (PKCS#11 2.40, 5.1 and each function's own): C_Sign may not answer
 * CKR_TOKEN_NOT_RECOGNIZED because C_GetTokenInfo did.
 *
 * Owner: none. Thread rule: any thread.
 */
#ifndef PINWARD_MODULE_ANSWER_H
#define PINWARD_MODULE_ANSWER_H

#include "pkcs11-module/p11.h"

/* What every function that takes a session may answer stays as it is; the rest is CKR_FUNCTION_FAILED. */
CK_RV answer_inner(CK_RV rv);

/* The same, and a user who did not agree stays one (the table at the head of docs/functions.md). */
CK_RV answer_consent(CK_RV rv);

#endif
