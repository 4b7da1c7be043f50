/*
 * possession: answering the portal's challenge, which shows that both new private keys are here.
 *
 * Owner: the answers are the caller's. Thread rule: no shared state; both functions use the token.
 */
#ifndef PINWARD_ENROLL_POSSESSION_H
#define PINWARD_ENROLL_POSSESSION_H

#include <openssl/x509.h>

#include "common/error.h"
#include "common/secret.h"
#include "enroll/bytes.h"

#define POSSESSION_NONCE_LEN     32
#define POSSESSION_DECRYPTED_LEN 32

/* Signs "pinward-activation-v1" 00 application_id 00 nonce, so that what is signed can be nothing else: a
 * portal that lies cannot have a document signed in its place. */
enum error_code possession_sign(EVP_PKEY *signing_key, const char *application_id, const struct bytes *nonce,
                                struct bytes *signature, struct error *err);

/* Decrypts the CMS EnvelopedData, whose only recipient must be this certificate. */
enum error_code possession_decrypt(EVP_PKEY *encryption_key, X509 *certificate, const struct bytes *enveloped,
                                   struct secret **decrypted, struct error *err);

#endif
