/*
 * once_world: the module on the backend that records, with keys for calls that are one use.
 *
 * Owner: the test program's, from one test's start to its stop. Thread rule: one thread, but for what says otherwise.
 */
#ifndef PINWARD_TESTS_ONCE_WORLD_H
#define PINWARD_TESTS_ONCE_WORLD_H

#include "support/mock.h"

#define ONCE_PIN   "4711-pin"
#define ONCE_RIGHT "pin " ONCE_PIN "\n"

enum once_object { ONCE_SECRET = 1, ONCE_PRIVATE, ONCE_ENFORCED, ONCE_CARRIER, ONCE_COPY };

extern struct fixture fx;
extern struct mock_backend *mock;
extern CK_MECHANISM rsa;

/* As cmocka's group setup and teardown. */
int once_begin(void **state);
int once_end(void **state);

/* lines: of the configuration. */
void once_start(const char *lines);
void once_start_logged_in(const char *lines);
int once_stop(void **state);

/* C_WrapKey of ONCE_PRIVATE. */
CK_RV once_export_by(CK_MECHANISM_TYPE type, CK_OBJECT_HANDLE carrier);
CK_RV once_export_under(CK_OBJECT_HANDLE carrier);

#endif
