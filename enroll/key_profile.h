/*
 * key_profile: the kinds of keys that an enrollment makes, and what goes with each: how the portal names it,
 * what it may be used for, and the digest it signs with.
 *
 * A table: what is not in it is weaker than RSA of 2048 bits and P-256, or not known here, and is refused.
 * Owner: the rows are constants. Thread rule: no shared state.
 */
#ifndef PINWARD_ENROLL_KEY_PROFILE_H
#define PINWARD_ENROLL_KEY_PROFILE_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/evp.h>

#include "common/error.h"

struct key_profile {
    const char *name; /* for people, the same in every language */
    const char *type; /* "RSA" or "EC" */
    unsigned bits;
    const char *curve;              /* NIST's name; NULL: no EC key */
    const unsigned char *ec_params; /* DER of the curve's OBJECT IDENTIFIER, for CKA_EC_PARAMS */
    size_t ec_params_len;
    unsigned
        signing_usage; /* OpenSSL's KU_ bits: what the certificates may allow, and the first of each must */
    unsigned encryption_usage;
};

/* The profile that a portal names so; curve is NULL where it names none. ERROR_PROTOCOL: none that will be
 * made. */
enum error_code key_profile_find(const char *type, int bits, const char *curve,
                                 const struct key_profile **profile, struct error *err);

/* The profile of a key; NULL: of none. */
const struct key_profile *key_profile_of(const EVP_PKEY *key);

/* Are these key usages (KU_ bits) what such keys are for? The signing key never encrypts, the encryption key
 * never signs. */
bool key_profile_allows_signing(const struct key_profile *profile, unsigned usage);
bool key_profile_allows_encryption(const struct key_profile *profile, unsigned usage);

/* What the certificate of such a key allows where nobody says more: KU_KEY_ENCIPHERMENT or KU_KEY_AGREEMENT. */
unsigned key_profile_usual_encryption(const struct key_profile *profile);

/* As strong as the key (NIST SP 800-57 part 1, 5.6.2): SHA-384 for P-384, else SHA-256. */
const EVP_MD *key_profile_digest(const EVP_PKEY *key);

#endif
