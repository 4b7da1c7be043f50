/*
 * calls: the calls of one connection, in as many threads as its client has calls under way, up to
 * CALLS_THREADS_MAX: while one of a program's threads waits for its user, the others are served, as they
 * would be without the agent. A client with one thread is served by one.
 *
 * Owner: struct calls is the caller's, from calls_open to calls_close. Thread rule: calls_serve from the
 * thread that opened; calls_look from one other while that lasts.
 */
#ifndef PINWARD_AGENT_CALLS_H
#define PINWARD_AGENT_CALLS_H

#include <pthread.h>
#include <stdbool.h>

#include "common/error.h"
#include "pkcs11-module/agent/frame.h"
#include "pkcs11-module/agent/turns.h"
#include "pkcs11-module/p11.h"

#define CALLS_THREADS_MAX 8

struct calls {
    int connection;
    struct frame_limits limits;
    CK_FUNCTION_LIST *functions;
    unsigned char greeting; /* the client's first byte */
    struct turns turns;
    pthread_mutex_t answering;
    pthread_mutex_t starting;                 /* of all that follows */
    pthread_t threads[CALLS_THREADS_MAX - 1]; /* besides the first */
    unsigned thread_count;
    bool over;
};

/* The functions stay the caller's. */
enum error_code calls_open(int connection, const struct frame_limits *limits, CK_FUNCTION_LIST *functions,
                           struct calls *calls, struct error *err);
void calls_close(struct calls *calls);

/* Returns when the client has gone, or has said nothing sensible, and no call is under way any more. */
void calls_serve(struct calls *calls);

/* For whoever watches calls->turns.more, as turns_look. */
int calls_look(struct calls *calls);

#endif
