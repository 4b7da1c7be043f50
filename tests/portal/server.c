#include "server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "listener.h"
#include "pem_file.h"
#include "route.h"
#include "store_pool.h"

/* A body that is too large is read and dropped up to here for the sake of a proper 413; then the connection
 * ends. */
#define DROPPED_BODY_MAX (4 * (uint64_t)PORTAL_BODY_MAX)

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

static enum MHD_Result answer_too_large(struct MHD_Connection *connection, struct exchange *x)
{
    answer_problem(x, PROBLEM_TOO_LARGE, "The body is larger than %d bytes; send less.", PORTAL_BODY_MAX);
    return listener_send(connection, x);
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
    /* Read to its end and dropped, or the connection would be reset while the client still sends, and the
     * answer lost with it; only what is far too large is answered at once. */
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
        return listener_send(connection, x);
    x->content_type = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_TYPE);
    x->accept_language =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT_LANGUAGE);
    x->cookie = MHD_lookup_connection_value(connection, MHD_COOKIE_KIND, PORTAL_SESSION_COOKIE);
    x->store = store_pool_take(server->pool);
    if (x->store == NULL) {
        answer_failure(x);
        return listener_send(connection, x);
    }
    route_run(x);
    store_pool_give(server->pool, x->store);
    x->store = NULL;
    return listener_send(connection, x);
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

static enum error_code open_listener(struct server *server, const char *listen, uint16_t port,
                                     struct error *err)
{
    const struct listener_options options = {
        .address = listen,
        .port = port,
        .threads = SERVER_THREADS,
        .tls_key = server->tls_key,
        .tls_certificate = server->tls_certificate,
        .handle = handle,
        .completed = request_completed,
        .context = server,
    };

    return listener_open(&options, &server->daemon, err);
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
        status = open_listener(new_server, listen, port, err);
    if (status != ERROR_NONE)
        server_stop(&new_server);
    else
        *server = new_server;
    return status;
}

uint16_t server_port(const struct server *server)
{
    return listener_port(server->daemon);
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
