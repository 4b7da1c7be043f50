/*
 * keys: the keys that the tests use, made once for each token, found again by label.
 *
 * Owner: none. Thread rule: any thread with a session of its own.
 */
#ifndef PINWARD_TESTS_KEYS_H
#define PINWARD_TESTS_KEYS_H

#include <p11-kit/pkcs11.h>
#include <stdbool.h>

/* Labels; the CKA_ID of each is its label. */
#define KEY_HIGH_RSA   "high rsa"  /* through the module: CKA_ALWAYS_AUTHENTICATE, the backend enforces it */
#define KEY_HIGH_EC    "high ec"   /* the same, P-256 */
#define KEY_PLAIN_RSA  "plain rsa" /* directly on the backend, without it: the gate's own check */
#define KEY_PLAIN_EC   "plain ec"
#define KEY_PUBLIC_RSA "public rsa" /* directly, and with CKA_PRIVATE false */
#define KEY_AES        "aes"        /* a secret key: none of the gate's business */
#define KEY_HMAC       "hmac"

/* Which of them a token is to have. */
enum key_set {
    KEYS_HIGH_RSA = 1,
    KEYS_HIGH_EC = 2,
    KEYS_PLAIN_RSA = 4,
    KEYS_PLAIN_EC = 8,
    KEYS_PUBLIC_RSA = 16,
    KEYS_AES = 32,
    KEYS_HMAC = 64,
};

/* What a private key is made with; the rest is decided by who makes it. */
struct key_wish {
    const char *label;
    bool on_token;
    CK_BBOOL private_key; /* CKA_PRIVATE */
    CK_BBOOL sensitive;
    CK_BBOOL extractable;
};

/* The defaults of a wish: on the token, private, sensitive, not extractable. */
struct key_wish key_wish_new(const char *label);

CK_RV key_make_rsa(CK_FUNCTION_LIST *p11, CK_SESSION_HANDLE session, const struct key_wish *wish,
                   CK_OBJECT_HANDLE *public_key, CK_OBJECT_HANDLE *private_key);
CK_RV key_make_ec(CK_FUNCTION_LIST *p11, CK_SESSION_HANDLE session, const struct key_wish *wish,
                  CK_OBJECT_HANDLE *public_key, CK_OBJECT_HANDLE *private_key);
CK_RV key_make_ed25519(CK_FUNCTION_LIST *p11, CK_SESSION_HANDLE session, const struct key_wish *wish,
                       CK_OBJECT_HANDLE *public_key, CK_OBJECT_HANDLE *private_key);
CK_RV key_make_secret(CK_FUNCTION_LIST *p11, CK_SESSION_HANDLE session, const char *label, CK_KEY_TYPE type,
                      CK_OBJECT_HANDLE *key);

/* The members of the set that go on the token directly, or through the module. */
void keys_make_direct(CK_FUNCTION_LIST *p11, CK_SESSION_HANDLE session, unsigned set);
void keys_make_through_module(CK_FUNCTION_LIST *p11, CK_SESSION_HANDLE session, unsigned set);

/* What became of making a key that not every backend makes: where it was refused, a case that looks for the key is
 * skipped. On SoftHSM2 a refusal is a failure. */
#define KEYS_REFUSED_MAX 16
void key_made(const char *label, CK_RV rv);
CK_RV key_refusal(const char *label);

/* CK_INVALID_HANDLE when there is none. */
CK_OBJECT_HANDLE key_find(CK_FUNCTION_LIST *p11, CK_SESSION_HANDLE session, CK_OBJECT_CLASS object_class,
                          const char *label);
/* The same; none is a failure. */
CK_OBJECT_HANDLE key_private(CK_FUNCTION_LIST *p11, CK_SESSION_HANDLE session, const char *label);
CK_OBJECT_HANDLE key_public(CK_FUNCTION_LIST *p11, CK_SESSION_HANDLE session, const char *label);
CK_OBJECT_HANDLE key_secret(CK_FUNCTION_LIST *p11, CK_SESSION_HANDLE session, const char *label);

/* CKA_ALWAYS_AUTHENTICATE; a token may not have the attribute, which then is false (PKCS#11 2.40, 4.9). */
bool key_always_authenticates(CK_FUNCTION_LIST *p11, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key);

/* An attribute that is a CK_BBOOL. */
bool key_bool(CK_FUNCTION_LIST *p11, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key, CK_ATTRIBUTE_TYPE type);

#endif
