/*
 * agent: what pinward-agent says of itself, when it is asked at its control socket (pkcs11-module/agent/control.h).
 *
 * Where: beside the socket that P11_KIT_SERVER_ADDRESS names, else in the user's runtime folder.
 * Owner: struct agent_status is the caller's, from agent_ask_status to agent_status_clear. Thread rule: one thread.
 */
#ifndef PINWARD_ENROLL_AGENT_H
#define PINWARD_ENROLL_AGENT_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "common/error.h"

struct agent_connection {
    long served_by; /* the agent's process for it */
    long client;    /* 0: one that the agent cannot see */
    time_t since;
    char *program; /* "?": not known */
};

struct agent_status {
    char *socket;
    char *version;
    char *protection; /* words with blanks between */
    long pid;
    unsigned long uid; /* whose process it is: a service's is another user's */
    time_t since;
    bool activated; /* by systemd */
    struct agent_connection *connections;
    size_t count;
};

/* Where programs of this environment would find the agent, on the heap; NULL: nowhere. */
char *agent_socket(void);

/* ERROR_STATE: there is none. ERROR_PROTOCOL: something else answers, or another version. */
enum error_code agent_ask_status(struct agent_status *status, struct error *err);
void agent_status_clear(struct agent_status *status);

/* Ends it, and waits until it is gone. ERROR_STATE as above, ERROR_TIMEOUT. */
enum error_code agent_stop(struct error *err);

#endif
