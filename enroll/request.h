/*
 * request: what an application sends: a PKCS#10 (RFC 2986) for the signing key, signed on the token, which
 * carries the request for the encryption key (crmf); and for a renewal that PKCS#10 signed once more by the
 * old signing key (CMS, RFC 5652).
 *
 * Owner: the DER is the caller's. Thread rule: no shared state; signing uses the token.
 */
#ifndef PINWARD_ENROLL_REQUEST_H
#define PINWARD_ENROLL_REQUEST_H

#include <openssl/x509.h>

#include "common/error.h"
#include "enroll/bytes.h"

/* The attribute that carries the encryption key's CertReqMessages in an OCTET STRING. */
#define REQUEST_ENCRYPTION_OID "2.25.196556539987194312349856245628873852187"

/* Both keys are the token's; the signing key signs. */
enum error_code request_build(X509_NAME *subject, EVP_PKEY *signing_key, EVP_PKEY *encryption_key,
                              struct bytes *der, struct error *err);

/* CMS SignedData with the request inside and old_certificate beside it, signed by old_key. */
enum error_code request_sign_renewal(const struct bytes *request, X509 *old_certificate, EVP_PKEY *old_key,
                                     struct bytes *der, struct error *err);

#endif
