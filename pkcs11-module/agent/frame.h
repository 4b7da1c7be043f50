/*
 * frame: p11-kit's messages as they go over a connection: three numbers of 32 bits (which call it is, how
 * long its options and its body are), then options and body. What is in those is p11-kit's to read.
 *
 * Owner: nothing is kept. Thread rule: one thread at a time reads from a connection, and one writes.
 */
#ifndef PINWARD_AGENT_FRAME_H
#define PINWARD_AGENT_FRAME_H

#include <stdbool.h>
#include <stddef.h>

#include "pkcs11-module/agent/patience.h"

#define FRAME_HEADER_SIZE 12

/* What ends a connection: a client cannot have the agent's memory or its time for the asking. */
struct frame_limits {
    size_t size_max; /* of a message */
    int idle_ms;     /* until a message begins; -1: it may take for ever */
    int stall_ms;    /* until there is more of one that has begun, or some of an answer is taken */
};

/* What is looked at before it is taken: all of a message, unless it is long or its sender slow. */
#define FRAME_HEAD_MAX 4096

struct frame {
    size_t size;  /* of the whole message */
    size_t seen;  /* bytes of it in head, from its start */
    size_t taken; /* of these, those that are no longer in the connection */
    unsigned char head[FRAME_HEAD_MAX];
};

/* Once for a connection, before all that follows: for how long a message may stall. */
void frame_limit(int connection, const struct frame_limits *limits);

/* Waits for a message and looks at it. false: the client has gone, or does not go on, or claims what is too long, or
 * (errno is ETIMEDOUT) has said nothing for as long as it may. */
bool frame_look(int connection, const struct frame_limits *limits, struct patience *patience, struct frame *frame);

/* Takes so many bytes from the connection, or false: the client has gone, or does not go on. */
bool frame_take(int connection, unsigned char *bytes, size_t len);

/* All of it, or false: the client has gone, or does not take it. */
bool frame_send(int connection, const unsigned char *bytes, size_t len);

#endif
