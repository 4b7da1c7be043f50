/*
 * enroll_ca: a small CA in memory that issues certificates just as right or wrong as a test wants them.
 *
 * Owner: struct enroll_ca is the test's; certificates are new references. Failing here fails the test at
 * once.
 */
#ifndef PINWARD_TESTS_UNIT_ENROLL_CA_H
#define PINWARD_TESTS_UNIT_ENROLL_CA_H

#include <openssl/x509.h>

struct enroll_ca {
    EVP_PKEY *root_key;
    EVP_PKEY *issuing_key;
    X509 *root;
    X509 *issuing;
};

/* What a user certificate says. */
struct enroll_leaf {
    EVP_PKEY *key;
    X509_NAME *subject;
    long serial;
    long not_before_s; /* from now */
    int days;
    long extra_s;                 /* added to the days */
    const char *key_usage;        /* OpenSSL's notation; NULL: no extension */
    const char *extended;         /* the same */
    const char *constraints;      /* the same */
    const char *names;            /* the same */
    const char *unknown_critical; /* "OID=critical,DER:..." form is made from this OID; NULL: none */
    const EVP_MD *digest;
    int version; /* X509_VERSION_3 */
    int by_root; /* issued by the root directly */
    int self_signed;
};

void enroll_ca_init(struct enroll_ca *ca);
void enroll_ca_clear(struct enroll_ca *ca);

EVP_PKEY *enroll_rsa_key(void);
X509_NAME *enroll_name(const char *common_name);
X509 *enroll_issue(const struct enroll_ca *ca, const struct enroll_leaf *leaf);

#endif
