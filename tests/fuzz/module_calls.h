/*
 * module_calls: the application: its calls to the module, with arguments out of the input.
 *
 * Owner: the sessions that it knows are kept here. Thread rule: one thread.
 */
#ifndef PINWARD_TESTS_MODULE_CALLS_H
#define PINWARD_TESTS_MODULE_CALLS_H

#include <stdbool.h>

#include "fuzz/fuzz.h"

/* C_Initialize and a first session, and the end of all. */
void calls_begin(void);
void calls_end(void);

/* One call, and what must hold after it. nested: a window is open, so the module is not finalized. */
void calls_make(struct fuzz_input *input, bool nested);

#endif
