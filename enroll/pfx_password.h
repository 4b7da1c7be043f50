/*
 * pfx_password: passwords of PFX files, asked for through pinentry.
 *
 * Whoever has the file can try passwords without limit, so a new one has to be good.
 * Owner: the password is the caller's. Thread rule: one thread.
 */
#ifndef PINWARD_ENROLL_PFX_PASSWORD_H
#define PINWARD_ENROLL_PFX_PASSWORD_H

#include "common/error.h"
#include "common/secret.h"
#include "enroll/app.h"
#include "enroll/pfx.h"

/* What is wrong with a new password, as a sentence; NULL: nothing. */
const char *pfx_password_fault(const struct secret *password, const char *name);

/* A new password, typed twice, asked again while it is no good. what: what it is for. name: what must not be in it;
 * NULL: nothing. --new-password-file gives it without asking. */
enum error_code pfx_password_choose(const struct app *app, const char *what, const char *name,
                                    struct secret **password, struct error *err);

/* Reads the file and opens it with the password that is asked for, up to three times; --password-file gives it without
 * asking. password: if not NULL and not empty, it is tried first; what opened the file is kept there. */
enum error_code pfx_password_open(const struct app *app, const char *path, struct secret **password, struct pfx *pfx,
                                  struct error *err);

#endif
