/*
 * backend_direct: the real backend without the gate: to set up what the module would not make, and to see
 * what really is on the token.
 *
 * Owner: struct backend_direct is the caller's, from _open to _close. The module must not be initialised
 * meanwhile in the same process: a backend has one state a process. Thread rule: one thread.
 */
#ifndef PINWARD_TESTS_BACKEND_DIRECT_H
#define PINWARD_TESTS_BACKEND_DIRECT_H

#include <p11-kit/pkcs11.h>

struct backend_direct {
    void *library;
    CK_FUNCTION_LIST *p11;
};

const char *backend_direct_path(void);

/* Loads and initialises the backend. */
void backend_direct_open(struct backend_direct *direct);
void backend_direct_close(struct backend_direct *direct);

/* The first slot whose token is initialised (or is not). */
CK_SLOT_ID backend_slot(CK_FUNCTION_LIST *p11, CK_BBOOL initialised);

/* Makes a token with these PINs. */
void backend_make_token(CK_FUNCTION_LIST *p11, const char *label, const char *so_pin, const char *pin);

#endif
