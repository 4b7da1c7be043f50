/*
 * subject: a registration's distinguished name and its alternative name, as both certificates carry them.
 *
 * Thread rule: no shared state; any thread.
 */
#ifndef PINWARD_PORTAL_SUBJECT_H
#define PINWARD_PORTAL_SUBJECT_H

#include <openssl/x509.h>

#include "store_account.h"

/* C, O (where there is one), CN, serialNumber, in this order; C and serialNumber are PrintableString, the
 * others UTF8String (RFC 5280 section 4.1.2.4). NULL: no memory, or a value that is not what its type allows.
 */
X509_NAME *subject_name_new(const struct registration *registration);

/* The name as RFC 4514 writes it, in UTF-8 (no escapes but those that section 2.4 asks for). False: it does
 * not fit. */
bool subject_name_text(const X509_NAME *name, char *out, size_t size);

/* True when registration can become a certificate; else err says which value is wrong. */
enum error_code subject_check(const struct registration *registration, struct error *err);

#endif
