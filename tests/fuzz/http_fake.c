#include "fuzz/http_fake.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "enroll/http.h"

struct http {
    struct secret *cookie;
};

static struct fuzz_input *answers;

void http_fake_begin(struct fuzz_input *input)
{
    answers = input;
}

enum error_code http_new(const char *base, const char *ca_file, unsigned timeout_s, struct http **http,
                         struct error *err)
{
    (void)base, (void)ca_file, (void)timeout_s, (void)err;
    *http = calloc(1, sizeof **http);
    fuzz_require(*http != NULL, "there is memory");
    return ERROR_NONE;
}

void http_free(struct http **http)
{
    if (!http || !*http)
        return;
    secret_free(&(*http)->cookie);
    free(*http);
    *http = NULL;
}

enum error_code http_set_cookie(struct http *http, const struct secret *cookie, struct error *err)
{
    (void)err;
    secret_free(&http->cookie);
    http->cookie = secret_copy(cookie);
    return ERROR_NONE;
}

const struct secret *http_cookie(const struct http *http)
{
    return http->cookie;
}

enum error_code http_send(struct http *http, const struct http_request *request, struct http_answer *answer,
                          struct error *err)
{
    static const int statuses[] = {200, 201, 204, 302, 400, 401, 403, 404, 409, 410, 422, 500, 503};
    static const char *const types[] = {"application/json", "application/problem+json", "application/pkix-cert",
                                        "application/pem-certificate-chain", "application/pkix-crl", "text/html", ""};
    uint8_t type;
    size_t len;

    (void)http, (void)request;
    if (answers->left == 0)
        return error_set(err, ERROR_NETWORK, "The portal does not answer.");
    http_answer_clear(answer);
    answer->status = statuses[fuzz_byte(answers) % (sizeof statuses / sizeof statuses[0])];
    type = fuzz_byte(answers) % (sizeof types / sizeof types[0]);
    snprintf(answer->content_type, sizeof answer->content_type, "%s", types[type]);
    if (type < 2) {
        char *text = fuzz_text(answers);

        fuzz_require(bytes_set(&answer->body, text, strlen(text)), "there is memory");
        free(text);
    } else {
        const uint8_t *rest = fuzz_bytes(answers, answers->left, &len);

        fuzz_require(bytes_set(&answer->body, rest, len), "there is memory");
    }
    return ERROR_NONE;
}

void http_answer_clear(struct http_answer *answer)
{
    bytes_clear(&answer->body);
    memset(answer, 0, sizeof *answer);
}
