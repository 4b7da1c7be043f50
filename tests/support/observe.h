/*
 * observe: the level at which the module really treats a key: what it asks when the key is used.
 *
 * Owner: none. Thread rule: the test's one thread.
 */
#ifndef PINWARD_TESTS_OBSERVE_H
#define PINWARD_TESTS_OBSERVE_H

#include "support/fixture.h"

/* "high", "medium" or "low", by one signature with the RSA key of this label that nobody agrees to. Anything else that
 * happens is a failure. */
const char *observe_level(struct fixture *fx, CK_SESSION_HANDLE session, const char *label);

/* Replaces, in a copy on the heap, {self} by this program's path, {token} by the token's label and {serial} by its
 * serial number. The module must not be initialised. */
char *observe_fill_in(const char *text);

#endif
