/*
 * watch: a thread that ends the service of a connection at once when its client goes, whatever the service
 * does then: a question on the screen is withdrawn, a call is the last. It also says when there is a message
 * that nobody reads.
 *
 * The client goes when it closes the connection, when the process that connected ends (a child of its own may
 * still hold the connection), and when the agent is told to stop (SIGTERM). Owner: struct watch is the
 * caller's, from watch_start to watch_stop. Thread rule: both from the thread that serves.
 */
#ifndef PINWARD_AGENT_WATCH_H
#define PINWARD_AGENT_WATCH_H

#include <pthread.h>

#include "common/error.h"
#include "pkcs11-module/agent/calls.h"
#include "pkcs11-module/agent/peer.h"

struct watch {
    pthread_t thread;
    struct calls *calls;
    int peer_pidfd; /* -1: not watched */
    int signals;    /* signalfd */
    int stop[2];    /* the other thread's word that the service has ended */
};

/* SIGTERM is blocked from here on, and taken by the watch. */
enum error_code watch_start(struct calls *calls, const struct peer *peer, struct watch *watch,
                            struct error *err);
void watch_stop(struct watch *watch);

#endif
