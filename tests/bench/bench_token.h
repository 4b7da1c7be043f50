/*
 * bench_token: a throw-away SoftHSM2 token with three RSA-2048 keys: one at level low, and two at level high, of which the
 * token itself protects one (CKA_ALWAYS_AUTHENTICATE).
 *
 * Owner: the caller's struct. Thread rule: set up and torn down by one thread.
 */
#ifndef PINWARD_BENCH_TOKEN_H
#define PINWARD_BENCH_TOKEN_H

#include <p11-kit/pkcs11.h>

#define BENCH_PIN "123456"

/* Labels, which the configuration names. */
#define BENCH_KEY_LOW   "low"
#define BENCH_KEY_GATE  "high, by the gate"
#define BENCH_KEY_TOKEN "high, by the token"

struct bench_token {
    CK_FUNCTION_LIST *direct;  /* SoftHSM2 itself */
    CK_FUNCTION_LIST *pinward; /* the same through the module */
    CK_SLOT_ID slot;           /* of the module; a new token's number is another where it is found later */
    CK_SLOT_ID slot_direct;
    CK_SESSION_HANDLE session; /* of the module: keeps the login */
    CK_OBJECT_HANDLE key;       /* at level low */
    CK_OBJECT_HANDLE key_gate;  /* at level high */
    CK_OBJECT_HANDLE key_token; /* the same, with CKA_ALWAYS_AUTHENTICATE */
};

/* Loads both modules, initialises a token, makes the keys, and logs in through the module, which is the login of both: it
 * is one backend. Ends the program with a message when something fails: there is nothing to measure then. */
void bench_token_open(const char *backend_path, const char *module_path, struct bench_token *token);
void bench_token_close(struct bench_token *token);

#endif
