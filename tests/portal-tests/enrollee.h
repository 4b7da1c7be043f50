/*
 * enrollee: an applicant with software keys: makes the requests and the proofs that a token's keys would
 * make.
 *
 * Owner: the test (enrollee_make/_clear). Thread rule: one thread.
 */
#ifndef PINWARD_PORTAL_TESTS_ENROLLEE_H
#define PINWARD_PORTAL_TESTS_ENROLLEE_H

#include <jansson.h>
#include <openssl/x509.h>
#include <stdbool.h>

struct enrollee {
    EVP_PKEY *signing_key;
    EVP_PKEY *encryption_key;
};

/* What a request can be made to get wrong. The zero value is a right one. */
struct request_options {
    const char *subject_dn; /* RFC 4514, from the registration */
    const char *crmf_dn;    /* NULL: the same */
    int crmf_number;        /* certReqId */
    bool crmf_missing;
    bool crmf_twice;          /* two values in the attribute */
    bool crmf_no_popo;        /* raVerified instead of a possession that is shown later */
    bool crmf_other_popo;     /* keyAgreement for RSA, keyEncipherment for EC */
    bool crmf_garbage;        /* an OCTET STRING of something else */
    bool bad_signature;       /* one bit changed */
    const EVP_MD *md;         /* NULL: what belongs to the signing key */
    EVP_PKEY *encryption_key; /* NULL: the enrollee's */
};

struct der {
    unsigned char *data;
    size_t len;
};

void enrollee_make(struct enrollee *e);
/* Keys of a key profile, by the name that pinward-portal-admin knows it by. NULL: rsa-2048. */
void enrollee_make_of(struct enrollee *e, const char *profile);
EVP_PKEY *enrollee_key(const char *profile);
void enrollee_clear(struct enrollee *e);
EVP_PKEY *enrollee_rsa(unsigned bits);

/* The Name that this RFC 4514 text (as the portal writes it) stands for. */
X509_NAME *enrollee_name(const char *dn);

struct der enrollee_request(const struct enrollee *e, const struct request_options *options);
/* CMS SignedData over content. */
struct der enrollee_sign_cms(X509 *certificate, EVP_PKEY *key, const struct der *content);
void der_clear(struct der *der);

/* The signature over the activation message, with the digest that belongs to the key, in base64. */
json_t *enrollee_prove_signing(EVP_PKEY *key, const char *application_id, const char *nonce_base64);
/* The bytes inside the enveloped challenge, in base64; NULL when the key does not open it. */
json_t *enrollee_prove_encryption(EVP_PKEY *key, const char *enveloped_base64,
                                  const char *certificate_base64);

json_t *base64_new(const void *data, size_t len);
struct der base64_read(const char *text);
X509 *base64_certificate(const char *text);

#endif
