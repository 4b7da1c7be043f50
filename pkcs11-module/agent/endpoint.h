/*
 * endpoint: the sockets that the agent listens on: the one that programs connect to, made here in a folder of the user's
 * own or taken over from systemd (sd_listen_fds(3)), and beside it the one that answers `pinward agent`, and for a service
 * the one that prompters connect to.
 *
 * Owner: struct endpoint is the caller's, from endpoint_open to endpoint_close.
 * Thread rule: one thread; the environment is changed (what systemd says is for this process only).
 */
#ifndef PINWARD_AGENT_ENDPOINT_H
#define PINWARD_AGENT_ENDPOINT_H

#include <stdbool.h>

#include "common/error.h"

struct endpoint {
    char *path;         /* of the socket for programs */
    char *control_path;
    int programs;       /* listening, not blocking */
    int control;
    int prompters;      /* listening, not blocking; -1: it is no service */
    char *prompt_path;  /* its name; NULL: it is no service */
    int folder;         /* locked: one agent in a folder */
    bool activated;     /* systemd made the socket for programs, and keeps it */
};

/* path: where, or NULL for where systemd says or else agent_place_socket says (for a service AGENT_PLACE_SERVICE). The folder
 * is made with mode 0700; one that belongs to somebody else or that others can look into is refused, and so is a second
 * agent. A service's folder may be root's, and looked into; its sockets are everybody's to connect to. */
enum error_code endpoint_open(const char *path, bool service, struct endpoint *endpoint, struct error *err);

/* What this process made is removed. */
void endpoint_close(struct endpoint *endpoint);

#endif
