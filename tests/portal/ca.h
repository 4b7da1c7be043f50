/*
 * ca: the certification authority: its keys and certificates, and issuing.
 *
 * Purpose: root (P-384, 20 years) -> issuing CA (P-384, 10 years, pathlen 0) -> user certificates; the root
 * also issues the portal's TLS certificate. The files are root.pem, issuing.pem, tls.pem and root.key,
 * issuing.key, tls.key (mode 0600) in the data folder. Owner: struct ca is the caller's (ca_close). Thread
 * rule: constant after ca_open; any thread may issue.
 */
#ifndef PINWARD_PORTAL_CA_H
#define PINWARD_PORTAL_CA_H

#include <openssl/x509.h>

#include "clock.h"
#include "store_certificate.h"

#define CA_VALIDITY_DAYS       365
#define CA_RENEWAL_WINDOW_DAYS 30
#define CA_CRL_VALIDITY_S      CLOCK_DAY_S

struct ca {
    X509 *root;
    X509 *issuing;
    EVP_PKEY *issuing_key;
};

enum error_code ca_open(const char *data_dir, struct ca **ca, struct error *err);
void ca_close(struct ca **ca);

/* One certificate to be issued. */
struct ca_order {
    enum certificate_use use;
    const X509_NAME *subject;
    const char *email;
    EVP_PKEY *key;
    int64_t not_before;
    int64_t not_after;
    const char *address; /* of the portal, where its API is; "": not known, so neither CRL nor OCSP is named */
};

enum error_code ca_issue(const struct ca *ca, const struct ca_order *order, X509 **certificate,
                         struct error *err);

/* The certificate's serial number in lower-case hex. */
bool ca_serial_text(const X509 *certificate, char out[SERIAL_SIZE]);

/* Sets version 3, a fresh serial number, validity and issuer, and adds nothing else. */
bool ca_certificate_start(X509 *certificate, const X509_NAME *issuer, const X509_NAME *subject, EVP_PKEY *key,
                          int64_t not_before, int64_t not_after);
/* Adds an extension in OpenSSL's own notation; text is a constant of this program. */
bool ca_extension_add(X509 *certificate, X509 *issuer, int nid, const char *text);

#endif
