/*
 * backend_kind: the PKCS#11 modules that the tests put behind the gate, and what each needs: files, an environment,
 * arguments, the steps that make a token.
 *
 * The environment variable PINWARD_TEST_BACKEND names the one that a test program runs on; without it, SoftHSM2. What a
 * backend can do is not listed here: a test asks the backend (support/lacks.h).
 *
 * Owner: the kinds are constants; one test program uses one kind. Thread rule: set-up from one thread.
 */
#ifndef PINWARD_TESTS_BACKEND_KIND_H
#define PINWARD_TESTS_BACKEND_KIND_H

#include <p11-kit/pkcs11.h>

#define BACKEND_ARGUMENTS_MAX 512

struct backend_kind {
    const char *name;
    const char *library;
    /* Makes what the backend needs in the fixture's folder (where the folder "tokens" is) and sets its environment,
     * before anything loads it. arguments: what C_Initialize is to get in pReserved; it comes empty, for nothing. */
    void (*prepare)(const char *folder, char arguments[BACKEND_ARGUMENTS_MAX]);
    /* Makes the token FIXTURE_TOKEN, with the user's PIN FIXTURE_PIN and, where there is a security officer's,
     * FIXTURE_SO_PIN. The backend has been initialised, without the gate. */
    void (*make_token)(CK_FUNCTION_LIST *p11);
    /* Ends what prepare began (a process); NULL when there is nothing to end. */
    void (*release)(void);
};

extern const struct backend_kind backend_softhsm2;
#ifdef TEST_SOFTOKN
extern const struct backend_kind backend_softokn;
#endif
#ifdef TEST_TPM2
extern const struct backend_kind backend_tpm2;
#endif

/* The one that this program runs on. An unknown name ends the test. */
const struct backend_kind *backend_kind(void);

/* backend_kind()->prepare, whose arguments are kept for the next two. */
void backend_kind_prepare(const char *folder);
void backend_kind_release(void);

/* NULL when there are none. */
const char *backend_kind_arguments(void);

/* The lines of section [module] that name it, always two: backend, and backend-args or a comment. */
const char *backend_kind_lines(void);

#endif
