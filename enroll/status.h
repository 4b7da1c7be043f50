/*
 * status: the verb that shows the account's certificates, where they stand, and what is to be done next.
 *
 * Owner: nothing is kept. Thread rule: one thread.
 */
#ifndef PINWARD_ENROLL_STATUS_H
#define PINWARD_ENROLL_STATUS_H

#include "common/error.h"
#include "enroll/app.h"

/* ERROR_RENEWAL_DUE, with what to do as its sentence, when an active certificate is inside its renewal
 * window; ERROR_EXPIRED when only expired ones are left. */
enum error_code status_show(struct app *app, struct error *err);

#endif
