#include "server.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exchange.h"
#include "pem_file.h"
#include "route.h"
#include "store_pool.h"

#define CONNECTION_LIMIT     256
#define CONNECTION_TIMEOUT_S 30
#define CONNECTION_MEMORY    (48 * 1024)
/* A body that is too large is read and dropped up to here for the sake of a proper 413; then the connection
 * ends. */
#define DROPPED_BODY_MAX (4 * (uint64_t)PORTAL_BODY_MAX)

/* GnuTLS: TLS 1.2 and 1.3 alone, and in 1.2 only key exchanges with forward secrecy and AEAD ciphers. */
static const char tls_priorities[] =
    "SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-RSA:-AES-128-CBC:-AES-256-CBC:"
    "-AES-128-CCM:-AES-256-CCM:%SERVER_PRECEDENCE";

struct server {
    const struct portal *portal;
    struct store_pool *pool;
    struct MHD_Daemon *daemon;
    char *tls_key; /* PEM texts; the daemon keeps no copy */
    char *tls_certificate;
};

/* One request on its way in. */
struct incoming {
    struct exchange *exchange;
    bool too_large;
    uint64_t dropped;
};

static void send_head(struct MHD_Response *response, const struct exchange *x)
{
    char date[CLOCK_HTTP_LENGTH];

    clock_format_http(x->now_s, date);
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_DATE, date);
    if (x->route == NULL || !x->route->cacheable || x->response.status >= 400)
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    (void)MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    if (x->response.content_type != NULL)
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, x->response.content_type);
    for (size_t i = 0; i < x->response.header_count; i++)
        (void)MHD_add_response_header(response, x->response.headers[i].name, x->response.headers[i].value);
}

static enum MHD_Result send_answer(struct MHD_Connection *connection, struct exchange *x)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(x->response.body_len, x->response.body, MHD_RESPMEM_MUST_COPY);
    enum MHD_Result result = MHD_NO;

    if (response != NULL) {
        send_head(response, x);
        result = MHD_queue_response(connection, x->response.status, response);
        MHD_destroy_response(response);
    }
    return result;
}

static enum MHD_Result answer_too_large(struct MHD_Connection *connection, struct exchange *x)
{
    answer_problem(x, PROBLEM_TOO_LARGE, "The body is larger than %d bytes; send less.", PORTAL_BODY_MAX);
    return send_answer(connection, x);
}

/* The first call for a request: its head has arrived, its body has not. */
static enum MHD_Result begin_request(struct server *server, struct MHD_Connection *connection,
                                     const char *url, const char *method, struct incoming **incoming)
{
    const char *length_text =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
    unsigned long long length = length_text == NULL ? PORTAL_BODY_MAX : strtoull(length_text, NULL, 10);
    struct incoming *new_incoming = calloc(1, sizeof(*new_incoming));
    struct exchange *x = exchange_new(server->portal);
    char allow[ROUTE_ALLOW_SIZE];
    enum route_match match;

    if (new_incoming == NULL || x == NULL) {
        free(new_incoming);
        exchange_free(&x);
        return MHD_NO;
    }
    new_incoming->exchange = x;
    *incoming = new_incoming; /* from here request_completed frees both */
    x->now_s = clock_now_s(&server->portal->clock);
    match = route_find(method, url, &x->route, x->id, allow);
    if (match == ROUTE_NO_PATH)
        answer_problem(x, PROBLEM_NOT_FOUND, "There is nothing at this path; see the API's description.");
    if (match == ROUTE_NO_METHOD) {
        answer_problem(x, PROBLEM_METHOD_NOT_ALLOWED, "This path takes %s only; use that.", allow);
        exchange_header(x, "Allow", "%s", allow);
    }
    /* Read to its end and dropped, or the connection would be reset while the client still sends, and the answer lost
     * with it; only what is far too large is answered at once. */
    new_incoming->too_large = length > PORTAL_BODY_MAX;
    if (length > DROPPED_BODY_MAX)
        return answer_too_large(connection, x);
    if (new_incoming->too_large)
        return MHD_YES;
    return exchange_reserve_body(x, (size_t)length) ? MHD_YES : MHD_NO;
}

static enum MHD_Result take_body(struct incoming *incoming, const char *data, size_t *len)
{
    struct exchange *x = incoming->exchange;

    if (incoming->too_large || *len > x->body_capacity - x->body_len) {
        incoming->too_large = true;
        incoming->dropped += *len;
        *len = 0;
        return incoming->dropped > DROPPED_BODY_MAX ? MHD_NO : MHD_YES;
    }
    memcpy(x->body + x->body_len, data, *len);
    x->body_len += *len;
    *len = 0;
    return MHD_YES;
}

