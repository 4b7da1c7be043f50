/*
 * form_verbs: the verbs that fill in forms for the registration authority: what the portal does only on
 * paper.
 *
 * Each writes two new files, NAME.pdf and NAME.txt, and never over others. Owner: nothing is kept. Thread
 * rule: one thread.
 */
#ifndef PINWARD_ENROLL_FORM_VERBS_H
#define PINWARD_ENROLL_FORM_VERBS_H

#include "common/error.h"
#include "enroll/app.h"

enum error_code form_revoke(struct app *app, struct error *err);
enum error_code form_resume(struct app *app, struct error *err);

/* Needs no session: who has forgotten the password has none. */
enum error_code form_reset_password(struct app *app, struct error *err);

#endif
