#include "enroll/http.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include <curl/curl.h>

#include "common/i18n.h"
#include "common/log.h"
#include "enroll/interrupt.h"
#include "enroll/progress.h"

#define HTTP_COOKIE_NAME       "pinward_session"
#define HTTP_COOKIE_MAX        512
#define HTTP_ANSWER_MAX        (1024UL * 1024UL)
#define HTTP_CONNECT_TIMEOUT_S 10L
#define HTTP_TRIES             3
#define HTTP_PAUSE_MS          200

struct http {
    CURL *curl;
    CURLM *multi; /* runs the one transfer, so that waiting for it can be interrupted */
    long timeout_ms;
    char *base;
    struct secret *cookie;
    char curl_error[CURL_ERROR_SIZE];
};

/* Where libcurl's callbacks put what arrives. */
struct http_receiver {
    struct http_answer *answer;
    struct secret *cookie; /* what Set-Cookie said; NULL: nothing */
    bool too_large;
};

static size_t http_receive_body(char *data, size_t size, size_t count, void *user)
{
    struct http_receiver *receiver = user;
    size_t len = size * count;

    if (receiver->answer->body.len + len > HTTP_ANSWER_MAX) {
        receiver->too_large = true;
        return 0;
    }
    return bytes_append(&receiver->answer->body, data, len) ? len : 0;
}

/* The value behind "Name:" when the header line has this name, without blanks; its length in *len. */
static const char *http_header_value(const char *line, size_t line_len, const char *name, size_t *len)
{
    size_t name_len = strlen(name);

    if (line_len <= name_len || line[name_len] != ':' || strncasecmp(line, name, name_len) != 0) {
        return NULL;
    }
    line += name_len + 1;
    line_len -= name_len + 1;
    while (line_len > 0 && isspace((unsigned char)*line)) {
        line++;
        line_len--;
    }
    while (line_len > 0 && isspace((unsigned char)line[line_len - 1])) {
        line_len--;
    }
    *len = line_len;
    return line;
}

/* Set-Cookie (RFC 6265 section 4.1): the value ends at ';'. Only the session's cookie matters here. */
static void http_take_cookie(struct http_receiver *receiver, const char *value, size_t len)
{
    static const char prefix[] = HTTP_COOKIE_NAME "=";
    const char *end = memchr(value, ';', len);
    size_t pair_len = end ? (size_t)(end - value) : len;

    if (pair_len >= sizeof prefix - 1 && strncmp(value, prefix, sizeof prefix - 1) == 0 &&
        pair_len - (sizeof prefix - 1) <= HTTP_COOKIE_MAX) {
        secret_free(&receiver->cookie);
        receiver->cookie = secret_from(value + sizeof prefix - 1, pair_len - (sizeof prefix - 1));
    }
}

static size_t http_receive_header(char *line, size_t size, size_t count, void *user)
{
    struct http_receiver *receiver = user;
    size_t line_len = size * count;
    const char *value;
    size_t len = 0;

    value = http_header_value(line, line_len, "Content-Type", &len);
    if (value) {
        char *type = receiver->answer->content_type;
        size_t i;

        for (i = 0;
             i < len && value[i] != ';' && value[i] != ' ' && i < sizeof receiver->answer->content_type - 1;
             i++) {
            type[i] = (char)tolower((unsigned char)value[i]);
        }
        type[i] = '\0';
    }
    value = http_header_value(line, line_len, "Set-Cookie", &len);
    if (value) {
        http_take_cookie(receiver, value, len);
    }
    return line_len;
}

/* A proxy cannot reach this machine's loopback, whatever the environment says about proxies. */
static bool http_is_loopback(const char *base)
{
    static const char *const hosts[] = {"https://localhost", "https://127.", "https://[::1]"};

    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        size_t len = strlen(hosts[i]);

        if (strncasecmp(base, hosts[i], len) == 0 && (i == 1 || strchr(":/", base[len]))) {
            return true;
        }
    }
    return false;
}

/* What holds for every request. */
static bool http_configure(struct http *http, const char *ca_file)
{
    CURL *curl = http->curl;

    return curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https") == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_CAINFO, ca_file) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_CAPATH, NULL) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, HTTP_CONNECT_TIMEOUT_S) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_USERAGENT, "pinward/" PINWARD_VERSION) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, http->curl_error) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, http_receive_body) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, http_receive_header) == CURLE_OK &&
           (!http_is_loopback(http->base) || curl_easy_setopt(curl, CURLOPT_NOPROXY, "*") == CURLE_OK);
}

enum error_code http_new(const char *base, const char *ca_file, unsigned timeout_s, struct http **http,
                         struct error *err)
{
    struct http *made = calloc(1, sizeof *made);

