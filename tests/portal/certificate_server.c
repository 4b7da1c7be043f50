#include "certificate_server.h"

#include <gnutls/gnutls.h>
#include <stdlib.h>
#include <string.h>

#include "certificate_page.h"
#include "listener.h"
#include "pem_file.h"
#include "store_pool.h"

#define THREADS 2

struct certificate_server {
    const struct portal *portal;
    struct store_pool *pool;
    struct MHD_Daemon *daemon;
    char *tls_key; /* PEM texts; the daemon keeps no copy */
    char *tls_certificate;
    char *issuing;
};

/* The client's own certificate, of the TLS session; *der stays NULL when it showed none. */
static void peer_certificate(struct MHD_Connection *connection, const uint8_t **der, size_t *len)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    const gnutls_datum_t *chain;
    unsigned count = 0;

    if (info == NULL || info->tls_session == NULL)
        return;
    chain = gnutls_certificate_get_peers(info->tls_session, &count);
    if (chain == NULL || count == 0)
        return;
    *der = chain[0].data;
    *len = chain[0].size;
}

static void answer(struct certificate_server *server, struct MHD_Connection *connection, struct exchange *x)
{
    const uint8_t *der = NULL;
    size_t len = 0;

    x->store = store_pool_take(server->pool);
    if (x->store == NULL) {
        answer_failure(x);
        return;
    }
    peer_certificate(connection, &der, &len);
    certificate_page_answer(x, der, len);
    store_pool_give(server->pool, x->store);
    x->store = NULL;
}

/* Nothing here takes a body: whatever comes is answered from its head. */
static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *data, size_t *len,
                              void **state)
{
    struct certificate_server *server = context;
    struct exchange *x = exchange_new(server->portal);
    enum MHD_Result result;

    (void)version;
    (void)data;
    (void)len;
    (void)state;
    if (x == NULL)
        return MHD_NO;
    x->now_s = clock_now_s(&server->portal->clock);
    if (strcmp(url, "/") != 0) {
        answer_problem(x, PROBLEM_NOT_FOUND, "There is nothing at this path; the page is at /.");
    } else if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
        answer_problem(x, PROBLEM_METHOD_NOT_ALLOWED, "This path takes GET and HEAD only; use those.");
        exchange_header(x, "Allow", "GET, HEAD");
    } else {
        answer(server, connection, x);
    }
    result = listener_send(connection, x);
    exchange_free(&x);
    return result;
}

static enum error_code open_listener(struct certificate_server *server, const char *listen, uint16_t port,
                                     struct error *err)
{
    const struct listener_options options = {
        .address = listen,
        .port = port,
        .threads = THREADS,
        .tls_key = server->tls_key,
        .tls_certificate = server->tls_certificate,
        .client_issuers = server->issuing,
        .handle = handle,
        .context = server,
    };

    return listener_open(&options, &server->daemon, err);
}

enum error_code certificate_server_start(const struct portal *portal, const char *listen, uint16_t port,
                                         struct certificate_server **server, struct error *err)
{
    struct certificate_server *new_server = calloc(1, sizeof(*new_server));
    enum error_code status = ERROR_NONE;

    if (new_server == NULL)
        return error_set(err, ERROR_MEMORY, "There is no memory for the server.");
    new_server->portal = portal;
    new_server->tls_key = pem_file_read(portal->data_dir, "tls.key");
    new_server->tls_certificate = pem_file_read(portal->data_dir, "tls.pem");
    new_server->issuing = pem_file_read(portal->data_dir, "issuing.pem");
    if (new_server->tls_key == NULL || new_server->tls_certificate == NULL || new_server->issuing == NULL)
        status = error_set(err, ERROR_IO,
                           "The TLS key or a certificate in %s cannot be read; check the folder.",
                           portal->data_dir);
    if (status == ERROR_NONE)
        status = store_pool_new(portal->data_dir, THREADS, &new_server->pool, err);
    if (status == ERROR_NONE)
        status = open_listener(new_server, listen, port, err);
    if (status != ERROR_NONE)
        certificate_server_stop(&new_server);
    else
        *server = new_server;
    return status;
}

uint16_t certificate_server_port(const struct certificate_server *server)
{
    return listener_port(server->daemon);
}

void certificate_server_stop(struct certificate_server **server)
{
    if (server == NULL || *server == NULL)
        return;
    if ((*server)->daemon != NULL)
        MHD_stop_daemon((*server)->daemon);
    store_pool_free(&(*server)->pool);
    pem_file_free(&(*server)->tls_key);
    pem_file_free(&(*server)->tls_certificate);
    pem_file_free(&(*server)->issuing);
    free(*server);
    *server = NULL;
}
