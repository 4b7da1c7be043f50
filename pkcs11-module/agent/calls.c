#include "pkcs11-module/agent/calls.h"

#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/i18n.h"
#include "pkcs11-module/agent/exchange.h"
#include "pkcs11-module/agent/frame.h"

/* For the token's own module. The system's default would count for eight times as much against the process's
 * limit. */
#define STACK_SIZE ((size_t)1 << 20)

/* After so many calls, one after the other, a client is taken for one with a single thread again. */
#define ALONE_MAX 64

/* ------------------------------------------------------------------ whose turn it is to read */

/* Once (EPOLLONESHOT) and only while nobody reads: a client with one thread never wakes the one that watches.
 */
static void watch_for_more(const struct calls *calls, bool on)
{
    struct epoll_event event = {.events = EPOLLONESHOT | (on ? (uint32_t)EPOLLIN : 0)};

    (void)epoll_ctl(calls->more, EPOLL_CTL_MOD, calls->connection, &event);
}

/* With the lock. */
static void take(struct calls *calls)
{
    calls->reading = true;
    watch_for_more(calls, false);
}

/* false: the connection has ended. */
static bool take_turn(struct calls *calls)
{
    bool taken;

    pthread_mutex_lock(&calls->lock);
    calls->waiting++;
    while (calls->reading && !calls->ended)
        pthread_cond_wait(&calls->changed, &calls->lock);
    calls->waiting--;
    taken = !calls->ended;
    if (taken)
        take(calls);
    pthread_mutex_unlock(&calls->lock);
    return taken;
}

/* A call is over; its answer, which is sent next, has the next call follow. true: who sends it reads that. */
static bool take_free_turn(struct calls *calls)
{
    bool taken;

    pthread_mutex_lock(&calls->lock);
    calls->under_way--;
    taken = !calls->reading && !calls->ended;
    if (taken)
        take(calls);
    pthread_mutex_unlock(&calls->lock);
    return taken;
}

/* A message has been read. Where the client is known to have several threads another of ours reads on at
 * once. */
static void pass_turn(struct calls *calls)
{
    pthread_mutex_lock(&calls->lock);
    calls->reading = false;
    calls->alone = calls->under_way == 0 ? calls->alone + 1 : 0;
    calls->under_way++;
    calls->several = calls->several && calls->alone < ALONE_MAX;
    if (calls->several && calls->waiting > 0)
        pthread_cond_signal(&calls->changed);
    else
        watch_for_more(calls, true);
    pthread_mutex_unlock(&calls->lock);
}

static void end(struct calls *calls)
{
    pthread_mutex_lock(&calls->lock);
    calls->ended = true;
    pthread_cond_broadcast(&calls->changed);
    pthread_mutex_unlock(&calls->lock);
    (void)shutdown(calls->connection, SHUT_RDWR);
}

/* ------------------------------------------------------------------ a call */

static bool receive(struct calls *calls, struct exchange *exchange, struct patience *patience)
{
    unsigned char header[FRAME_HEADER_SIZE];
    unsigned char *message;
    size_t size;

    if (!frame_receive_header(calls->connection, patience, header, &size))
        return false;
    message = exchange_request(exchange, calls->greeting, size);
    if (!message)
        return false;
    memcpy(message, header, sizeof header);
    return frame_receive_rest(calls->connection, patience, message + sizeof header, size - sizeof header);
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
    *turn = take_free_turn(calls);
    pthread_mutex_lock(&calls->answering);
    sent = frame_send(calls->connection, answer, size);
    pthread_mutex_unlock(&calls->answering);
    exchange_done(exchange, size);
    return sent;
}

/* Until the connection ends, which any thread that cannot go on sees to. */
static void serve(struct calls *calls, struct exchange *exchange)
{
    struct patience patience = {0};
    bool turn = false;

    while (turn || take_turn(calls)) {
        turn = false;
        if (!receive(calls, exchange, &patience))
            break;
        pass_turn(calls);
        if (!run(calls, exchange, &turn))
            break;
    }
    end(calls);
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

/* With the lock. One that cannot be started is one less: whoever has done with its call reads on. */
static void add_thread(struct calls *calls)
{
    pthread_attr_t attributes;

    if (calls->thread_count == CALLS_THREADS_MAX - 1 || pthread_attr_init(&attributes) != 0)
        return;
    if (pthread_attr_setstacksize(&attributes, STACK_SIZE) == 0 &&
        pthread_create(&calls->threads[calls->thread_count], &attributes, serve_too, calls) == 0)
        calls->thread_count++;
    pthread_attr_destroy(&attributes);
}

void calls_more(struct calls *calls)
{
    struct epoll_event event;

    if (epoll_wait(calls->more, &event, 1, 0) != 1)
        return;
    pthread_mutex_lock(&calls->lock);
    if (!calls->ended && !calls->reading) {
        calls->several = true;
        calls->alone = 0;
        if (calls->waiting > 0)
            pthread_cond_signal(&calls->changed);
        else
            add_thread(calls);
    }
    pthread_mutex_unlock(&calls->lock);
}

/* ------------------------------------------------------------------ */

static bool greet(struct calls *calls, struct exchange *exchange)
{
    unsigned char ours;

    return recv(calls->connection, &calls->greeting, 1, 0) == 1 &&
           exchange_greet(exchange, calls->greeting, &ours) && frame_send(calls->connection, &ours, 1);
}

void calls_serve(struct calls *calls)
{
    struct exchange exchange;

    if (!exchange_open(&exchange))
        return;
    if (greet(calls, &exchange))
        serve(calls, &exchange);
    for (unsigned i = 0; i < calls->thread_count; i++) /* no other is started once the connection has ended */
        pthread_join(calls->threads[i], NULL);
    exchange_close(&exchange);
}

enum error_code calls_open(int connection, CK_FUNCTION_LIST *functions, struct calls *calls,
                           struct error *err)
{
    struct calls made = {
        .connection = connection, .functions = functions, .more = epoll_create1(EPOLL_CLOEXEC)};
    struct epoll_event event = {.events = EPOLLONESHOT};

    if (made.more < 0 || epoll_ctl(made.more, EPOLL_CTL_ADD, connection, &event) != 0) {
        if (made.more >= 0)
            close(made.more);
        return error_set(err, ERROR_INTERNAL, _("The connection cannot be watched."));
    }
    *calls = made;
    pthread_mutex_init(&calls->answering, NULL);
    pthread_mutex_init(&calls->lock, NULL);
    pthread_cond_init(&calls->changed, NULL);
    return ERROR_NONE;
}

void calls_close(struct calls *calls)
{
    pthread_cond_destroy(&calls->changed);
    pthread_mutex_destroy(&calls->lock);
    pthread_mutex_destroy(&calls->answering);
    close(calls->more);
}
