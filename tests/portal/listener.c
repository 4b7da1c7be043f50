#include "listener.h"

#include <arpa/inet.h>
#include <string.h>

#include "route.h"

#define CONNECTION_TIMEOUT_S 30
#define CONNECTION_MEMORY    (48 * 1024)

/* GnuTLS: TLS 1.2 and 1.3 alone, and in 1.2 only key exchanges with forward secrecy and AEAD ciphers. */
static const char tls_priorities[] =
    "SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-RSA:-AES-128-CBC:-AES-256-CBC:"
    "-AES-128-CCM:-AES-256-CCM:%SERVER_PRECEDENCE";

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

enum error_code listener_open(const struct listener_options *o, struct MHD_Daemon **daemon, struct error *err)
{
    unsigned flags = MHD_USE_TLS | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL |
                     MHD_USE_SUPPRESS_DATE_NO_CLOCK;
    /* An END in the first place leaves the option out. */
    const struct MHD_OptionItem client_issuers[] = {
        {o->client_issuers == NULL ? MHD_OPTION_END : MHD_OPTION_HTTPS_MEM_TRUST, 0,
         (char *)(uintptr_t)o->client_issuers},
        {MHD_OPTION_END, 0, NULL},
    };
    struct sockaddr_storage address;
    struct MHD_Daemon *opened;

    if (!read_address(o->address, o->port, &address, &flags))
        return error_set(err, ERROR_USAGE, "\"%s\" is not a numeric address; give one such as 127.0.0.1.",
                         o->address);
    opened = MHD_start_daemon(flags, o->port, NULL, NULL, o->handle, o->context, MHD_OPTION_NOTIFY_COMPLETED,
                              o->completed, o->context, MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&address,
                              MHD_OPTION_HTTPS_MEM_KEY, o->tls_key, MHD_OPTION_HTTPS_MEM_CERT,
                              o->tls_certificate, MHD_OPTION_HTTPS_PRIORITIES, tls_priorities,
                              MHD_OPTION_THREAD_POOL_SIZE, o->threads, MHD_OPTION_CONNECTION_LIMIT,
                              (unsigned)LISTENER_CONNECTION_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
                              (unsigned)CONNECTION_TIMEOUT_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                              (size_t)CONNECTION_MEMORY, MHD_OPTION_ARRAY, client_issuers, MHD_OPTION_END);
    if (opened == NULL)
        return error_set(err, ERROR_IO, "The server cannot listen on %s port %u; choose another one.",
                         o->address, o->port);
    *daemon = opened;
    return ERROR_NONE;
}

uint16_t listener_port(struct MHD_Daemon *daemon)
{
    return MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
}

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

enum MHD_Result listener_send(struct MHD_Connection *connection, const struct exchange *x)
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
