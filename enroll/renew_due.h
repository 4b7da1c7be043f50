/*
 * renew_due: the verb renew, and its --if-due for timers: does nothing, and well, until the last month has
 * come.
 *
 * The token's certificates are looked at first, so that a timer needs neither network nor login on most days.
 * Owner: nothing is kept. Thread rule: one thread.
 */
#ifndef PINWARD_ENROLL_RENEW_DUE_H
#define PINWARD_ENROLL_RENEW_DUE_H

#include "common/error.h"
#include "enroll/app.h"

enum error_code renew_run(struct app *app, struct error *err);

#endif
