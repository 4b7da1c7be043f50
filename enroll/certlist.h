/*
 * certlist: the account's certificates, as the portal lists them, with whether each is on the token here: as
 * a table for people and as JSON.
 *
 * Owner: struct certlist is the caller's; its strings live as long as it does. Thread rule: one thread.
 */
#ifndef PINWARD_ENROLL_CERTLIST_H
#define PINWARD_ENROLL_CERTLIST_H

#include <stdio.h>

#include "common/error.h"
#include "enroll/app.h"
#include "enroll/portal.h"

enum certlist_place {
    CERTLIST_UNKNOWN, /* there is no token to look at */
    CERTLIST_ELSEWHERE,
    CERTLIST_HERE,
};

struct certlist {
    struct portal_certificates portal;
    enum certlist_place *places; /* of each of portal.items */
    char *token;                 /* the token's label; NULL: there is none */
};

/* Without a token the list is still worth having: why there is none is said on stderr. */
enum error_code certlist_read(const struct app *app, struct portal *portal, struct certlist *list,
                              struct error *err);
void certlist_clear(struct certlist *list);

/* Whole days until the end, by the portal's clock; negative when it has passed. */
long certlist_days_left(const struct certlist *list, const struct portal_certificate *row);

/* Is it active and inside its renewal window? */
bool certlist_is_due(const struct certlist *list, const struct portal_certificate *row);

/* Enough of a serial number to tell one certificate from another. */
#define CERTLIST_SERIAL_DIGITS 8

/* Prints the rows for which wanted (NULL: all) is true, with their places in the list from 1 on when
 * numbered. */
void certlist_print(FILE *out, const struct certlist *list, const bool *wanted, bool numbered);

json_t *certlist_json(const struct certlist *list, size_t i);

#endif
