/*
 * policy: what a key's use needs. Pure: no I/O, no state.
 */
#ifndef PINWARD_MODULE_POLICY_H
#define PINWARD_MODULE_POLICY_H

#include <stdbool.h>

#include "common/config.h"
#include "pkcs11-module/key_facts.h"

/* What a private key is used for. */
enum policy_use {
    POLICY_USE_SIGN,
    POLICY_USE_DECRYPT,
    POLICY_USE_UNWRAP,
    POLICY_USE_DERIVE,
    POLICY_USE_EXPORT, /* C_WrapKey of the key itself */
    POLICY_USE_COPY,
    POLICY_USE_CHANGE, /* of its label, id and the like */
    POLICY_USE_DELETE,
};

/* "sign", "decrypt", ...: the use's name in log lines and the like; not translated. Never NULL. */
const char *policy_use_name(enum policy_use use);

/* The level of a private key. A key that the backend itself protects at every use stays high, whatever the
 * configuration says. */
enum config_level policy_level(const struct config *config, const struct key_facts *facts);

/* May this object be used without asking anybody? Only what is not a private key, and private keys of level low. */
bool policy_is_free(const struct config *config, const struct key_facts *facts);

/* May the grace of a login cover this use? Not one that cannot be undone. */
bool policy_grace_covers(enum policy_use use);

#endif
