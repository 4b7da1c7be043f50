/*
 * key_profile: which kind of keys applicants make: one row of a table, chosen by the registration authority.
 *
 * Purpose: it is what the registration's profile promises, what requests are judged by, and what decides the
 * key usage and the digests that go with a key. Owner: the rows are constants. Thread rule:
 * key_profile_current has that of the store, the others have no state.
 */
#ifndef PINWARD_PORTAL_KEY_PROFILE_H
#define PINWARD_PORTAL_KEY_PROFILE_H

#include <openssl/evp.h>

#include "store.h"

struct key_profile {
    const char *name; /* for pinward-portal-admin and the database */
    const char *type; /* "RSA" or "EC", as OpenSSL names it too */
    int bits;
    const char *curve; /* NIST's name; NULL: not an EC key */
    const char *group; /* OpenSSL's name of the curve */
};

/* "rsa-2048, rsa-3072, ...": the names to choose from. */
extern const char key_profile_names[];

/* NULL: there is none of this name. */
const struct key_profile *key_profile_named(const char *name);

/* The one in force; RSA of 2048 bits until another is chosen. NULL: the store failed. */
const struct key_profile *key_profile_current(struct store *store);
bool key_profile_choose(struct store *store, const struct key_profile *profile);

/* Is the public key exactly of this profile? */
bool key_profile_fits(const struct key_profile *profile, EVP_PKEY *key);

/* What the key signs with, at least: as strong as the key (NIST SP 800-57 part 1, 5.6.2). */
const EVP_MD *key_profile_digest(EVP_PKEY *key);

/* Is it a key that agrees on secrets (ECDH) and transports none? */
bool key_profile_agrees(const EVP_PKEY *key);

#endif
