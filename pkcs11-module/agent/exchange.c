#include "pkcs11-module/agent/exchange.h"

#define P11_KIT_FUTURE_UNSTABLE_API
#include <p11-kit/p11-kit.h>
#include <p11-kit/remote.h>
#include <stdlib.h>
#include <string.h>

#include "pkcs11-module/agent/exchange_io.h"

/* p11-kit reads and writes the byte of the protocol each time that it begins to serve. */
#define GREETING_SIZE 1

/* More than nearly every message has. */
#define USUAL_CAPACITY 4096

/* ------------------------------------------------------------------ buffers */

static void release(struct exchange_buffer *buffer)
{
    if (buffer->bytes)
        explicit_bzero(buffer->bytes, buffer->size);
    free(buffer->bytes);
    *buffer = (struct exchange_buffer){0};
}

/* Room for so many bytes, with what there is at the start of it. */
static bool reserve(struct exchange_buffer *buffer, size_t size)
{
    size_t capacity = buffer->capacity ? 2 * buffer->capacity : USUAL_CAPACITY;
    struct exchange_buffer larger;

    if (size <= buffer->capacity)
        return true;
    if (capacity < size)
        capacity = size;
    larger = (struct exchange_buffer){.bytes = malloc(capacity), .capacity = capacity, .size = buffer->size};
    if (!larger.bytes)
        return false;
    if (buffer->size > 0)
        memcpy(larger.bytes, buffer->bytes, buffer->size);
    release(buffer);
    *buffer = larger;
    return true;
}

/* Overwritten, and no larger than usual. */
static void empty(struct exchange_buffer *buffer)
{
    explicit_bzero(buffer->bytes, buffer->size);
    buffer->size = 0;
    if (buffer->capacity > USUAL_CAPACITY)
        release(buffer);
}

static bool append(void *data, const void *bytes, size_t len)
{
    struct exchange_buffer *buffer = data;

    if (!reserve(buffer, buffer->size + len))
        return false;
    memcpy(buffer->bytes + buffer->size, bytes, len);
    buffer->size += len;
    return true;
}

/* ------------------------------------------------------------------ an exchange */

bool exchange_open(struct exchange *exchange)
{
    *exchange = (struct exchange){0};
    if (reserve(&exchange->request, USUAL_CAPACITY) && reserve(&exchange->answer, USUAL_CAPACITY))
        return true;
    exchange_close(exchange);
    return false;
}

void exchange_close(struct exchange *exchange)
{
    release(&exchange->request);
    release(&exchange->answer);
}

/* What p11-kit could not decode has no answer. */
static bool serve(struct exchange *exchange, CK_FUNCTION_LIST *functions)
{
    int rc;

    exchange->answer.size = 0;
    exchange_io_begin(exchange->request.bytes, exchange->request.size, append, &exchange->answer);
    rc = p11_kit_remote_serve_module(functions, EXCHANGE_IO_FD, EXCHANGE_IO_FD);
    exchange_io_end();
    empty(&exchange->request);
    return rc == 0 && exchange->answer.size >= GREETING_SIZE;
}

bool exchange_greet(struct exchange *exchange, CK_FUNCTION_LIST *functions, unsigned char theirs,
                    unsigned char *ours)
{
    if (!exchange_request(exchange, theirs, 0) || !serve(exchange, functions))
        return false;
    *ours = exchange->answer.bytes[0];
    return true;
}

unsigned char *exchange_request(struct exchange *exchange, unsigned char theirs, size_t size)
{
    if (!reserve(&exchange->request, GREETING_SIZE + size))
        return NULL;
    exchange->request.size = GREETING_SIZE + size;
    exchange->request.bytes[0] = theirs;
    return exchange->request.bytes + GREETING_SIZE;
}

bool exchange_run(struct exchange *exchange, CK_FUNCTION_LIST *functions, const unsigned char **answer,
                  size_t *answer_size)
{
    if (!serve(exchange, functions) || exchange->answer.size == GREETING_SIZE)
        return false;
    *answer = exchange->answer.bytes + GREETING_SIZE;
    *answer_size = exchange->answer.size - GREETING_SIZE;
    return true;
}

void exchange_done(struct exchange *exchange)
{
    empty(&exchange->answer);
}
