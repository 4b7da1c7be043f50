/*
 * certcheck: is an issued certificate what was promised? Nothing is trusted unchecked: this stands between
 * the portal's answer and the token.
 *
 * Each way of being wrong has its own sentence (ERROR_CERTIFICATE).
 * Owner: everything is borrowed. Thread rule: no shared state.
 */
#ifndef PINWARD_ENROLL_CERTCHECK_H
#define PINWARD_ENROLL_CERTCHECK_H

#include <stdbool.h>
#include <time.h>

#include <openssl/x509.h>

#include "common/error.h"
#include "enroll/bytes.h"

/* The portal's clock and ours may differ by this much. */
#define CERTCHECK_CLOCK_SKEW_S 300

enum certcheck_use { CERTCHECK_SIGNING, CERTCHECK_ENCRYPTION };

struct certcheck_promise {
    enum certcheck_use use;
    const char *serial;          /* as the application says it */
    EVP_PKEY *key;               /* the token's */
    const struct bytes *subject; /* DER, exactly */
    const char *email;           /* the only subject alternative name */
    unsigned key_usage;          /* OpenSSL's KU_ bits, exactly */
    unsigned validity_days;
};

struct certcheck_trust {
    X509_STORE *roots;          /* the pinned CA */
    STACK_OF(X509) * untrusted; /* what the portal sent to build the chain from */
    time_t now;
};

/* The pinned CA file as a store. */
enum error_code certcheck_load_roots(const char *ca_file, X509_STORE **roots, struct error *err);

/* On success *chain, unless NULL, is a new stack of the verified chain, the certificate itself first. */
enum error_code certcheck_verify(X509 *certificate, const struct certcheck_promise *promise,
                                 const struct certcheck_trust *trust, STACK_OF(X509) * *chain,
                                 struct error *err);

/* Have both the same subject and the same e-mail addresses? */
bool certcheck_same_holder(X509 *one, X509 *other);

#endif
