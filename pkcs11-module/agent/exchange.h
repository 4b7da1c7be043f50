/*
 * exchange: one message of a client's through p11-kit, which decodes it, calls the function that it names,
 * and encodes the answer.
 *
 * p11-kit serves a pair of descriptors until the first has no more to read. Here these are files in memory,
 * of one message each: so this program has its say between the answer and the next message, and no p11-kit's
 * function but the public one (p11_kit_remote_serve_module) is needed.
 *
 * Owner: struct exchange is the caller's, from exchange_open to exchange_close. What passes through may be a
 * PIN, and is overwritten at once. Thread rule: one thread at a time; two exchanges at once are two threads'
 * affair.
 */
#ifndef PINWARD_AGENT_EXCHANGE_H
#define PINWARD_AGENT_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>

#include "pkcs11-module/agent/memory_file.h"
#include "pkcs11-module/p11.h"

struct exchange {
    struct memory_file request;
    struct memory_file answer;
    size_t request_size;
};

bool exchange_open(struct exchange *exchange);
void exchange_close(struct exchange *exchange);

/* A connection begins with a byte from each side that says which protocol it speaks. false: p11-kit does not
 * speak that. */
bool exchange_greet(struct exchange *exchange, unsigned char theirs, unsigned char *ours);

/* Where a message of that size (its header is at the start) is to be put. NULL: there is no memory. */
unsigned char *exchange_request(struct exchange *exchange, unsigned char theirs, size_t size);

/* Runs what was put there, and overwrites it. The answer is valid until exchange_done. false: it was no
 * message. */
bool exchange_run(struct exchange *exchange, CK_FUNCTION_LIST *functions, const unsigned char **answer,
                  size_t *answer_size);
void exchange_done(struct exchange *exchange, size_t answer_size);

#endif
