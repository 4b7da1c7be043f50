/* verify: signatures checked, messages encrypted and digests made by OpenSSL, without the backend. */
#ifndef PINWARD_TESTS_VERIFY_H
#define PINWARD_TESTS_VERIFY_H

#include <openssl/types.h>
#include <p11-kit/pkcs11.h>
#include <stdbool.h>

/* The public key, to be freed with EVP_PKEY_free. */
EVP_PKEY *verify_rsa_key(CK_FUNCTION_LIST *p11, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key);

/* Is it the PKCS#1 v1.5 SHA-256 signature of data by the RSA key whose public half is public_key? */
bool verify_rsa_sha256(CK_FUNCTION_LIST *p11, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE public_key,
                       const void *data, CK_ULONG data_len, const void *signature, CK_ULONG signature_len);

/* PKCS#1 v1.5 encryption of data to the key; message has room for 256 bytes. Returns its length. */
CK_ULONG verify_rsa_encrypt(CK_FUNCTION_LIST *p11, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE public_key,
                            const void *data, CK_ULONG data_len, CK_BYTE message[256]);

/* SHA-256 in lower-case hex. */
void verify_sha256_hex(const void *data, CK_ULONG data_len, char hex[65]);

#endif
