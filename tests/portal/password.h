/*
 * password: which passwords are accepted, how first passwords are made, and how passwords are kept
 * (Argon2id).
 *
 * Thread rule: no shared state; any thread.
 */
#ifndef PINWARD_PORTAL_PASSWORD_H
#define PINWARD_PORTAL_PASSWORD_H

#include <stdbool.h>
#include <stddef.h>

#include "common/secret.h"

#define PASSWORD_MIN_LENGTH  12
#define PASSWORD_MAX_LENGTH  128
#define PASSWORD_MIN_CLASSES 3
#define PASSWORD_HASH_SIZE   128 /* crypto_pwhash_STRBYTES */
#define PASSWORD_REASONS_MAX 8

extern const char password_policy_text[];

/* Why the password is not accepted: up to PASSWORD_REASONS_MAX sentences that live for ever; 0 means
 * accepted. old is the current password, or NULL. Length is counted in bytes of UTF-8. */
size_t password_check(const struct secret *password, const char *account, const struct secret *old,
                      const char *reasons[PASSWORD_REASONS_MAX]);

/* Argon2id with libsodium's interactive limits. False: no memory. */
bool password_hash(const struct secret *password, char hash[PASSWORD_HASH_SIZE]);
bool password_verify(const struct secret *password, const char *hash);

/* A hash that no password matches, for accounts that do not exist: verifying against it takes as long. */
bool password_hash_of_nobody(char hash[PASSWORD_HASH_SIZE]);

/* A first password: four groups of five from 31 letters and digits that cannot be mistaken (99 bits). NULL:
 * no memory. */
struct secret *password_first_new(void);

#endif
