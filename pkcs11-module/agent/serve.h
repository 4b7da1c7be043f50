/*
 * serve: the service of one connection, in a process of its own: p11-kit's RPC on one side, the gate on the other.
 *
 * Owner: takes the descriptors. Thread rule: the process's first thread; the watch is the second. The functions
 * that are served are called from several at once (calls.h), as a module's are.
 */
#ifndef PINWARD_AGENT_SERVE_H
#define PINWARD_AGENT_SERVE_H

#include "common/error.h"

/* Serves until the client goes. pidfd: the client's, or -1. ERROR_NONE also for a client that says nothing sensible. */
enum error_code serve_connection(int connection, int pidfd, struct error *err);

#endif
