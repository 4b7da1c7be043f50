/*
 * profile: objects of class CKO_PROFILE (PKCS#11 3.0, 4.13). They are the backend's claims of how it behaves; behind the
 * gate it behaves differently (who asks for the PIN, what a private key may do), so they are not passed on: no search
 * finds them, and their handles are those of no object.
 *
 * Only a backend of 3.x has them; for others nothing is done. A search for a class of its own costs nothing; one
 * without a class costs one attribute for each object, and an attribute read one more for each object in a row.
 * Owner: what is remembered is in the session's record. Thread rule: any thread.
 */
#ifndef PINWARD_MODULE_PROFILE_H
#define PINWARD_MODULE_PROFILE_H

#include <stdbool.h>

#include "pkcs11-module/p11.h"
#include "pkcs11-module/runtime.h"

/* Could a search with this template find a profile? */
bool profile_may_be_found(const CK_ATTRIBUTE *template, CK_ULONG count);

/* Takes the profiles out of what was found. How many are left. */
CK_ULONG profile_filter(struct runtime *rt, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE *objects, CK_ULONG count);

/* Is this object one? false also when there is none such: the backend says so itself. */
bool profile_is_one(struct runtime *rt, CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE object);

#endif
