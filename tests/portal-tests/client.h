/*
 * client: an HTTPS client with a cookie jar of its own, as a user's tool has; every exchange is recorded.
 *
 * Owner: the test (client_new/_free, answer_clear). Thread rule: one thread for each client.
 */
#ifndef PINWARD_PORTAL_TESTS_CLIENT_H
#define PINWARD_PORTAL_TESTS_CLIENT_H

#include <jansson.h>

#include "fixture.h"

struct client;

struct answer {
    long status;
    char *body; /* NUL behind the last byte */
    size_t len;
    json_t *headers; /* object of strings, names in lower case */
    json_t *json;    /* NULL: the body is not JSON */
};

struct client *client_new(const struct fixture *f);
void client_free(struct client **c);

/* A request whose body is this JSON (taken over; NULL: no body). path is below /api/v1. */
void client_call(struct client *c, const char *method, const char *path, json_t *body, struct answer *answer);

/* The same with any bytes and any media type; a NULL type sends no Content-Type. */
void client_send(struct client *c, const char *method, const char *path, const char *content_type,
                 const void *body, size_t len, struct answer *answer);

/* A header for all further requests, "Name: value". */
void client_header(struct client *c, const char *header);
/* Sends bodies in chunks, without a Content-Length. */
void client_use_chunks(struct client *c);
/* The value of the session cookie that the client holds; "": none. */
void client_cookie(struct client *c, char *out, size_t size);

void answer_clear(struct answer *answer);
const char *answer_header(const struct answer *answer, const char *name); /* "" when it is not there */
const char *answer_text(const struct answer *answer, const char *member); /* "" when it is no string member */

/* cmocka assertions that also show the answer when they fail. */
void assert_status(const struct answer *answer, long status);
void assert_problem(const struct answer *answer, long status, const char *slug);

#endif
