/*
 * exchange: one message of a client's through p11-kit, which decodes it, calls the function that it names,
 * and encodes the answer.
 *
 * p11-kit serves a pair of descriptors until the first has no more to read (p11_kit_remote_serve_module).
 * Here it is given a descriptor that is none, and what it reads and writes is in memory (exchange_io.h): one
 * message each time. So this program has its say between an answer and the next message, and a message goes
 * over the connection in one piece.
 *
 * Owner: struct exchange is the caller's, from exchange_open to exchange_close. What passes through may be a
 * PIN, and is overwritten at once. Thread rule: one thread at a time; two exchanges at once are two threads'
 * affair.
 */
#ifndef PINWARD_AGENT_EXCHANGE_H
#define PINWARD_AGENT_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>

#include "pkcs11-module/p11.h"

struct exchange_buffer {
    unsigned char *bytes;
    size_t capacity;
    size_t size;
};

struct exchange {
    struct exchange_buffer request;
    struct exchange_buffer answer;
};

bool exchange_open(struct exchange *exchange);
void exchange_close(struct exchange *exchange);

/* A connection begins with a byte from each side that says which protocol it speaks; no function is called
 * yet. false: p11-kit does not speak that. */
bool exchange_greet(struct exchange *exchange, CK_FUNCTION_LIST *functions, unsigned char theirs,
                    unsigned char *ours);

/* Where a message of that size (its header is at the start) is to be put. NULL: there is no memory. */
unsigned char *exchange_request(struct exchange *exchange, unsigned char theirs, size_t size);

/* Runs what was put there, and overwrites it. The answer is valid until exchange_done. false: it was no
 * message. */
bool exchange_run(struct exchange *exchange, CK_FUNCTION_LIST *functions, const unsigned char **answer,
                  size_t *answer_size);
void exchange_done(struct exchange *exchange);

#endif
