/*
 * possession: the activation challenge: one value to be signed by the signing key, one to be decrypted by the
 * encryption key, and the check of both answers.
 *
 * Thread rule: no shared state; any thread.
 */
#ifndef PINWARD_PORTAL_POSSESSION_H
#define PINWARD_PORTAL_POSSESSION_H

#include <openssl/x509.h>

#include "store_application.h"

#define POSSESSION_LABEL "pinward-activation-v1"

/* Fills nonce and enveloped_sha256 of *challenge with fresh values. *enveloped is the DER of a CMS
 * EnvelopedData (AES-256-CBC) of the value to be decrypted: a new buffer for the caller to free. To an RSA key with PKCS#1
 * v1.5 key transport, which every token can do; to an EC key with ephemeral-static ECDH (RFC 5753 section 3.1), the digest
 * of its KDF being key_profile_digest's. */
bool possession_challenge(X509 *encryption_certificate, struct challenge *challenge, uint8_t **enveloped,
                          size_t *len);

/* True when signature is the key's, with key_profile_digest's digest, over LABEL 0x00 application_id 0x00 nonce. */
bool possession_signature_holds(X509 *signing_certificate, const char *application_id,
                                const uint8_t nonce[CHALLENGE_SIZE], const uint8_t *signature, size_t len);

bool possession_decryption_holds(const struct challenge *challenge, const uint8_t *decrypted, size_t len);

#endif
