/*
 * once: uses of a private key that are one call (unwrap, derive, export), and the keys that tests of them
 * need.
 *
 * Owner: none. Thread rule: any thread with a session of its own.
 */
#ifndef PINWARD_TESTS_ONCE_H
#define PINWARD_TESTS_ONCE_H

#include <pthread.h>

#include "support/fixture.h"

/* The label of what is made, session objects and copies alike. */
#define ONCE_MADE "made here"

/* Made directly on the backend by once_make_keys. */
#define KEY_EXPORTABLE "exportable rsa" /* private, sensitive, and extractable */
#define KEY_WEAK       "weak rsa"       /* neither sensitive nor unextractable */
#define KEY_CARRIER    "carrier"        /* an AES key under which a private key may leave */

/* AES keys that wrap, under which no private key may leave: one for each reason, by label; ended by NULL. */
extern const char *const once_bad_carriers[];

/* A private key in its PKCS#8 form is longer than a struct use_result. */
struct blob {
    CK_BYTE bytes[2048];
    CK_ULONG len;
};

/* Makes the keys above, and wraps KEY_EXPORTABLE under KEY_AES. */
void once_make_keys(struct blob *wrapped);

/* An AES key of a known value, encrypted to the RSA key of that label, unwrapped with it in this session.
 * hex: the SHA-256 of what was unwrapped; may be NULL. */
CK_RV once_unwrap(struct fixture *fx, CK_SESSION_HANDLE session, const char *label, CK_OBJECT_HANDLE *made,
                  char hex[65]);
/* Has the key that it made the value that was encrypted? */
void once_expect_value(struct fixture *fx, CK_OBJECT_HANDLE made);

/* What C_DeriveKey is called with, so that a test can change it meanwhile. */
struct derivation {
    struct fixture *fx;
    CK_BYTE point[128];
    CK_ECDH1_DERIVE_PARAMS params;
    CK_MECHANISM mechanism;
    CK_OBJECT_HANDLE base, made;
    CK_RV rv;
    pthread_t thread;
};

/* ECDH (CKM_ECDH1_DERIVE) of the private key own with the public key other. derivation_run is a thread's
 * function. */
void derivation_init(struct derivation *derivation, struct fixture *fx, const char *own, const char *other);
void *derivation_run(void *derivation);
/* Both, and the secret that came out. */
CK_RV once_derive(struct fixture *fx, const char *own, const char *other, CK_BYTE secret[32]);

/* CKM_AES_KEY_WRAP_PAD; the blob is zeros when nothing came out. */
CK_RV once_wrap(CK_FUNCTION_LIST *p11, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE carrier,
                CK_OBJECT_HANDLE carried, struct blob *blob);
bool blob_is_empty(const struct blob *blob);

#endif
