/*
 * serve: the service of one connection, in a process of its own: p11-kit's RPC on one side, the gate on the other.
 *
 * Owner: takes the descriptors. Thread rule: the process's first thread; the watch is the second. The functions
 * that are served are called from several at once (calls.h), as a module's are.
 */
#ifndef PINWARD_AGENT_SERVE_H
#define PINWARD_AGENT_SERVE_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/error.h"

struct serve_task {
    int connection;
    int pidfd; /* the client's; -1: none */
    uid_t uid; /* whose connection it must be */
    bool service;        /* of a service: the rest is what the listener has found out of the client */
    int memory;          /* struct peer's; -1: none */
    const char *program; /* "": not known */
};

/* Serves until the client goes. ERROR_NONE also for a client that says nothing sensible. */
enum error_code serve_connection(const struct serve_task *task, struct error *err);

#endif
