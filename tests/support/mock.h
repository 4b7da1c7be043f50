/*
 * mock: the module with the recording backend behind it.
 *
 * Owner: the test program. Thread rule: one thread.
 */
#ifndef PINWARD_TESTS_MOCK_H
#define PINWARD_TESTS_MOCK_H

#include "support/fixture.h"
#include "support/mock_backend.h"

const char *mock_backend_path(void);

/* The backend's state, set to its beginnings: a logged-in user, no object, every call answered with CKR_OK.
 */
struct mock_backend *mock_reset(void);

/* Writes the configuration with this backend instead of the real one; lines begin in section [module]. */
void mock_configure(struct fixture *fx, const char *backend, const char *lines);

/* mock_configure with the mock, C_Initialize, one R/W session. */
void mock_start(struct fixture *fx, const char *lines);

/* Waits until so many calls are taking their time (for at most 5 s). */
void mock_wait_inside(struct mock_backend *mock, unsigned calls);

#endif
