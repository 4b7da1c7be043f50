/*
 * request: reads and judges what an applicant sends: a PKCS#10 for the signing key that carries, signed by
 * it, a CRMF request for the encryption key; for a renewal the same inside a CMS SignedData of the old
 * signing key.
 *
 * Owner: struct enrollment_request is the caller's (enrollment_request_clear). Thread rule: any thread.
 */
#ifndef PINWARD_PORTAL_REQUEST_H
#define PINWARD_PORTAL_REQUEST_H

#include <openssl/x509.h>

#include "key_profile.h"
#include "store_application.h"

/* The attribute that holds an OCTET STRING with the DER of RFC 4211 CertReqMessages. Its arc is 2.25: a UUID.
 */
#define REQUEST_ATTRIBUTE_OID "2.25.196556539987194312349856245628873852187"

/* X(name, the "reason" of problem request-invalid, its sentence) */
#define REQUEST_FAULT_LIST(X)                                                                                \
    X(REQUEST_OK, "", "")                                                                                    \
    X(REQUEST_NOT_PKCS10, "not-pkcs10", "The request is not the DER of one PKCS#10; make it anew.")          \
    X(REQUEST_BAD_SIGNATURE, "bad-signature",                                                                \
      "The PKCS#10 is not signed by its own key with SHA-256 or better (SHA-384 with P-384); make it anew.") \
    X(REQUEST_WRONG_SUBJECT, "wrong-subject",                                                                \
      "The subject is not the registered one; use the subject_dn of the registration.")                      \
    X(REQUEST_WRONG_KEY, "wrong-key",                                                                        \
      "A key is not of the profile; make keys of the type and size that the registration's profile says.")   \
    X(REQUEST_SAME_KEYS, "same-keys", "The signing and the encryption key are the same; make two pairs.")    \
    X(REQUEST_KEY_REUSED, "key-reused", "A key was already used in an application; make new pairs.")         \
    X(REQUEST_CRMF_MISSING, "crmf-missing",                                                                  \
      "The request has not exactly one attribute with the encryption key; add it and sign the request "      \
      "again.")                                                                                              \
    X(REQUEST_CRMF_INVALID, "crmf-invalid",                                                                  \
      "The encryption key's CRMF is not one request with number 0, the subject, the key and a possession "   \
      "that "                                                                                                \
      "is shown later; make it anew.")                                                                       \
    X(REQUEST_CMS_INVALID, "cms-invalid",                                                                    \
      "The signed request is not a CMS SignedData with its content and one signature that verifies; sign "   \
      "it anew.")                                                                                            \
    X(REQUEST_WRONG_SIGNER, "wrong-signer",                                                                  \
      "The request is not signed by the old signing certificate of this account; sign it with that key.")    \
    X(REQUEST_PAIR_MISMATCH, "pair-mismatch",                                                                \
      "The old certificates are not a signing and an encryption certificate of one pair of this account.")   \
    X(REQUEST_NO_MEMORY, "no-memory", "")

enum request_fault {
#define X(name, reason, text) name,
    REQUEST_FAULT_LIST(X)
#undef X
};

struct enrollment_request {
    EVP_PKEY *signing_key;
    EVP_PKEY *encryption_key;
    uint8_t signing_spki_sha256[SHA256_SIZE];
    uint8_t encryption_spki_sha256[SHA256_SIZE];
};

const char *request_fault_reason(enum request_fault fault);
const char *request_fault_text(enum request_fault fault);

/* Everything that can be judged from the bytes alone. *request is filled on REQUEST_OK only. */
enum request_fault enrollment_request_read(const uint8_t *der, size_t len, const X509_NAME *subject,
                                           const struct key_profile *profile, struct enrollment_request *request);
void enrollment_request_clear(struct enrollment_request *request);

/* Verifies a renewal's CMS SignedData against the signer's certificate, as stored here, and hands out its
 * content: a new buffer for the caller to free. The certificates inside the CMS are not trusted for anything.
 */
enum request_fault signed_request_open(const uint8_t *der, size_t len, X509 *signer, uint8_t **content,
                                       size_t *content_len);

/* The encryption key in CertReqMessages; see request_crmf.c. The caller frees it. */
enum request_fault request_crmf_key(const uint8_t *der, size_t len, const X509_NAME *subject, EVP_PKEY **key);

#endif
