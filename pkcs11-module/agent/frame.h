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

/* A longer message ends its connection: a client cannot have the agent's memory for the asking. */
#define FRAME_MAX ((size_t)64 << 20)

/* What is looked at before it is taken: all of a message, unless it is long or its sender slow. */
#define FRAME_HEAD_MAX 4096

struct frame {
    size_t size;  /* of the whole message */
    size_t seen;  /* bytes of it in head, from its start */
    size_t taken; /* of these, those that are no longer in the connection */
    unsigned char head[FRAME_HEAD_MAX];
};

/* Waits for a message and looks at it. false: the client has gone, or claims what is too long. */
bool frame_look(int connection, struct patience *patience, struct frame *frame);

/* Takes so many bytes from the connection, or false: the client has gone. */
bool frame_take(int connection, unsigned char *bytes, size_t len);

/* All of it, or false. */
bool frame_send(int connection, const unsigned char *bytes, size_t len);

#endif
