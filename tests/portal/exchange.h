/*
 * exchange: one request and its answer, with no knowledge of the HTTP library.
 *
 * Purpose: handlers read their input from here and answer exactly once with an answer_* function.
 * Owner: the server (exchange_new/_free); what body.h read out of the body lives as long as the exchange. The
 * body may hold passwords, so all of it is wiped at the end. Thread rule: one thread at a time for each
 * exchange.
 */
#ifndef PINWARD_PORTAL_EXCHANGE_H
#define PINWARD_PORTAL_EXCHANGE_H

#include <jansson.h>

#include "portal.h"
#include "problem.h"

#define ROUTE_VARIABLE_SIZE  512
#define EXCHANGE_HEADERS_MAX 8
#define EXCHANGE_OWNED_MAX   8

struct header {
    const char *name;
    char value[160];
};

struct response {
    unsigned status;          /* 0: not answered yet */
    const char *content_type; /* NULL: no body */
    char *body;
    size_t body_len;
    struct header headers[EXCHANGE_HEADERS_MAX];
    size_t header_count;
};

struct route;

struct exchange {
    const struct portal *portal;
    struct store *store;
    int64_t now_s;

    const struct route *route; /* NULL: no such path or method */
    char id[ROUTE_VARIABLE_SIZE]; /* the variable part of the path */
    const char *content_type;  /* of the request; these three are borrowed from the server and may be NULL */
    const char *accept_language;
    const char *cookie;

    char *body;
    size_t body_len;
    size_t body_capacity;
    json_t *json;
    void *owned[EXCHANGE_OWNED_MAX];
    struct secret *secrets[EXCHANGE_OWNED_MAX];
    size_t owned_count, secret_count;

    bool has_session;
    uint8_t session_hash[SESSION_HASH_SIZE];
    struct session session;

    struct response response;
};

struct exchange *exchange_new(const struct portal *portal);
void exchange_free(struct exchange **x);

/* Makes room for a body of that many bytes; only before the first byte, since a body is never moved in
 * memory. */
bool exchange_reserve_body(struct exchange *x, size_t capacity);

/* Gives memory (from malloc) to the exchange; false, and it is freed, when there is no place for it. */
bool exchange_own(struct exchange *x, void *memory);
bool exchange_own_secret(struct exchange *x, struct secret *secret);

void exchange_header(struct exchange *x, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The answer. A later answer replaces an earlier one. json and bytes are taken over, whatever happens. */
void answer_json(struct exchange *x, unsigned status, json_t *json);
void answer_bytes(struct exchange *x, const char *content_type, void *bytes, size_t len);
void answer_empty(struct exchange *x);

/* A problem; detail is one plain sentence: what was wrong and what to do. */
void answer_problem(struct exchange *x, enum problem problem, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same with extension members (RFC 9457 section 3.2), which are taken over. */
void answer_problem_with(struct exchange *x, enum problem problem, json_t *members, const char *detail);

/* After a failed store or a lack of memory: 503 busy or 500 internal, without any inner detail. */
void answer_failure(struct exchange *x);

/* A time of the portal as a JSON string; 0 gives null. */
json_t *json_time(int64_t time_s);
/* "" gives null. */
json_t *json_text_or_null(const char *text);
/* Bytes in base64 (RFC 4648 section 4). */
json_t *json_base64(const void *bytes, size_t len);

#endif
