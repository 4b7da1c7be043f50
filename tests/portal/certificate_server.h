/*
 * certificate_server: a second HTTPS listener that asks for a client certificate and shows who its owner is.
 *
 * What browsers are tried with: GET / gives the page of certificate_page. Owner: the caller of
 * certificate_server_start. Thread rule: start and stop from one thread; requests are handled by threads of
 * its own.
 */
#ifndef PINWARD_PORTAL_CERTIFICATE_SERVER_H
#define PINWARD_PORTAL_CERTIFICATE_SERVER_H

#include "portal.h"

struct certificate_server;

/* As server_start. */
enum error_code certificate_server_start(const struct portal *portal, const char *listen, uint16_t port,
                                         struct certificate_server **server, struct error *err);
uint16_t certificate_server_port(const struct certificate_server *server);
void certificate_server_stop(struct certificate_server **server);

#endif
