/*
 * http: HTTPS requests to one server. The only file that knows libcurl.
 *
 * TLS 1.2 or later, the server's certificate verified against the pinned CA file alone, no redirect followed,
 * no other protocol spoken, answers limited in size and time. Owner: struct http is one connection with its
 * cookie; an answer is the caller's. Thread rule: one thread at a time for each struct http.
 */
#ifndef PINWARD_ENROLL_HTTP_H
#define PINWARD_ENROLL_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"
#include "common/secret.h"
#include "enroll/bytes.h"

struct http;

struct http_request {
    const char *method; /* "GET", "POST", "PUT", "DELETE" */
    const char *path;   /* from the base on, with the leading slash */
    const char *body;   /* JSON text; NULL: none. Stays the caller's, to be wiped if it holds a password */
    const char *accept_language; /* NULL: not sent */
    bool repeatable;             /* a repeat does no harm, so a lost answer is asked for again */
};

struct http_answer {
    int status;
    char content_type[128]; /* without parameters, lower case; empty: none */
    struct bytes body;
};

/* A client for base (https://host[:port]) that trusts ca_file only. timeout_s: for each http_send, its repeats included. */
enum error_code http_new(const char *base, const char *ca_file, unsigned timeout_s, struct http **http,
                         struct error *err);
void http_free(struct http **http);

/* The value of the session cookie: the one given, later the one that the server set; NULL: none. Borrowed. */
enum error_code http_set_cookie(struct http *http, const struct secret *cookie, struct error *err);
const struct secret *http_cookie(const struct http *http);

/* Sends the request and reads the answer, whatever its status. ERROR_NETWORK: no answer; ERROR_TLS: the
 * server is not the one that was pinned; ERROR_PROTOCOL: the answer is too large; ERROR_INTERRUPTED. *answer is cleared
 * and filled on success. */
enum error_code http_send(struct http *http, const struct http_request *request, struct http_answer *answer,
                          struct error *err);

void http_answer_clear(struct http_answer *answer);

#endif
