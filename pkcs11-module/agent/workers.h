/*
 * workers: the processes that serve connections, one each: what one client does to its own harms no other.
 *
 * Owner: struct workers is the listener's, zeroed before use. Thread rule: one thread.
 */
#ifndef PINWARD_AGENT_WORKERS_H
#define PINWARD_AGENT_WORKERS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <time.h>

#include "common/config.h"
#include "common/error.h"
#include "pkcs11-module/agent/pinentries.h"
#include "pkcs11-module/agent/prompters.h"
#include "pkcs11-module/agent/service.h"

#define WORKERS_MAX         CONFIG_CONNECTIONS_MAX
#define WORKERS_PROGRAM_MAX 256

struct worker {
    pid_t pid;    /* 0: a free row */
    pid_t client; /* 0: one that cannot be seen */
    uid_t uid;    /* the client's */
    int channel; /* to it, for its pinentries (starter.h) */
    bool ending; /* it has been told to make room */
    time_t since;
    char program[WORKERS_PROGRAM_MAX]; /* the client's executable when it connected, for the status; "?": not known */
};

struct workers {
    const struct service *service; /* NULL: for this process's own user only */
    struct prompters prompters;    /* of the service's users */
    size_t max;            /* connections at once */
    size_t max_of_process; /* of one process */
    struct worker rows[WORKERS_MAX];
    size_t count;
    struct pinentries pinentries;
};

/* Starts a process for the connection, which stays the caller's to close. ERROR_REFUSED: another user's, or too many. Where
 * all are taken, the process that has most of them loses its newest, if it has at least two more than this one would. */
enum error_code workers_start(struct workers *workers, int connection, struct error *err);

/* Answers what a process asks for on its channel, which has something to read or has ended. */
void workers_answer(struct workers *workers, struct worker *worker);

/* Takes note of the processes that have ended. Call it after SIGCHLD. */
void workers_reap(struct workers *workers);

/* Ends all of them, kindly first, and waits for that. */
void workers_end(struct workers *workers);

/* How the program calls itself to serve a connection: these descriptors, the last two perhaps not open, and the arguments: the
 * listener's pid, and for a service the client's uid and program ("": not known). */
#define WORKERS_ARGUMENT   "--connection"
#define WORKERS_CONNECTION 3
#define WORKERS_CHANNEL    4
#define WORKERS_PIDFD      5
#define WORKERS_MEMORY     6 /* of a service's: struct peer's */

#endif
