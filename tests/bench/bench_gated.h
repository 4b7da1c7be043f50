/*
 * bench_gated: what level high costs one signature besides pinentry's own time.
 *
 * Owner: none. Thread rule: one thread, which has the folder SCRIPTED_PINENTRY_DIR to itself.
 */
#ifndef PINWARD_BENCH_GATED_H
#define PINWARD_BENCH_GATED_H

#include "tests/bench/bench_token.h"

/* Prints, for both protected keys of the token, medians over this many rounds: a signature made directly, a bare question
 * put to that pinentry by the module's own code, a gated signature, and what is left of it without the first two; and that
 * last figure of the fastest tenths. Ends the program with a message when something fails. */
void bench_gated(const struct bench_token *token, const char *pinentry, unsigned rounds);

#endif
