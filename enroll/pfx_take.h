/*
 * pfx_take: a pair of keys with their certificates, taken off the token for PFX files.
 *
 * Owner: struct pfx_take is the verb's, from pfx_take_begin to pfx_take_end; the keys are in memory only after
 * pfx_take_keys. Thread rule: one thread.
 */
#ifndef PINWARD_ENROLL_PFX_TAKE_H
#define PINWARD_ENROLL_PFX_TAKE_H

#include "common/error.h"
#include "enroll/app.h"
#include "enroll/pfx.h"
#include "enroll/token_pair.h"

struct pfx_take {
    struct token *token;
    struct token_pair pair;
    struct pfx signing;
    struct pfx encryption;
};

/* Finds the pair that --name means and makes sure that both keys may leave. ERROR_CONFIG, ERROR_STATE: they may not, and
 * why. */
enum error_code pfx_take_begin(const struct app *app, struct pfx_take *take, struct error *err);

/* Copies of both keys; the module asks for each. */
enum error_code pfx_take_keys(struct pfx_take *take, struct error *err);

void pfx_take_end(struct pfx_take *take);

#endif
