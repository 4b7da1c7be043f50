#include "pkcs11-module/agent/exchange.h"

#define P11_KIT_FUTURE_UNSTABLE_API
#include <p11-kit/p11-kit.h>
#include <p11-kit/remote.h>

#include "pkcs11-module/dispatch.h"

/* p11-kit reads and writes the byte of the protocol each time that it begins to serve. */
#define GREETING_SIZE 1

bool exchange_open(struct exchange *exchange)
{
    struct exchange made = {.request.fd = -1, .answer.fd = -1};

    if (!memory_file_open(&made.request))
        return false;
    if (!memory_file_open(&made.answer)) {
        memory_file_close(&made.request);
        return false;
    }
    *exchange = made;
    return true;
}

void exchange_close(struct exchange *exchange)
{
    memory_file_close(&exchange->request);
    memory_file_close(&exchange->answer);
}

/* size: what p11-kit wrote, and 0 when that cannot be read. What it could not decode has no answer. */
static bool serve(struct exchange *exchange, CK_FUNCTION_LIST *functions, size_t *size)
{
    size_t written = 0;
    bool served;

    served = memory_file_rewind(&exchange->answer) &&
             p11_kit_remote_serve_module(functions, exchange->request.fd, exchange->answer.fd) == 0;
    memory_file_wipe(&exchange->request, exchange->request_size);
    if (!memory_file_written(&exchange->answer, &written))
        served = false;
    *size = written;
    return served;
}

bool exchange_greet(struct exchange *exchange, unsigned char theirs, unsigned char *ours)
{
    CK_FUNCTION_LIST functions = dispatch_list; /* none of them is called */
    size_t size;

    if (!exchange_request(exchange, theirs, 0) || !serve(exchange, &functions, &size) ||
        size != GREETING_SIZE)
        return false;
    *ours = exchange->answer.bytes[0];
    return true;
}

unsigned char *exchange_request(struct exchange *exchange, unsigned char theirs, size_t size)
{
    if (!memory_file_set(&exchange->request, GREETING_SIZE + size))
        return NULL;
    exchange->request_size = GREETING_SIZE + size;
    exchange->request.bytes[0] = theirs;
    return exchange->request.bytes + GREETING_SIZE;
}

bool exchange_run(struct exchange *exchange, CK_FUNCTION_LIST *functions, const unsigned char **answer,
                  size_t *answer_size)
{
    size_t size;

    if (!serve(exchange, functions, &size) || size <= GREETING_SIZE) {
        memory_file_wipe(&exchange->answer, size);
        return false;
    }
    *answer = exchange->answer.bytes + GREETING_SIZE;
    *answer_size = size - GREETING_SIZE;
    return true;
}

void exchange_done(struct exchange *exchange, size_t answer_size)
{
    memory_file_wipe(&exchange->answer, GREETING_SIZE + answer_size);
}
