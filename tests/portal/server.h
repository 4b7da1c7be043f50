/*
 * server: the API's HTTPS listener.
 *
 * Purpose: each request as an exchange, read within limits. Only this, certificate_server and listener know
 * libmicrohttpd. Owner: the caller of server_start. Thread rule: start and stop from one thread; requests are
 * handled by SERVER_THREADS threads of its own, each request by one of them with a database connection of its
 * own.
 */
#ifndef PINWARD_PORTAL_SERVER_H
#define PINWARD_PORTAL_SERVER_H

#include "portal.h"

#define SERVER_THREADS 4

struct server;

/* listen is a numeric IPv4 or IPv6 address; port 0 chooses a free one. */
enum error_code server_start(const struct portal *portal, const char *listen, uint16_t port,
                             struct server **server, struct error *err);
uint16_t server_port(const struct server *server);
void server_stop(struct server **server);

#endif
