/*
 * logintries: the tool's own count of wrong passwords for each portal and account, kept so that nobody locks
 * an account by trying once more. The portal locks at the third; the tool stops before it.
 *
 * A try is written down before the password is sent and settled after the answer, so that a run that is
 * killed in between has counted it. Owner: the file is the state folder's. Thread rule: one thread; runs at
 * the same time are kept apart by a lock.
 */
#ifndef PINWARD_ENROLL_LOGINTRIES_H
#define PINWARD_ENROLL_LOGINTRIES_H

#include "common/error.h"
#include "enroll/app.h"
#include "enroll/problem.h"

#define LOGINTRIES_LOCK_AT 3 /* the portal's rule */

/* ERROR_LOCKED when two passwords in a row were wrong and --last-try was not given. Asked before the person
 * types. */
enum error_code logintries_check(const struct app *app, const char *account, struct error *err);

/* The same, and counts the try that is about to be made. */
enum error_code logintries_begin(const struct app *app, const char *account, struct error *err);

/* Settles that try by how it ended: outcome is the call's, problem the portal's refusal. When the password
 * was wrong, err gets a sentence with how many tries are left. Returns outcome, or why the count could not be
 * kept. */
enum error_code logintries_end(const struct app *app, const char *account, enum error_code outcome,
                               const struct problem *problem, struct error *err);

#endif
