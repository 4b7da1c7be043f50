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

/* Loads and initialises the backend. */
void backend_direct_open(struct backend_direct *direct);
/* The PKCS#11 that it speaks: of the interface that C_GetInterface gives (3.0), else what C_GetInfo says. */
CK_VERSION backend_direct_version(const struct backend_direct *direct);
void backend_direct_close(struct backend_direct *direct);

/* The slot of the fixture's token, or the first whose token is not initialised. */
CK_SLOT_ID backend_slot(CK_FUNCTION_LIST *p11, CK_BBOOL initialised);

/* Makes the token FIXTURE_TOKEN with both PINs as the standard says: C_InitToken, and C_InitPIN by the security officer. */
void backend_make_token(CK_FUNCTION_LIST *p11);

#endif
