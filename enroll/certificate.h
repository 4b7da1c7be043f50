/*
 * certificate: small questions about a certificate.
 *
 * Owner: nothing is kept; returned strings and bytes are the caller's. Thread rule: no shared state.
 */
#ifndef PINWARD_ENROLL_CERTIFICATE_H
#define PINWARD_ENROLL_CERTIFICATE_H

#include <stdbool.h>

#include <openssl/x509.h>

#include "enroll/bytes.h"

/* The serial number in lower-case hex without leading zeros of its own ("0" for zero). NULL: no memory. */
char *certificate_serial(const X509 *certificate);
bool certificate_has_serial(const X509 *certificate, const char *serial);

/* The subject key identifier, else the SHA-1 of the public key's bits (RFC 5280 section 4.2.1.2, method 1).
 */
bool certificate_key_id(X509 *certificate, struct bytes *id);

/* The common name, else the whole subject, fit for a terminal. NULL: no memory. */
char *certificate_common_name(const X509 *certificate);

/* The name in DER. */
bool certificate_name_der(const X509_NAME *name, struct bytes *der);

#endif
