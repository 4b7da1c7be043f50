/*
 * module_token: the most careless token there could be, as the gate's backend. Takes the place of
 * pkcs11-module/backend.c, which is not linked.
 *
 * It lets anybody do anything with any key, gives numbers of sessions and objects that are free again at once, and tells
 * the judge of everything that it is made to do with a private key. After every call token_check holds that no private
 * key has become weaker than it was.
 * Owner: everything is kept here, from token_begin on. Thread rule: one thread.
 */
#ifndef PINWARD_TESTS_MODULE_TOKEN_H
#define PINWARD_TESTS_MODULE_TOKEN_H

#include <stdbool.h>

#include "fuzz/judge.h"
#include "pkcs11-module/p11.h"
#include "pkcs11-module/p11_3.h"

/* What it does not do, as other tokens do not. */
enum token_habit {
    TOKEN_HAS_NO_MESSAGES = 1,       /* PKCS#11 2.40 only */
    TOKEN_KNOWS_NO_CONTEXT_LOGIN = 2, /* as NSS's softokn */
    TOKEN_LOSES_GUARD_IN_COPIES = 4, /* CKA_ALWAYS_AUTHENTICATE, as NSS's softokn */
    TOKEN_LACKS_GUARD = 8,           /* it knows no CKA_ALWAYS_AUTHENTICATE */
    TOKEN_HAS_NO_LENGTHS = 16,       /* it tells neither modulus nor curve */
    TOKEN_TAKES_FIRST = 32,          /* of an attribute that is in a template twice, instead of the last */
};

#define TOKEN_OBJECTS  40
#define TOKEN_SESSIONS 24

/* In private keys; to be seen in no output. */
#define TOKEN_PRIVATE_VALUE "private-exponent"

void token_begin(unsigned habits);

/* The numbers of the objects that are there from the beginning. */
enum token_object_number {
    TOKEN_ALPHA = 1, /* a private RSA key that the gate alone protects */
    TOKEN_BETA,      /* a private RSA key that the token guards */
    TOKEN_MEDIUM,    /* a private EC key of level medium */
    TOKEN_LOW,       /* a private RSA key of level low */
    TOKEN_LEAVES,    /* a private RSA key that may leave */
    TOKEN_PUBLIC,
    TOKEN_SECRET,    /* a secret key that does everything */
    TOKEN_CARRIER,   /* a secret key that nobody knows and that only wraps */
    TOKEN_BROUGHT,   /* a secret key of the application's own, for the session */
    TOKEN_STRANGE,   /* an object of a class that nobody knows */
    TOKEN_CERTIFICATE,
};

/* A number that tells this session from every other that ever was; 0: there is none of that handle. */
unsigned token_session_serial(CK_SESSION_HANDLE handle);

/* How many sessions are open: the application's, and all. */
unsigned token_sessions_of_application(void);
unsigned token_sessions(void);

/* After so many more calls one fails with rv. */
void token_will_fail(unsigned calls, CK_RV rv);

/* The user is logged out, as when a card is drawn and put back: nobody tells the gate. */
void token_forgets_login(void);

/* After a call of the application's. */
void token_check(void);

/* The backend's functions, of which those that the token has not answer CKR_FUNCTION_NOT_SUPPORTED
 * (module_backend.c). */
void token_fill(CK_FUNCTION_LIST_3_0 *functions);
bool token_has_messages(void);

#endif
