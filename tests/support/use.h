/*
 * use: what tests do with keys again and again: sign and decrypt, and see whether it came out right.
 *
 * Owner: none. Thread rule: any thread with a session of its own.
 */
#ifndef PINWARD_TESTS_USE_H
#define PINWARD_TESTS_USE_H

#include "support/fixture.h"

#define USE_DATA     "What is signed, or was encrypted"
#define USE_DATA_LEN (sizeof USE_DATA - 1)

struct use_result {
    CK_BYTE bytes[512];
    CK_ULONG len;
};

/* A result whose bytes show whether anything was written. */
void use_result_init(struct use_result *result);
bool use_result_is_untouched(const struct use_result *result);

/* CKM_SHA256_RSA_PKCS. */
CK_RV use_sign_init(struct fixture *fx, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key);
/* C_Sign of USE_DATA. */
CK_RV use_sign_data(struct fixture *fx, CK_SESSION_HANDLE session, struct use_result *signature);
/* Both. */
CK_RV use_sign(struct fixture *fx, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key,
               struct use_result *signature);
/* Checked with OpenSSL; the public key has the same label. */
bool use_signature_is_good(struct fixture *fx, const char *label, const struct use_result *signature);

/* CKM_ECDSA over a digest, checked with the backend. */
CK_RV use_sign_ec(struct fixture *fx, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key,
                  struct use_result *signature);
bool use_ec_signature_is_good(struct fixture *fx, const char *label, const struct use_result *signature);

/* CKM_RSA_PKCS. */
CK_RV use_decrypt_init(struct fixture *fx, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key);
/* USE_DATA encrypted to the key of that label, with OpenSSL. */
void use_encrypt(struct fixture *fx, const char *label, struct use_result *message);
CK_RV use_decrypt_data(struct fixture *fx, CK_SESSION_HANDLE session, const struct use_result *message,
                       struct use_result *data);
bool use_data_is_right(const struct use_result *data);

#endif
