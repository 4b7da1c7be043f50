/*
 * body: a request's JSON body, read against a table of its members. Strict: every member must be there, have
 * its type and length, and no other member may be.
 *
 * Thread rule: that of the exchange.
 */
#ifndef PINWARD_PORTAL_BODY_H
#define PINWARD_PORTAL_BODY_H

#include "exchange.h"

enum member_type {
    MEMBER_TEXT,   /* out: const char *; 1 to max bytes */
    MEMBER_UUID,   /* out: const char *; a UUID in lower case */
    MEMBER_HEX,    /* out: const char *; lower-case hex of 1 to max digits */
    MEMBER_BASE64, /* out: struct bytes; 1 to max bytes */
    MEMBER_SECRET, /* out: struct secret *; 1 to max bytes; the text in the JSON tree is wiped */
};

struct bytes {
    const uint8_t *data;
    size_t len;
};

struct member {
    const char *name;
    enum member_type type;
    size_t max;
    void *out;
};

/* Fills every member's out with values that live as long as the exchange, or answers 400 or 415 and returns
 * false. */
bool body_read(struct exchange *x, const struct member *members, size_t count);

/* For operations without input: no body at all or an empty object. */
bool body_read_nothing(struct exchange *x);

bool body_is_uuid(const char *text);

#endif