static enum MHD_Result run_request(struct server *server, struct MHD_Connection *connection,
                                   struct exchange *x)
{
    if (x->response.status != 0) /* 404 and 405 are known before the body */
        return send_answer(connection, x);
    x->content_type = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_TYPE);
    x->accept_language =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT_LANGUAGE);
    x->cookie = MHD_lookup_connection_value(connection, MHD_COOKIE_KIND, PORTAL_SESSION_COOKIE);
    x->store = store_pool_take(server->pool);
    if (x->store == NULL) {
        answer_failure(x);
        return send_answer(connection, x);
    }
    route_run(x);
    store_pool_give(server->pool, x->store);
    x->store = NULL;
    return send_answer(connection, x);
}

static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *data, size_t *len,
                              void **state)
{
    struct server *server = context;
    struct incoming *incoming = *state;
    enum MHD_Result result;

    (void)version;
    if (incoming == NULL) {
        result = begin_request(server, connection, url, method, &incoming);
        *state = incoming;
        return result;
    }
    if (*len > 0)
        return take_body(incoming, data, len);
    if (incoming->too_large)
        return answer_too_large(connection, incoming->exchange);
    return run_request(server, connection, incoming->exchange);
}

static void request_completed(void *context, struct MHD_Connection *connection, void **state,
                              enum MHD_RequestTerminationCode code)
{
    struct incoming *incoming = *state;

    (void)context;
    (void)connection;
    (void)code;
    if (incoming == NULL)
        return;
    exchange_free(&incoming->exchange);
    free(incoming);
    *state = NULL;
}

static bool read_address(const char *listen, uint16_t port, struct sockaddr_storage *address, unsigned *flags)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)address;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)address;

    memset(address, 0, sizeof(*address));
    if (inet_pton(AF_INET, listen, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
        return true;
    }
    if (inet_pton(AF_INET6, listen, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(port);
        *flags |= MHD_USE_IPv6;
        return true;
    }
    return false;
}

static enum error_code start_daemon(struct server *server, const char *listen, uint16_t port,
                                    struct error *err)
{
    unsigned flags = MHD_USE_TLS | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL |
                     MHD_USE_SUPPRESS_DATE_NO_CLOCK;
    struct sockaddr_storage address;

    if (!read_address(listen, port, &address, &flags))
        return error_set(err, ERROR_USAGE, "\"%s\" is not a numeric address; give one such as 127.0.0.1.",
                         listen);
    server->daemon = MHD_start_daemon(
        flags, port, NULL, NULL, handle, server, MHD_OPTION_NOTIFY_COMPLETED, request_completed, NULL,
        MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&address, MHD_OPTION_HTTPS_MEM_KEY, server->tls_key,
        MHD_OPTION_HTTPS_MEM_CERT, server->tls_certificate, MHD_OPTION_HTTPS_PRIORITIES, tls_priorities,
        MHD_OPTION_THREAD_POOL_SIZE, (unsigned)SERVER_THREADS, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)CONNECTION_LIMIT, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)CONNECTION_TIMEOUT_S,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY, MHD_OPTION_END);
    if (server->daemon == NULL)
        return error_set(err, ERROR_IO, "The server cannot listen on %s port %u; choose another one.", listen,
                         port);
    return ERROR_NONE;
}

enum error_code server_start(const struct portal *portal, const char *listen, uint16_t port,
                             struct server **server, struct error *err)
{
    struct server *new_server = calloc(1, sizeof(*new_server));
    enum error_code status = ERROR_NONE;

    if (new_server == NULL)
        return error_set(err, ERROR_MEMORY, "There is no memory for the server.");
    new_server->portal = portal;
    new_server->tls_key = pem_file_read(portal->data_dir, "tls.key");
    new_server->tls_certificate = pem_file_read(portal->data_dir, "tls.pem");
    if (new_server->tls_key == NULL || new_server->tls_certificate == NULL)
        status = error_set(err, ERROR_IO,
                           "The TLS key or certificate in %s cannot be read; check the folder.",
                           portal->data_dir);
    if (status == ERROR_NONE)
        status = store_pool_new(portal->data_dir, SERVER_THREADS, &new_server->pool, err);
    if (status == ERROR_NONE)
        status = start_daemon(new_server, listen, port, err);
    if (status != ERROR_NONE)
        server_stop(&new_server);
    else
        *server = new_server;
    return status;
}

uint16_t server_port(const struct server *server)
{
    return MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
}

void server_stop(struct server **server)
{
    if (server == NULL || *server == NULL)
        return;
    if ((*server)->daemon != NULL)
        MHD_stop_daemon((*server)->daemon);
    store_pool_free(&(*server)->pool);
    pem_file_free(&(*server)->tls_key);
    pem_file_free(&(*server)->tls_certificate);
    free(*server);
    *server = NULL;
}
