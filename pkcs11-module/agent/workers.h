/*
 * workers: the processes that serve connections, one each: what one client does to its own harms no other.
 *
 * Owner: struct workers is the listener's, zeroed before use. Thread rule: one thread.
 */
#ifndef PINWARD_AGENT_WORKERS_H
#define PINWARD_AGENT_WORKERS_H

#include <stddef.h>
#include <sys/types.h>
#include <time.h>

#include "common/error.h"

#define WORKERS_MAX            256
#define WORKERS_MAX_OF_PROCESS 32 /* connections of one process */
#define WORKERS_PROGRAM_MAX    256

struct worker {
    pid_t pid;    /* 0: a free row */
    pid_t client; /* 0: one that cannot be seen */
    time_t since;
    char program[WORKERS_PROGRAM_MAX]; /* the client's executable when it connected, for the status; "?": not known */
};

struct workers {
    struct worker rows[WORKERS_MAX];
    size_t count;
};

/* Starts a process for the connection, which stays the caller's to close. ERROR_REFUSED: another user's, or too many. */
enum error_code workers_start(struct workers *workers, int connection, struct error *err);

/* Takes note of the processes that have ended. Call it after SIGCHLD. */
void workers_reap(struct workers *workers);

/* Ends all of them, kindly first, and waits for that. */
void workers_end(struct workers *workers);

/* How the program calls itself to serve a connection: these descriptors, the second perhaps not open. */
#define WORKERS_ARGUMENT   "--connection"
#define WORKERS_CONNECTION 3
#define WORKERS_PIDFD      4

#endif
