/*
 * calls: the calls of one connection, in as many threads as its client has calls under way, up to
 * CALLS_THREADS_MAX: while one of a program's threads waits for its user, the others are served, as they
 * would be without the agent.
 *
 * One thread at a time waits for the next message. While all are at work none does: then the descriptor
 * `more` can be read as soon as there is a message, and whoever watches it calls calls_more. A client with
 * one thread is served by one.
 *
 * Owner: struct calls is the caller's, from calls_open to calls_close. Thread rule: calls_serve from the
 * thread that opened; calls_more from any while that lasts.
 */
#ifndef PINWARD_AGENT_CALLS_H
#define PINWARD_AGENT_CALLS_H

#include <pthread.h>
#include <stdbool.h>

#include "common/error.h"
#include "pkcs11-module/p11.h"

#define CALLS_THREADS_MAX 8

struct calls {
    int connection;
    CK_FUNCTION_LIST *functions;
    unsigned char greeting; /* the client's first byte */
    int more;               /* epoll(7) */
    pthread_mutex_t answering;
    pthread_mutex_t lock; /* of all that follows */
    pthread_cond_t changed;
    pthread_t threads[CALLS_THREADS_MAX - 1]; /* besides the first */
    unsigned thread_count;
    unsigned waiting;   /* threads that wait for their turn to read */
    unsigned under_way; /* calls */
    bool reading;       /* one of the threads */
    bool several;       /* the client had two calls under way a short while ago */
    unsigned alone;     /* calls in a row that came while no other was under way */
    bool ended;
};

/* The functions stay the caller's. */
enum error_code calls_open(int connection, CK_FUNCTION_LIST *functions, struct calls *calls,
                           struct error *err);
void calls_close(struct calls *calls);

/* Returns when the client has gone, or has said nothing sensible, and no call is under way any more. */
void calls_serve(struct calls *calls);

/* There is a message that nobody reads: another thread is to. */
void calls_more(struct calls *calls);

#endif
