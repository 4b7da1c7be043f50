/*
 * download: the verb that puts certificates back where their keys are: on this token, or nowhere.
 *
 * Owner: nothing is kept. Thread rule: one thread.
 */
#ifndef PINWARD_ENROLL_DOWNLOAD_H
#define PINWARD_ENROLL_DOWNLOAD_H

#include "common/error.h"
#include "enroll/app.h"

/* ERROR_TOKEN: none of the chosen certificates has its key on this token. */
enum error_code download_run(struct app *app, struct error *err);

#endif
