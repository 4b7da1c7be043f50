/*
 * mechanism_keys: private keys that a mechanism names in its parameters.
 *
 * Owner: nothing kept. Thread rule: any thread.
 */
#ifndef PINWARD_MODULE_MECHANISM_KEYS_H
#define PINWARD_MODULE_MECHANISM_KEYS_H

#include "pkcs11-module/p11.h"
#include "pkcs11-module/runtime.h"

/* Some mechanisms of C_DeriveKey, C_WrapKey and C_SignInit take the handle of a second key in their parameters: the gate knows only
 * the first. CKR_OK when this one takes none, or one that is no private key; CKR_KEY_FUNCTION_NOT_PERMITTED when it is
 * one; CKR_MECHANISM_INVALID for mechanisms whose second key cannot be judged. */
CK_RV mechanism_names_private_key(struct runtime *rt, CK_SESSION_HANDLE session, const CK_MECHANISM *mechanism);

#endif
