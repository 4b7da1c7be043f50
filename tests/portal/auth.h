/*
 * auth: is this the account's password? Counts the try and locks the account after the third wrong one.
 *
 * Thread rule: that of the exchange.
 */
#ifndef PINWARD_PORTAL_AUTH_H
#define PINWARD_PORTAL_AUTH_H

#include "exchange.h"

/* True when it is; *account (may be NULL) is then filled. Else it has answered: 401 login-failed with the
 * tries left, 423 account-locked, or a failure. An account that does not exist answers, counts and takes as
 * long as one that does. Must not be called inside a transaction: Argon2 is slow, and the count must survive.
 */
bool auth_check(struct exchange *x, const char *name, const struct secret *password, struct account *account);

#endif
