/*
 * token_verbs: the verbs about tokens themselves: which there are, what is on one, a new one, its PIN.
 *
 * Owner: nothing is kept. Thread rule: one thread.
 */
#ifndef PINWARD_ENROLL_TOKEN_VERBS_H
#define PINWARD_ENROLL_TOKEN_VERBS_H

#include "common/error.h"
#include "enroll/app.h"

enum error_code token_verb_list(struct app *app, struct error *err);
enum error_code token_verb_info(struct app *app, struct error *err);
enum error_code token_verb_init(struct app *app, struct error *err);
enum error_code pin_verb_change(struct app *app, struct error *err);
enum error_code pin_verb_unblock(struct app *app, struct error *err);

#endif
