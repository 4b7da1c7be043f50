#include "pkcs11-module/agent/calls.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "common/log.h"
#include "pkcs11-module/agent/exchange.h"
#include "pkcs11-module/agent/frame.h"

/* For the token's own module. The system's default would count for eight times as much against the process's
 * limit. */
#define STACK_SIZE ((size_t)1 << 20)

/* ------------------------------------------------------------------ a call */

/* The bytes of it that are still in the connection, all or none; message has all of them. */
static bool read_whole(const struct calls *calls, const struct frame *frame, unsigned char *message,
                       size_t *left)
{
    const size_t rest = frame->taken == 0 && frame->seen >= frame->size ? 0 : frame->size - frame->taken;

    memcpy(message, frame->head, rest == 0 ? frame->size : frame->taken);
    *left = rest == 0 && frame->taken == 0 ? frame->size : 0;
    return frame_take(calls->connection, message + frame->taken, rest);
}

/* A client whose call is under way has said something, however long ago. */
static bool is_idle(struct calls *calls)
{
    if (turns_under_way(&calls->turns))
        return false;
    log_info("the connection is closed: nothing was said for %d s", calls->limits.idle_ms / 1000);
    return true;
}

/* Reads a message and passes the turn on. */
static bool receive(struct calls *calls, struct exchange *exchange, struct patience *patience)
{
    struct frame frame;
    unsigned char *message = NULL;
    size_t left;
    bool received;

    do
        received = frame_look(calls->connection, &calls->limits, patience, &frame);
    while (!received && errno == ETIMEDOUT && !is_idle(calls));
    if (received)
        message = exchange_request(exchange, calls->greeting, frame.size);
    received = message && read_whole(calls, &frame, message, &left);
    explicit_bzero(frame.head, frame.seen);
    if (received)
        turns_pass(&calls->turns, message, left, patience->quick);
    return received;
}

static bool send_answer(struct calls *calls, const unsigned char *answer, size_t size)
{
    bool sent;

    pthread_mutex_lock(&calls->answering);
    sent = frame_send(calls->connection, answer, size);
    pthread_mutex_unlock(&calls->answering);
    return sent;
}

/* turn: whether the next message is this thread's to read, which is settled before its answer has the client
 * send it. */
static bool run(struct calls *calls, struct exchange *exchange, bool *turn)
{
    const unsigned char *answer;
    size_t size;
    bool sent;

    if (!exchange_run(exchange, calls->functions, &answer, &size))
        return false;
    *turn = turns_take_free(&calls->turns);
    sent = send_answer(calls, answer, size);
    turns_answered(&calls->turns, *turn);
    exchange_done(exchange);
    return sent;
}

/* Until the connection ends, which any thread that cannot go on sees to. */
static void serve(struct calls *calls, struct exchange *exchange)
{
    struct patience patience = {0};
    bool turn = false;

    while (turn || turns_take(&calls->turns)) {
        turn = false;
        if (!receive(calls, exchange, &patience) || !run(calls, exchange, &turn))
            break;
    }
    turns_end(&calls->turns);
}

/* ------------------------------------------------------------------ threads */

/* Without memory there is one thread less. */
static void *serve_too(void *data)
{
    struct calls *calls = data;
    struct exchange exchange;

    if (!exchange_open(&exchange))
        return NULL;
    serve(calls, &exchange);
    exchange_close(&exchange);
    return NULL;
}

/* One that cannot be started is one less: whoever has done with its call reads on. */
static void add_thread(struct calls *calls)
{
    pthread_attr_t attributes;

    if (calls->over || calls->thread_count == CALLS_THREADS_MAX - 1 || pthread_attr_init(&attributes) != 0)
        return;
    if (pthread_attr_setstacksize(&attributes, STACK_SIZE) == 0 &&
        pthread_create(&calls->threads[calls->thread_count], &attributes, serve_too, calls) == 0)
        calls->thread_count++;
    pthread_attr_destroy(&attributes);
}

int calls_look(struct calls *calls)
{
    bool thread_wanted;
    const int due_ms = turns_look(&calls->turns, &thread_wanted);

    if (thread_wanted) {
        pthread_mutex_lock(&calls->starting);
        add_thread(calls);
        pthread_mutex_unlock(&calls->starting);
    }
    return due_ms;
}

/* ------------------------------------------------------------------ a connection */

static bool greet(struct calls *calls, struct exchange *exchange)
{
    unsigned char ours;

    return recv(calls->connection, &calls->greeting, 1, 0) == 1 &&
           exchange_greet(exchange, calls->functions, calls->greeting, &ours) && frame_send(calls->connection, &ours, 1);
}

void calls_serve(struct calls *calls)
{
    struct exchange exchange;

    if (!exchange_open(&exchange))
        return;
    if (greet(calls, &exchange))
        serve(calls, &exchange);
    pthread_mutex_lock(&calls->starting);
    calls->over = true;
    pthread_mutex_unlock(&calls->starting);
    for (unsigned i = 0; i < calls->thread_count; i++)
        pthread_join(calls->threads[i], NULL);
    exchange_close(&exchange);
}

enum error_code calls_open(int connection, const struct frame_limits *limits, CK_FUNCTION_LIST *functions,
                           struct calls *calls, struct error *err)
{
    *calls = (struct calls){.connection = connection, .limits = *limits, .functions = functions};
    frame_limit(connection, limits);
    pthread_mutex_init(&calls->answering, NULL);
    pthread_mutex_init(&calls->starting, NULL);
    return turns_open(connection, &calls->turns, err);
}

void calls_close(struct calls *calls)
{
    pthread_mutex_destroy(&calls->starting);
    pthread_mutex_destroy(&calls->answering);
    turns_close(&calls->turns);
}
