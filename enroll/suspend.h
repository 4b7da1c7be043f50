/*
 * suspend: the verb that suspends certificates. Only the registration authority can resume them (pinward form
 * resume).
 *
 * Owner: nothing is kept. Thread rule: one thread.
 */
#ifndef PINWARD_ENROLL_SUSPEND_H
#define PINWARD_ENROLL_SUSPEND_H

#include "common/error.h"
#include "enroll/app.h"

enum error_code suspend_run(struct app *app, struct error *err);

#endif
