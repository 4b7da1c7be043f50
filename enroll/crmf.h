/*
 * crmf: asking for a certificate on a key that does not sign (RFC 4211).
 *
 * OpenSSL's own CRMF can only say subsequentMessage encrCert; here possession is shown by answering a
 * challenge, which is challengeResp, so the few types that this takes are declared in crmf.c. Owner: the DER
 * is the caller's. Thread rule: no shared state.
 */
#ifndef PINWARD_ENROLL_CRMF_H
#define PINWARD_ENROLL_CRMF_H

#include <openssl/x509.h>

#include "common/error.h"
#include "enroll/bytes.h"

/* DER of CertReqMessages with one CertReqMsg: certReqId 0, template with subject and public key, proof of
 * possession keyEncipherment by a later challenge. */
enum error_code crmf_build(X509_NAME *subject, EVP_PKEY *public_key, struct bytes *der, struct error *err);

#endif
