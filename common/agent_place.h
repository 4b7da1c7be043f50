/*
 * agent_place: where pinward-agent listens: the user's runtime folder, which the system makes and empties
 * (XDG_RUNTIME_DIR).
 *
 * Owner: returned strings are the caller's. Thread rule: reads the environment; any thread while nobody changes it.
 */
#ifndef PINWARD_COMMON_AGENT_PLACE_H
#define PINWARD_COMMON_AGENT_PLACE_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

/* $XDG_RUNTIME_DIR/pinward/agent.socket. NULL: XDG_RUNTIME_DIR names no folder from the root, or there is no memory. */
char *agent_place_socket(void);

/* Where the agent that listens at socket_path answers `pinward agent`: beside it. NULL: no memory. */
char *agent_place_control(const char *socket_path);

/* Where the service that serves at socket_path has prompters connect: beside it, too. NULL: no memory. */
char *agent_place_prompt(const char *socket_path);

/* Where the service for all users of the machine serves, unless it is told otherwise. */
#define AGENT_PLACE_SERVICE "/run/pinward/agent.socket"

/* false: the path is too long for a socket's name (unix(7)). */
bool agent_place_address(const char *path, struct sockaddr_un *address);

#endif
