/*
 * operations: what the bench measures, each as a program would do it.
 *
 * Owner: a constant table. Thread rule: any thread, each with a session of its own.
 */
#ifndef PINWARD_BENCH_OPERATIONS_H
#define PINWARD_BENCH_OPERATIONS_H

#include "tests/bench/place.h"

/* Does it once. */
typedef CK_RV operation_function(const struct place *place, CK_SESSION_HANDLE session);

/* NULL: there is none of that name. */
operation_function *operation_named(const char *name);

#endif
