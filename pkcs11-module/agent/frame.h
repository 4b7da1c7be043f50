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

/* Waits for a message. size: of the whole of it, header and all. false: the client has gone, or claims what
 * is too long. */
bool frame_receive_header(int connection, struct patience *patience, unsigned char header[FRAME_HEADER_SIZE],
                          size_t *size);

/* The bytes that are still to come of it, or false: the client has gone. */
bool frame_receive_rest(int connection, struct patience *patience, unsigned char *rest, size_t len);

/* All of it, or false. */
bool frame_send(int connection, const unsigned char *bytes, size_t len);

#endif