    if (!made) {
        return error_set(err, ERROR_MEMORY, "%s", "");
    }
    made->base = strdup(base);
    made->timeout_ms = (long)timeout_s * 1000;
    made->curl = curl_easy_init();
    made->multi = curl_multi_init();
    if (!made->base || !made->curl || !made->multi || !http_configure(made, ca_file)) {
        http_free(&made);
        return error_set(err, ERROR_INTERNAL,
                         _("libcurl cannot be set up for HTTPS: install it with OpenSSL."));
    }
    *http = made;
    return ERROR_NONE;
}

void http_free(struct http **http)
{
    if (http && *http) {
        curl_easy_cleanup((*http)->curl);
        curl_multi_cleanup((*http)->multi);
        secret_free(&(*http)->cookie);
        free((*http)->base);
        free(*http);
        *http = NULL;
    }
}

enum error_code http_set_cookie(struct http *http, const struct secret *cookie, struct error *err)
{
    struct secret *copy = NULL;

    if (cookie) {
        copy = secret_copy(cookie);
        if (!copy) {
            return error_set(err, ERROR_MEMORY, "%s", "");
        }
    }
    secret_free(&http->cookie);
    http->cookie = copy;
    return ERROR_NONE;
}

const struct secret *http_cookie(const struct http *http)
{
    return http->cookie;
}

/* The request's header lines; NULL: no memory. libcurl's copies are wiped when freed (wipealloc). */
static struct curl_slist *http_headers(const struct http_request *request)
{
    struct curl_slist *list =
        curl_slist_append(NULL, "Accept: application/json, application/problem+json, */*");
    struct curl_slist *longer;
    char line[64];

    if (list && request->body) {
        longer = curl_slist_append(list, "Content-Type: application/json");
        if (!longer) {
            curl_slist_free_all(list);
        }
        list = longer;
    }
    if (list && request->accept_language) {
        snprintf(line, sizeof line, "Accept-Language: %s", request->accept_language);
        longer = curl_slist_append(list, line);
        if (!longer) {
            curl_slist_free_all(list);
        }
        list = longer;
    }
    return list;
}

static bool http_set_request_cookie(struct http *http)
{
    char pair[sizeof HTTP_COOKIE_NAME + HTTP_COOKIE_MAX + 2];
    bool ok;

    if (!http->cookie) {
        return curl_easy_setopt(http->curl, CURLOPT_COOKIE, NULL) == CURLE_OK;
    }
    snprintf(pair, sizeof pair, "%s=%s", HTTP_COOKIE_NAME, secret_bytes(http->cookie));
    ok = curl_easy_setopt(http->curl, CURLOPT_COOKIE, pair) == CURLE_OK;
    secret_wipe(pair, sizeof pair);
    return ok;
}

static bool http_prepare(struct http *http, const struct http_request *request, const char *url,
                         struct curl_slist *headers, struct http_receiver *receiver)
{
    CURL *curl = http->curl;
    const char *body = request->body ? request->body : "";

    /* CUSTOMREQUEST names the method; POSTFIELDS gives a body, which a GET or DELETE must not have. */
    if (curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L) != CURLE_OK) {
        return false;
    }
    if ((request->body || strcmp(request->method, "POST") == 0) &&
        (curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)strlen(body)) != CURLE_OK ||
         curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body) != CURLE_OK)) {
        return false;
    }
    http->curl_error[0] = '\0';
    return curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_URL, url) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_WRITEDATA, receiver) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_HEADERDATA, receiver) == CURLE_OK && http_set_request_cookie(http);
}

static enum error_code http_failure(const struct http *http, CURLcode code,
                                    const struct http_receiver *receiver, struct error *err)
{
    const char *why = http->curl_error[0] ? http->curl_error : curl_easy_strerror(code);

    if (receiver->too_large) {
        return error_set(err, ERROR_PROTOCOL,
                         _("The portal's answer is too large to be one that its API allows."));
    }
    switch (code) {
    case CURLE_ABORTED_BY_CALLBACK:
        return interrupt_error(err);
    case CURLE_PEER_FAILED_VERIFICATION:
        return error_set(
            err, ERROR_TLS,
            _("The portal at %s does not prove to be the one whose CA is pinned (%s): nothing was sent; "
              "check url and ca-file with the registration authority."),
            http->base, why);
    case CURLE_SSL_CONNECT_ERROR:
        return error_set(err, ERROR_TLS,
                         _("No TLS 1.2 or later connection to %s can be made (%s): nothing was sent."),
                         http->base, why);
    case CURLE_SSL_CACERT_BADFILE:
        return error_set(err, ERROR_CONFIG,
                         _("The ca-file of [portal] cannot be used (%s): it must be the portal's root certificate, as PEM."), why);
    case CURLE_OUT_OF_MEMORY:
        return error_set(err, ERROR_MEMORY, "%s", "");
    default:
        return error_set(err, ERROR_NETWORK,
                         _("The portal at %s cannot be reached (%s): check the network and try again."),
                         http->base, why);
    }
}

