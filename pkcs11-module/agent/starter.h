/*
 * starter: how a process that serves a connection gets a pinentry, although it may start no program: it asks the listener,
 * over a socket that the two share, and gets the socket to it. Which program that is, the listener takes from the
 * configuration; the request has no room for a name.
 *
 * Owner: the channel is the process's, for its life; what was started is the caller's (pinentry_process.h).
 * Thread rule: starter_use before the first question; then any number of questions at once.
 */
#ifndef PINWARD_AGENT_STARTER_H
#define PINWARD_AGENT_STARTER_H

#include <stdint.h>

/* The listener answers a start with a struct starter_answer, and with the two descriptors where error is 0; the others
 * with nothing. Each request and each answer is one packet (SOCK_SEQPACKET). */
enum starter_what {
    STARTER_START = 's',
    STARTER_TERMINATE = 't', /* SIGTERM */
    STARTER_KILL = 'k',      /* SIGKILL */
};

struct starter_request {
    int32_t what;
    int32_t pid; /* which of those that were started for this process; 0 for a start */
};

struct starter_answer {
    int32_t error; /* an errno; 0: started */
    int32_t pid;
};

enum { STARTER_FD, STARTER_PIDFD, STARTER_DESCRIPTORS };

/* Has the listener start every pinentry from now on. */
void starter_use(int channel);

#endif
