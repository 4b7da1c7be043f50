#include "exchange.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "route.h"

struct exchange *exchange_new(const struct portal *portal)
{
    struct exchange *x = calloc(1, sizeof(*x));

    if (x != NULL)
        x->portal = portal;
    return x;
}

void exchange_free(struct exchange **x)
{
    if (x == NULL || *x == NULL)
        return;
    if ((*x)->body != NULL)
        secret_wipe((*x)->body, (*x)->body_capacity);
    free((*x)->body);
    json_decref((*x)->json);
    for (size_t i = 0; i < (*x)->owned_count; i++)
        free((*x)->owned[i]);
    for (size_t i = 0; i < (*x)->secret_count; i++)
        secret_free(&(*x)->secrets[i]);
    free((*x)->response.body);
    free(*x);
    *x = NULL;
}

bool exchange_reserve_body(struct exchange *x, size_t capacity)
{
    x->body = malloc(capacity + 1);
    if (x->body == NULL)
        return false;
    x->body_capacity = capacity;
    return true;
}

bool exchange_own(struct exchange *x, void *memory)
{
    if (memory == NULL || x->owned_count == EXCHANGE_OWNED_MAX) {
        free(memory);
        return false;
    }
    x->owned[x->owned_count++] = memory;
    return true;
}

bool exchange_own_secret(struct exchange *x, struct secret *secret)
{
    if (secret == NULL || x->secret_count == EXCHANGE_OWNED_MAX) {
        secret_free(&secret);
        return false;
    }
    x->secrets[x->secret_count++] = secret;
    return true;
}

void exchange_header(struct exchange *x, const char *name, const char *format, ...)
{
    struct response *response = &x->response;
    va_list values;

    if (response->header_count == EXCHANGE_HEADERS_MAX)
        return;
    response->headers[response->header_count].name = name;
    va_start(values, format);
    vsnprintf(response->headers[response->header_count].value, sizeof(response->headers[0].value), format,
              values);
    va_end(values);
    response->header_count++;
}

static void set_body(struct exchange *x, unsigned status, const char *content_type, char *body, size_t len)
{
    free(x->response.body);
    x->response.status = status;
    x->response.content_type = content_type;
    x->response.body = body;
    x->response.body_len = len;
}

/* False: no memory; the JSON is freed in any case. */
static bool set_json(struct exchange *x, unsigned status, const char *content_type, json_t *json)
{
    size_t flags = JSON_COMPACT;
    size_t len = json == NULL ? 0 : json_dumpb(json, NULL, 0, flags);
    char *body = len == 0 ? NULL : malloc(len);

    if (body != NULL && json_dumpb(json, body, len, flags) == len)
        set_body(x, status, content_type, body, len);
    else
        free(body);
    json_decref(json);
    return body != NULL;
}

void answer_json(struct exchange *x, unsigned status, json_t *json)
{
    if (!set_json(x, status, "application/json", json))
        answer_failure(x);
}

void answer_bytes(struct exchange *x, const char *content_type, void *bytes, size_t len)
{
    set_body(x, 200, content_type, bytes, len);
}

void answer_empty(struct exchange *x)
{
    set_body(x, 204, NULL, NULL, 0);
}

void answer_problem_with(struct exchange *x, enum problem problem, json_t *members, const char *detail)
{
    json_t *document = problem_new(problem, detail);

    if (document != NULL && members != NULL)
        (void)json_object_update(document, members);
    json_decref(members);
    if (!set_json(x, problem_status(problem), "application/problem+json", document))
        set_body(x, 500, NULL, NULL, 0); /* not even memory for a sentence */
    /* RFC 9110 section 15.5.2: a 401 names a way to log in. */
    if (problem_status(problem) == 401)
        exchange_header(x, "WWW-Authenticate", "Pinward realm=\"" PORTAL_API_PREFIX "/session\"");
}

void answer_problem(struct exchange *x, enum problem problem, const char *format, ...)
{
    char detail[512];
    va_list values;

    va_start(values, format);
    vsnprintf(detail, sizeof(detail), format, values);
    va_end(values);
    answer_problem_with(x, problem, NULL, detail);
}

void answer_failure(struct exchange *x)
{
    if (x->store != NULL && store_failure(x->store) == STORE_FAILURE_BUSY) {
        answer_problem(x, PROBLEM_BUSY,
                       "The portal is busy with another change; try again in a few seconds.");
        exchange_header(x, "Retry-After", "5");
        return;
    }
    if (x->route != NULL) /* the operator's line; the user is told nothing of the inside */
        fprintf(stderr, "pinward-portal: %s %s failed\n", x->route->method, x->route->path);
    answer_problem(x, PROBLEM_INTERNAL, "The portal failed at this; nothing was changed. Tell its operator.");
}

json_t *json_time(int64_t time_s)
{
    char text[CLOCK_RFC3339_LENGTH];

    if (time_s == 0)
        return json_null();
    clock_format_rfc3339(time_s, text);
    return json_string(text);
}

json_t *json_text_or_null(const char *text)
{
    return text[0] == '\0' ? json_null() : json_string(text);
}

json_t *json_base64(const void *bytes, size_t len)
{
    size_t size = sodium_base64_encoded_len(len, sodium_base64_VARIANT_ORIGINAL);
    char *text = malloc(size);
    json_t *json;

    if (text == NULL)
        return NULL;
    sodium_bin2base64(text, size, bytes, len, sodium_base64_VARIANT_ORIGINAL);
    json = json_string(text);
    free(text);
    return json;
}