/* Runs the transfer to its end, or until the user wants it ended (CURLE_ABORTED_BY_CALLBACK). */
static CURLcode http_transfer(struct http *http)
{
    struct curl_waitfd interrupt = {.fd = interrupt_fd(), .events = CURL_WAIT_POLLIN};
    unsigned fds = interrupt.fd >= 0 ? 1 : 0;
    CURLcode code = CURLE_FAILED_INIT;
    CURLMcode rc = curl_multi_add_handle(http->multi, http->curl);
    int running = 1;
    int left = 0;

    while (rc == CURLM_OK && running && !interrupt_seen()) {
        rc = curl_multi_perform(http->multi, &running);
        if (rc == CURLM_OK && running) {
            rc = curl_multi_poll(http->multi, &interrupt, fds, 1000, NULL);
        }
    }
    if (rc == CURLM_OK && running) {
        code = CURLE_ABORTED_BY_CALLBACK;
    }
    for (CURLMsg *message; (message = curl_multi_info_read(http->multi, &left)) != NULL;) {
        code = message->msg == CURLMSG_DONE ? message->data.result : code;
    }
    curl_multi_remove_handle(http->multi, http->curl);
    return code;
}

/* One try, in what is left of the time. */
static CURLcode http_perform(struct http *http, const struct http_request *request, const char *url, long left_ms,
                             struct http_receiver *receiver)
{
    struct curl_slist *headers = http_headers(request);
    CURLcode code = CURLE_OUT_OF_MEMORY;
    long status = 0;

    http_answer_clear(receiver->answer);
    if (headers && http_prepare(http, request, url, headers, receiver) &&
        curl_easy_setopt(http->curl, CURLOPT_TIMEOUT_MS, left_ms) == CURLE_OK) {
        struct progress *progress = progress_begin(_("Waiting for the portal..."));

        code = http_transfer(http);
        progress_end(&progress);
    }
    if (code == CURLE_OK) {
        curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &status);
        receiver->answer->status = (int)status;
    }
    secret_wipe_traces(); /* the request passed through there, cookie and password with it */
    /* Nothing of this request stays reachable from the handle. */
    curl_easy_setopt(http->curl, CURLOPT_POSTFIELDS, NULL);
    curl_easy_setopt(http->curl, CURLOPT_HTTPHEADER, NULL);
    curl_easy_setopt(http->curl, CURLOPT_COOKIE, NULL);
    curl_slist_free_all(headers);
    return code;
}

static bool http_is_worth_repeating(CURLcode code, const struct http_answer *answer)
{
    switch (code) {
    case CURLE_OK:
        return answer->status == 502 || answer->status == 503 || answer->status == 504;
    case CURLE_COULDNT_CONNECT:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_PARTIAL_FILE:
        return true;
    default:
        return false;
    }
}

static long http_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000L + now.tv_nsec / 1000000L;
}

/* Tries as often as does no harm and there is time for. */
static CURLcode http_try(struct http *http, const struct http_request *request, const char *url,
                         struct http_receiver *receiver)
{
    long until_ms = http_now_ms() + http->timeout_ms;
    unsigned pause_ms = HTTP_PAUSE_MS;

    for (int try = 1;; try++) {
        long left_ms = until_ms - http_now_ms();
        CURLcode code = http_perform(http, request, url, left_ms > 0 ? left_ms : 1, receiver);

        log_debug("%s %s: %s, status %d", request->method, request->path, curl_easy_strerror(code),
                  receiver->answer->status);
        if (!request->repeatable || try == HTTP_TRIES || !http_is_worth_repeating(code, receiver->answer) ||
            until_ms - http_now_ms() <= (long)pause_ms) {
            return code;
        }
        if (!interrupt_sleep(pause_ms)) {
            return CURLE_ABORTED_BY_CALLBACK;
        }
        pause_ms *= 2;
    }
}

enum error_code http_send(struct http *http, const struct http_request *request, struct http_answer *answer,
                          struct error *err)
{
    struct http_answer received = {0};
    struct http_receiver receiver = {.answer = &received};
    CURLcode code;
    char *url = NULL;

    if (asprintf(&url, "%s%s", http->base, request->path) < 0) {
        return error_set(err, ERROR_MEMORY, "%s", "");
    }
    code = http_try(http, request, url, &receiver);
    free(url);
    if (code != CURLE_OK) {
        secret_free(&receiver.cookie);
        http_answer_clear(&received);
        return http_failure(http, code, &receiver, err);
    }
    if (receiver.cookie) {
        secret_free(&http->cookie);
        http->cookie = receiver.cookie;
    }
    http_answer_clear(answer);
    *answer = received;
    return ERROR_NONE;
}

void http_answer_clear(struct http_answer *answer)
{
    answer->status = 0;
    answer->content_type[0] = '\0';
    bytes_clear(&answer->body);
}
