/*
 * prompter: in the session of a user whom a service (service.h) serves: starts the user's pinentry when the service has a
 * question, on a socket that the service sends along. What is typed goes from the pinentry to the service; it passes
 * neither this process nor the program that asked.
 *
 * Owner: nothing kept. Thread rule: the process's only thread.
 */
#ifndef PINWARD_AGENT_PROMPTER_H
#define PINWARD_AGENT_PROMPTER_H

#include "common/config.h"
#include "common/error.h"

/* Puts the questions of the service whose programs' socket has this path, until SIGTERM, SIGINT or SIGHUP; waits for the
 * service when it ends. ERROR_STATE: there is no service, or another prompter of this user's. ERROR_REFUSED: it is not the
 * service of [service] user or root, or does not serve this user. */
enum error_code prompter_run(const char *socket_path, const struct config *config, struct error *err);

#endif
