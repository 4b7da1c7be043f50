/*
 * token_policy: the private keys of the token as the module's policy judges them: with the same facts, read by the same
 * code (pkcs11-module/key_facts.h).
 *
 * Owner: struct token_policy_keys is the caller's, until token_policy_clear. Thread rule: one thread.
 */
#ifndef PINWARD_ENROLL_TOKEN_POLICY_H
#define PINWARD_ENROLL_TOKEN_POLICY_H

#include "common/error.h"
#include "enroll/token.h"
#include "pkcs11-module/policy.h"

struct token_policy_keys {
    struct policy_token token;
    struct key_facts *items;
    size_t count;
};

/* Reads them all; after token_login. */
enum error_code token_policy_read(struct token *token, struct token_policy_keys *keys, struct error *err);
void token_policy_clear(struct token_policy_keys *keys);

#endif
