/*
 * session: being logged in, from one run of the tool to the next: a private file with the portal's cookie.
 *
 * Owner: struct session is the caller's. Thread rule: one thread.
 */
#ifndef PINWARD_ENROLL_SESSION_H
#define PINWARD_ENROLL_SESSION_H

#include "common/error.h"
#include "common/secret.h"
#include "enroll/app.h"
#include "enroll/portal.h"

struct session {
    char *account;
    struct portal *portal; /* with the cookie set */
};

/* Keeps the portal's cookie for account. */
enum error_code session_save(const struct app *app, const struct portal *portal, const char *account,
                             struct error *err);

/* Opens the portal with the kept cookie. ERROR_LOGIN: nobody is logged in at the configured portal. */
enum error_code session_open(const struct app *app, struct session *session, struct error *err);

/* Ends the use of the session; when the portal has said that it is over, the file goes too. */
void session_close(const struct app *app, struct session *session);

/* Forgets the session's file. */
enum error_code session_forget(const struct app *app, struct error *err);

#endif
