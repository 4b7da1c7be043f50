/*
 * bench_token: a throw-away SoftHSM2 token with one RSA-2048 key that needs no PIN per use.
 *
 * Owner: the caller's struct. Thread rule: set up and torn down by one thread.
 */
#ifndef PINWARD_BENCH_TOKEN_H
#define PINWARD_BENCH_TOKEN_H

#include <p11-kit/pkcs11.h>

struct bench_token {
    CK_FUNCTION_LIST *direct;  /* SoftHSM2 itself */
    CK_FUNCTION_LIST *pinward; /* the same through the module */
    CK_SLOT_ID slot;
    CK_SESSION_HANDLE session; /* keeps the login */
    CK_OBJECT_HANDLE key;
};

/* Loads both modules, initialises a token, logs in and makes the key. Ends the program with a message when
 * something fails: there is nothing to measure then. */
void bench_token_open(const char *backend_path, const char *module_path, struct bench_token *token);
void bench_token_close(struct bench_token *token);

#endif
