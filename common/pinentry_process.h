/*
 * pinentry_process: a pinentry program as a child process, and the socket to it.
 *
 * Purpose: start with posix_spawn (a host with threads must not be forked), with nothing of the host inherited
 *   but its environment; wait for bytes with a deadline; end the child whatever state it is in. A process that may start
 *   none itself (a sandbox) has another one start it.
 * Owner: struct pinentry_process is the caller's, from _start to _end.
 * Thread rule: one thread for each process; pinentry_process_start_by before the first one.
 */
#ifndef PINWARD_COMMON_PINENTRY_PROCESS_H
#define PINWARD_COMMON_PINENTRY_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/pinentry_environment.h"
#include "error.h"

/* Another process that starts pinentry programs for this one. Which program, is its own to say. From any thread. */
struct pinentry_starter {
    /* 0, or an errno. *fd: a socket that is the program's stdin and stdout. The descriptors are the caller's. */
    int (*start)(pid_t *pid, int *pidfd, int *fd);
    void (*signal)(pid_t pid, int signal); /* to one that it has started; nothing when that has ended */
};

/* What puts questions where this process starts nothing: the user's session, when this is a service. 0, or an errno, ENOTCONN
 * when nobody is there. *fd: a socket that is the stdin and stdout of a pinentry, which ends when it closes; the caller's. */
typedef int pinentry_elsewhere(int *fd, struct pinentry_environment *environment);

struct pinentry_process {
    pid_t pid;           /* 0: it is elsewhere */
    int pidfd;           /* so that a signal can never reach another process that got the same pid */
    int fd;              /* our end of the socket that is the child's stdin and stdout; -1 once closed */
    int cancel_fd;       /* -1: none */
    int64_t deadline_ms; /* CLOCK_MONOTONIC */
    bool timed_out;      /* a wait ended by the deadline */
    bool cancelled;      /* a wait ended by cancel_fd */
    struct pinentry_environment environment; /* where it appears */
};

/* From now on, for the life of the process: the starter's own constant. */
void pinentry_process_start_by(const struct pinentry_starter *starter);

/* From now on, for the life of the process. */
void pinentry_process_start_elsewhere(pinentry_elsewhere *elsewhere);

/* ERROR_PROMPT with a sentence naming the program when it cannot be started. */
enum error_code pinentry_process_start(const char *program, unsigned timeout_s, int cancel_fd,
                                       struct pinentry_process *process, struct error *err);

/* read(2)/write(2) on the socket that wait no longer than the deadline; -1 and errno ETIMEDOUT or ECANCELED. A
 * write to a dead child fails with EPIPE and raises no signal in the host. */
ssize_t pinentry_process_read(struct pinentry_process *process, int fd, void *buffer, size_t size);
ssize_t pinentry_process_write(struct pinentry_process *process, int fd, const void *buffer, size_t size);

/* Closes the socket if it is still open, gives the child a moment to leave, then ends it, and reaps it. */
void pinentry_process_end(struct pinentry_process *process);

#endif
