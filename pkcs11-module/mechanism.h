/*
 * mechanism: a copy of a mechanism and its parameters, so that no thread of the host can change them while the user is
 * asked: what was agreed to is what is done.
 *
 * Owner: struct mechanism is the caller's, from mechanism_copy to mechanism_clear, or from mechanism_new to
 *   mechanism_free. Thread rule: none.
 */
#ifndef PINWARD_MODULE_MECHANISM_H
#define PINWARD_MODULE_MECHANISM_H

#include <stdbool.h>

#include "pkcs11-module/p11.h"

struct mechanism {
    CK_MECHANISM copy;
    void *parts[2]; /* what the parameters point to */
};

/* Copies the parameters, and for the mechanisms whose parameters point to more (ECDH, X9.42 DH, OAEP, EdDSA, the AES
 * key wraps of RSA and ECDH) that too. Other mechanisms' inner pointers stay the application's. CKR_ARGUMENTS_BAD,
 * CKR_MECHANISM_PARAM_INVALID, CKR_HOST_MEMORY. */
CK_RV mechanism_copy(const CK_MECHANISM *from, struct mechanism *mechanism);
void mechanism_clear(struct mechanism *mechanism);

/* The same on the heap. mechanism_free takes NULL. */
CK_RV mechanism_new(const CK_MECHANISM *from, struct mechanism **mechanism);
void mechanism_free(struct mechanism *mechanism);

#endif
