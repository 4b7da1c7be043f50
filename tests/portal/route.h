/*
 * route: the table of the API: method and path, handler, and who may call it.
 *
 * Thread rule: constant; any thread.
 */
#ifndef PINWARD_PORTAL_ROUTE_H
#define PINWARD_PORTAL_ROUTE_H

#include "exchange.h"

enum route_access {
    ROUTE_PUBLIC,
    ROUTE_SESSION,
    ROUTE_SESSION_ANY_PASSWORD, /* also while the password must be changed */
};

struct route {
    const char *method;
    const char *path; /* below PORTAL_API_PREFIX; {id} is the variable segment, {rest} all that follows */
    void (*handle)(struct exchange *x);
    enum route_access access;
    bool cacheable; /* the answer carries no Cache-Control: no-store */
};

enum route_match {
    ROUTE_FOUND,
    ROUTE_NO_METHOD, /* the path is there, with other methods: allow says which */
    ROUTE_NO_PATH,
};

#define ROUTE_ALLOW_SIZE 64

/* HEAD is matched as GET (RFC 9110 section 9.3.2). A variable part that does not fit id matches nothing. */
enum route_match route_find(const char *method, const char *path, const struct route **route,
                            char id[ROUTE_VARIABLE_SIZE], char allow[ROUTE_ALLOW_SIZE]);

/* Runs an exchange whose body has arrived: session, forced password change, handler; always answers. */
void route_run(struct exchange *x);

#endif
