/*
 * dn: a distinguished name between its text (RFC 4514) and its X.509 form.
 *
 * Owner: the name is the caller's. Thread rule: no shared state.
 */
#ifndef PINWARD_ENROLL_DN_H
#define PINWARD_ENROLL_DN_H

#include <openssl/x509.h>

#include "common/error.h"

#define DN_TEXT_MAX 2048

/* Values get the string type that OpenSSL gives their attribute (UTF8String; PrintableString for a country or
 * a serialNumber, IA5String for an e-mail address); "#hex" values keep theirs. ERROR_PROTOCOL: not such a
 * text. */
enum error_code dn_parse(const char *text, X509_NAME **name, struct error *err);

#endif
