/*
 * log_verbs: "pinward log show" and "pinward log verify".
 */
#ifndef PINWARD_ENROLL_LOG_VERBS_H
#define PINWARD_ENROLL_LOG_VERBS_H

#include "enroll/app.h"

/* Prints the ledger, or its last lines, as a table or a JSON array. ERROR_STATE: there is none. */
enum error_code log_show(struct app *app, struct error *err);

/* ERROR_LEDGER: it is not as it was written; err names the first line at fault. ERROR_STATE: there is none. */
enum error_code log_verify(struct app *app, struct error *err);

#endif
