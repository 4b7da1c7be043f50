/*
 * account: the verbs that concern the account: login, passwd, logout, registration; and asking for a password
 * that the portal then judges.
 *
 * Owner: nothing is kept. Thread rule: one thread.
 */
#ifndef PINWARD_ENROLL_ACCOUNT_H
#define PINWARD_ENROLL_ACCOUNT_H

#include <stdio.h>

#include "common/error.h"
#include "enroll/app.h"
#include "enroll/portal.h"

enum error_code account_login(struct app *app, struct error *err);
enum error_code account_passwd(struct app *app, struct error *err);
enum error_code account_logout(struct app *app, struct error *err);
enum error_code account_registration(struct app *app, struct error *err);

/* Whether the portal allows such a name (docs/portal-api.yaml: AccountName). It can then also be part of a file's. */
enum error_code account_check_name(const char *account, struct error *err);

/* The portal's password: from --password-file, else through pinentry; text and prompt are for the second. */
enum error_code account_ask_password(const struct app *app, const char *text, const char *prompt,
                                     struct secret **password, struct error *err);

/* Prints the registration for a person. */
void account_print_registration(FILE *out, const struct portal_registration *registration);

#endif
