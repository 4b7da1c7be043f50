#include "client.h"

#include <ctype.h>
#include <curl/curl.h>
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct client {
    const struct fixture *fixture;
    CURL *curl;
    struct curl_slist *headers;
    bool chunked;
};

struct outgoing {
    const char *at;
    size_t left;
};

struct client *client_new(const struct fixture *f)
{
    struct client *c = calloc(1, sizeof(*c));
    char ca_file[400];

    assert_non_null(c);
    c->fixture = f;
    c->curl = curl_easy_init();
    assert_non_null(c->curl);
    snprintf(ca_file, sizeof(ca_file), "%s/root.pem", f->data);
    curl_easy_setopt(c->curl, CURLOPT_CAINFO, ca_file);
    curl_easy_setopt(c->curl, CURLOPT_COOKIEFILE, "");
    curl_easy_setopt(c->curl, CURLOPT_TIMEOUT, 60L);
    curl_easy_setopt(c->curl, CURLOPT_NOSIGNAL, 1L);
    return c;
}

void client_free(struct client **c)
{
    if (*c == NULL)
        return;
    curl_slist_free_all((*c)->headers);
    curl_easy_cleanup((*c)->curl);
    free(*c);
    *c = NULL;
}

void client_header(struct client *c, const char *header)
{
    c->headers = curl_slist_append(c->headers, header);
}

void client_use_chunks(struct client *c)
{
    c->chunked = true;
}

static size_t take_body(char *data, size_t size, size_t count, void *context)
{
    struct answer *answer = context;
    size_t len = size * count;
    char *grown = realloc(answer->body, answer->len + len + 1);

    if (grown == NULL)
        return 0;
    memcpy(grown + answer->len, data, len);
    answer->body = grown;
    answer->len += len;
    grown[answer->len] = '\0';
    return len;
}

static size_t take_header(char *data, size_t size, size_t count, void *context)
{
    struct answer *answer = context;
    size_t len = size * count;
    const char *colon = memchr(data, ':', len);
    char name[100];
    size_t name_len;

    if (colon == NULL || (name_len = (size_t)(colon - data)) >= sizeof(name))
        return len;
    for (size_t i = 0; i < name_len; i++)
        name[i] = (char)tolower((unsigned char)data[i]);
    name[name_len] = '\0';
    for (colon++; *colon == ' '; colon++)
        ;
    json_object_set_new(answer->headers, name, json_stringn(colon, (size_t)(data + len - 2 - colon)));
    return len;
}

static size_t give_body(char *to, size_t size, size_t count, void *context)
{
    struct outgoing *out = context;
    size_t len = size * count < out->left ? size * count : out->left;

    memcpy(to, out->at, len);
    out->at += len;
    out->left -= len;
    return len;
}

/* A request body for the record, without its passwords; NULL when it is not JSON. */
static json_t *redact(const void *body, size_t len)
{
    static const char *const secret_names[] = {"password", "old_password", "new_password"};
    json_t *json = body == NULL ? NULL : json_loadb(body, len, 0, NULL);

    for (size_t i = 0; json_is_object(json) && i < sizeof(secret_names) / sizeof(secret_names[0]); i++) {
        if (json_object_get(json, secret_names[i]) != NULL)
            json_object_set_new(json, secret_names[i], json_string("(not recorded)"));
    }
    return json;
}

static void record(const struct client *c, const char *method, const char *path, const void *body, size_t len,
                   const struct answer *answer)
{
    size_t size = sodium_base64_encoded_len(answer->len, sodium_base64_VARIANT_ORIGINAL);
    char *base64 = malloc(size);
    json_t *request = redact(body, len);
    json_t *line;

    assert_non_null(base64);
    sodium_bin2base64(base64, size, (const unsigned char *)answer->body, answer->len,
                      sodium_base64_VARIANT_ORIGINAL);
    line = json_pack("{s:s, s:s, s:o*, s:I, s:O, s:s}", "method", method, "path", path, "request", request,
                     "status", (json_int_t)answer->status, "headers", answer->headers, "body", base64);
    assert_non_null(line);
    assert_int_equal(json_dumpf(line, c->fixture->record, JSON_COMPACT), 0);
    fputc('\n', c->fixture->record);
    json_decref(line);
    free(base64);
}

static struct curl_slist *make_headers(const struct client *c, const char *content_type)
{
    struct curl_slist *headers = curl_slist_append(NULL, "Expect:");
    char line[200];

    snprintf(line, sizeof(line), content_type == NULL ? "Content-Type:" : "Content-Type: %s", content_type);
    headers = curl_slist_append(headers, line);
    for (const struct curl_slist *h = c->headers; h != NULL; h = h->next)
        headers = curl_slist_append(headers, h->data);
    if (c->chunked)
        headers = curl_slist_append(headers, "Transfer-Encoding: chunked");
    return headers;
}

