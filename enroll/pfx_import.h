/*
 * pfx_import: the verbs that bring a pair of keys with their certificates back onto a token.
 *
 * The import is a table of steps, each named by the state of the journal (import_journal.h) that it leads to; a step
 * whose state has been reached is not run again, and a state is on disk before the next step begins.
 * Owner: nothing is kept. Thread rule: one thread.
 */
#ifndef PINWARD_ENROLL_PFX_IMPORT_H
#define PINWARD_ENROLL_PFX_IMPORT_H

#include "common/error.h"
#include "enroll/app.h"

enum error_code pfx_import(struct app *app, struct error *err);

/* From the folder of a backup. */
enum error_code pfx_restore(struct app *app, struct error *err);

#endif
