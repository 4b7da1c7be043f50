/*
 * shown: attributes of private keys that the gate answers itself, in C_GetAttributeValue and in searches alike, so that a
 * key is found by what it shows. All others (CKA_SENSITIVE, CKA_EXTRACTABLE, CKA_PRIVATE, ...) are shown as the token has
 * them.
 *
 * Owner: nothing kept. Thread rule: any thread.
 */
#ifndef PINWARD_MODULE_SHOWN_H
#define PINWARD_MODULE_SHOWN_H

#include <stdbool.h>

#include "pkcs11-module/key_facts.h"
#include "pkcs11-module/p11.h"
#include "pkcs11-module/runtime.h"

/* The private parts of a key (2.40, 2.1.3 and its fellows). To read them is to export the key, which C_WrapKey is for:
 * they are answered as CKA_SENSITIVE true would have it, also on a key that the token would give out. */
bool shown_is_private_part(CK_ATTRIBUTE_TYPE type);

/* Is it one of those, CKA_ALWAYS_AUTHENTICATE, or CKA_PINWARD_ENFORCED? */
bool shown_by_gate(CK_ATTRIBUTE_TYPE type);

/* prompt = module: applications must not ask for a PIN themselves, so no key shows that it wants one.
 * prompt = application: every key of level high shows it, whether or not the backend has the attribute. */
bool shown_always_authenticate(const struct runtime *rt, const struct key_facts *facts);

#endif