static void set_body(struct client *c, const char *method, struct outgoing *out)
{
    bool has_body = out->at != NULL || strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0;

    curl_easy_setopt(c->curl, CURLOPT_NOBODY, strcmp(method, "HEAD") == 0 ? 1L : 0L);
    curl_easy_setopt(c->curl, CURLOPT_POST, has_body ? 1L : 0L);
    if (!has_body && strcmp(method, "HEAD") != 0)
        curl_easy_setopt(c->curl, CURLOPT_HTTPGET, 1L);
    curl_easy_setopt(c->curl, CURLOPT_POSTFIELDS, NULL);
    curl_easy_setopt(c->curl, CURLOPT_READFUNCTION, give_body);
    curl_easy_setopt(c->curl, CURLOPT_READDATA, out);
    curl_easy_setopt(c->curl, CURLOPT_POSTFIELDSIZE_LARGE,
                     c->chunked ? (curl_off_t)-1 : (curl_off_t)out->left);
    curl_easy_setopt(c->curl, CURLOPT_CUSTOMREQUEST, method);
}

void client_send(struct client *c, const char *method, const char *path, const char *content_type,
                 const void *body, size_t len, struct answer *answer)
{
    struct outgoing out = {body, body == NULL ? 0 : len};
    struct curl_slist *headers = make_headers(c, content_type);
    char url[1024];
    CURLcode code;

    memset(answer, 0, sizeof(*answer));
    answer->headers = json_object();
    snprintf(url, sizeof(url), "%s/api/v1%s", c->fixture->url, path);
    curl_easy_setopt(c->curl, CURLOPT_URL, url);
    curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(c->curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(c->curl, CURLOPT_WRITEDATA, answer);
    curl_easy_setopt(c->curl, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(c->curl, CURLOPT_HEADERDATA, answer);
    set_body(c, method, &out);
    code = curl_easy_perform(c->curl);
    curl_slist_free_all(headers);
    curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &answer->status);
    /* A server that refuses a body early closes the connection while curl still sends; its answer counts. */
    if (code != CURLE_OK && !(code == CURLE_SEND_ERROR && answer->status == 413))
        fail_msg("%s %s: %s", method, url, curl_easy_strerror(code));
    answer->json = answer->body == NULL ? NULL : json_loadb(answer->body, answer->len, 0, NULL);
    record(c, method, path, body, len, answer);
}

void client_call(struct client *c, const char *method, const char *path, json_t *body, struct answer *answer)
{
    char *text = body == NULL ? NULL : json_dumps(body, JSON_COMPACT);

    client_send(c, method, path, text == NULL ? NULL : "application/json", text,
                text == NULL ? 0 : strlen(text), answer);
    free(text);
    json_decref(body);
}

void client_cookie(struct client *c, char *out, size_t size)
{
    struct curl_slist *cookies = NULL;

    out[0] = '\0';
    curl_easy_getinfo(c->curl, CURLINFO_COOKIELIST, &cookies);
    /* Netscape's format: the value is the last of the tab-separated fields. */
    if (cookies != NULL && strstr(cookies->data, "pinward_session") != NULL)
        snprintf(out, size, "%s", strrchr(cookies->data, '\t') + 1);
    curl_slist_free_all(cookies);
}

void answer_clear(struct answer *answer)
{
    free(answer->body);
    json_decref(answer->headers);
    json_decref(answer->json);
    memset(answer, 0, sizeof(*answer));
}

const char *answer_header(const struct answer *answer, const char *name)
{
    const char *value = json_string_value(json_object_get(answer->headers, name));

    return value == NULL ? "" : value;
}

const char *answer_text(const struct answer *answer, const char *member)
{
    const char *value = json_string_value(json_object_get(answer->json, member));

    return value == NULL ? "" : value;
}

void assert_status(const struct answer *answer, long status)
{
    if (answer->status != status)
        fail_msg("status %ld, not %ld: %s", answer->status, status, answer->body == NULL ? "" : answer->body);
}

void assert_problem(const struct answer *answer, long status, const char *slug)
{
    char type[100];

    assert_status(answer, status);
    snprintf(type, sizeof(type), "urn:pinward:problem:%s", slug);
    assert_string_equal(answer_header(answer, "content-type"), "application/problem+json");
    assert_string_equal(answer_text(answer, "type"), type);
    assert_int_equal(json_integer_value(json_object_get(answer->json, "status")), status);
    assert_true(strlen(answer_text(answer, "detail")) > 10);
}
