/*
 * module_user: the user in front of the window. Takes the place of common/pinentry.c, which is not linked: reads in the
 * window what is being asked, answers as the input says, and tells the judge what was agreed to.
 *
 * Owner: the input is the target's. Thread rule: one thread.
 */
#ifndef PINWARD_TESTS_MODULE_USER_H
#define PINWARD_TESTS_MODULE_USER_H

#include "fuzz/fuzz.h"

/* Answers come from the input, a byte each. meanwhile: what the application does while a window is open. */
void user_begin(struct fuzz_input *input, void (*meanwhile)(void));

#endif
