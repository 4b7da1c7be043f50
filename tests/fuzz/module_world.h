/*
 * module_world: the configuration, the state folder, the clock and the token of one input.
 *
 * Owner: everything is kept here. Thread rule: one thread.
 */
#ifndef PINWARD_TESTS_MODULE_WORLD_H
#define PINWARD_TESTS_MODULE_WORLD_H

#include "fuzz/fuzz.h"

/* Three bytes say what the configuration and the token are like. */
void world_begin(struct fuzz_input *input);

/* Holds that nothing secret was written. */
void world_end(void);

#endif
