/*
 * listener: the agent's first process: takes connections and gives each to a process of its own. It knows no PIN and loads
 * no token.
 *
 * Owner: nothing is kept. Thread rule: the process's only thread.
 */
#ifndef PINWARD_AGENT_LISTENER_H
#define PINWARD_AGENT_LISTENER_H

#include "common/config.h"
#include "pkcs11-module/agent/endpoint.h"
#include "pkcs11-module/agent/service.h"

/* Serves until SIGTERM, SIGINT, SIGHUP or `pinward agent stop`, then ends every connection. The signals are blocked from
 * here on. service: NULL for this user's own programs only. */
enum error_code listener_run(const struct endpoint *endpoint, const struct config *config, const struct service *service,
                             struct error *err);

#endif
