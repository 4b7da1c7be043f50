/*
 * lacks: what the backend under the gate cannot do, asked of the backend itself. A case that needs it is skipped, with a
 * line that says what is missing:
 *
 *     skipped on softokn: security_officer_logs_in: C_Login(CKU_SO) answers CKR_USER_TYPE_INVALID
 *
 * SoftHSM2 is what every case is written for: there, to lack anything is a failure.
 *
 * name, everywhere: the case's, __func__. Owner: none. Thread rule: the test's one thread.
 */
#ifndef PINWARD_TESTS_LACKS_H
#define PINWARD_TESTS_LACKS_H

#include <stdbool.h>

#include "support/fixture.h"

/* Ends the running case as skipped. */
void lacks_skip(const char *name, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Skips when the backend answered call with rv, which a backend that has what it takes would not. */
void lacks_on(const char *name, const char *call, CK_RV rv, CK_RV lacking);

/* Skips when the token has no such mechanism, or not for this (CKF_SIGN, ...; 0 for any). what: the constant's name. */
void lacks_mechanism(struct fixture *fx, const char *name, CK_MECHANISM_TYPE type, CK_FLAGS flags, const char *what);

/* Skips when the token has no security officer who can log in once the user's PIN is there. Nobody is logged in. */
void lacks_security_officer(struct fixture *fx, const char *name);

/* Skips when every token is initialised, so that none can be made in another slot. */
void lacks_empty_slot(struct fixture *fx, const char *name);

/* Skips when this attribute of an object, a CK_BBOOL, is not what a token that keeps to the standard would say of it.
 * what: the object and the attribute in words. */
void lacks_bool(struct fixture *fx, const char *name, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type, bool right,
                const char *what);

/* Skips when a context-specific login counts for the key, in whatever session, and is used up by whichever operation
 * ends first (tpm2-pkcs11), not for one operation. There must be KEY_HIGH_RSA, and the module is not initialised yet. */
void lacks_login_for_one_operation(const char *name);

/* The constant's name, or the number. */
const char *lacks_rv_name(CK_RV rv);

#endif
