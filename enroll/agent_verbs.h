/*
 * agent_verbs: the verbs about pinward-agent: who is connected, and its end.
 *
 * Owner: nothing is kept. Thread rule: one thread.
 */
#ifndef PINWARD_ENROLL_AGENT_VERBS_H
#define PINWARD_ENROLL_AGENT_VERBS_H

#include "common/error.h"
#include "enroll/app.h"

/* ERROR_STATE: there is none. */
enum error_code agent_verb_status(struct app *app, struct error *err);
enum error_code agent_verb_stop(struct app *app, struct error *err);

#endif
