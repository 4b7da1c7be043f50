/*
 * listener: what the portal's HTTPS listeners share on libmicrohttpd: address, TLS settings, limits, sending
 * an answer.
 *
 * Owner: the caller of listener_open, who stops the daemon with MHD_stop_daemon; the PEM texts must outlive
 * it. Thread rule: open from one thread; listener_send from any thread of the daemon.
 */
#ifndef PINWARD_PORTAL_LISTENER_H
#define PINWARD_PORTAL_LISTENER_H

#include <microhttpd.h>

#include "exchange.h"

#define LISTENER_CONNECTION_MAX 256

struct listener_options {
    const char *address; /* numeric IPv4 or IPv6 */
    uint16_t port;       /* 0 chooses a free one */
    unsigned threads;
    const char *tls_key; /* PEM */
    const char *tls_certificate;
    const char *client_issuers; /* PEM: clients are asked for a certificate by one of these; NULL: for none */
    MHD_AccessHandlerCallback handle;
    MHD_RequestCompletedCallback completed;
    void *context; /* of both */
};

enum error_code listener_open(const struct listener_options *options, struct MHD_Daemon **daemon,
                              struct error *err);
uint16_t listener_port(struct MHD_Daemon *daemon);

/* Queues the exchange's answer, with the headers that every answer carries. */
enum MHD_Result listener_send(struct MHD_Connection *connection, const struct exchange *x);

#endif
