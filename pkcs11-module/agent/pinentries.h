/*
 * pinentries: the pinentry programs that the listener has started for the processes that serve connections (starter.h).
 *
 * Each is one connection's; it ends with the process of the connection, and with the listener, however either ends.
 * Owner: struct pinentries is the listener's, zeroed before use. Thread rule: one thread, the process's only one.
 */
#ifndef PINWARD_AGENT_PINENTRIES_H
#define PINWARD_AGENT_PINENTRIES_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/config.h"

struct pinentries_row {
    pid_t pid;       /* of the program and of its process group; 0: a free row */
    pid_t worker;    /* 0: the one that it was for has gone */
    int64_t kill_ms; /* CLOCK_MONOTONIC, when it is killed; 0: it is not to end */
};

#define PINENTRIES_OF_WORKER_MAX 8    /* at once: a window for each of its threads (calls.h) */
#define PINENTRIES_MAX           2048

struct pinentries {
    struct pinentries_row rows[PINENTRIES_MAX];
};

/* Starts the one that the configuration names now. 0, or an errno: EAGAIN when there are too many. *fd is a socket to it;
 * both descriptors are the caller's. */
int pinentries_start(struct pinentries *pinentries, pid_t worker, pid_t *pid, int *pidfd, int *fd);

/* To one of the worker's; nothing when there is no such one. */
void pinentries_signal(const struct pinentries *pinentries, pid_t worker, pid_t pid, int signal);

/* Asks all of the worker's to end, and kills those that have not in half a second (pinentries_kill_late). */
void pinentries_end_of(struct pinentries *pinentries, pid_t worker);

/* Takes note of those that have ended. Call it after SIGCHLD. */
void pinentries_reap(struct pinentries *pinentries);

/* Kills those whose time is over. Returns the time to the next, in milliseconds; -1: there is none. */
int pinentries_kill_late(struct pinentries *pinentries);

/* Kills all of them. */
void pinentries_end(struct pinentries *pinentries);

#endif
