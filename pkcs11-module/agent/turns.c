#include "pkcs11-module/agent/turns.h"

#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/i18n.h"
#include "pkcs11-module/agent/frame.h"

#define LOOK_MS 5

/* After so many calls, one after the other, a client is taken for one with a single thread again. */
#define ALONE_MAX 64

/* Once (EPOLLONESHOT) and only while nobody reads: a client with one thread never wakes the one that watches.
 */
static void watch(const struct turns *turns, bool on)
{
    struct epoll_event event = {.events = EPOLLONESHOT | (on ? (uint32_t)EPOLLIN : 0),
                                .data.fd = turns->connection};

    (void)epoll_ctl(turns->more, EPOLL_CTL_MOD, turns->connection, &event);
}

/* Takes what a message left. What was left can be taken without waiting. */
static void take_left(struct turns *turns)
{
    unsigned char known[FRAME_HEAD_MAX];

    (void)frame_take(turns->connection, known, turns->left);
    explicit_bzero(known, turns->left);
    turns->left = 0;
}

bool turns_take(struct turns *turns)
{
    bool taken;

    pthread_mutex_lock(&turns->lock);
    turns->waiting++;
    while ((turns->reading || turns->left > 0) && !turns->ended)
        pthread_cond_wait(&turns->changed, &turns->lock);
    turns->waiting--;
    taken = !turns->ended;
    if (taken) {
        turns->reading = true;
        watch(turns, false);
    }
    pthread_mutex_unlock(&turns->lock);
    return taken;
}

/* Where the client is known to have several threads another of ours reads on at once. */
static void let_others_read(struct turns *turns)
{
    if (turns->several && turns->waiting > 0)
        pthread_cond_signal(&turns->changed);
    else
        watch(turns, true);
}

void turns_pass(struct turns *turns, unsigned char *message, size_t left, bool quick)
{
    const uint64_t one = 1;

    pthread_mutex_lock(&turns->lock);
    turns->messages++;
    turns->alone = turns->under_way == 0 ? turns->alone + 1 : 0;
    turns->under_way++;
    turns->unanswered++;
    turns->several = turns->several && turns->alone < ALONE_MAX;
    if (quick && !turns->several && !turns->looked_after)
        (void)!write(turns->bell, &one, sizeof one);
    if (quick && !turns->several && turns->looked_after)
        turns->left = left;
    else
        (void)frame_take(turns->connection, message, left);
    turns->reading = false;
    if (turns->left == 0)
        let_others_read(turns);
    pthread_mutex_unlock(&turns->lock);
}

/* Another message has come behind the one that was left. */
static bool more_than_left(const struct turns *turns)
{
    int there = 0;

    return turns->left > 0 && ioctl(turns->connection, FIONREAD, &there) == 0 && there > 0 &&
           (size_t)there > turns->left;
}

bool turns_take_free(struct turns *turns)
{
    bool taken;

    pthread_mutex_lock(&turns->lock);
    turns->under_way--;
    taken = !turns->reading && !turns->ended;
    if (taken) {
        turns->reading = true;
        if (turns->left == 0)
            watch(turns, false);
    }
    pthread_mutex_unlock(&turns->lock);
    return taken;
}

void turns_answered(struct turns *turns, bool turn)
{
    pthread_mutex_lock(&turns->lock);
    turns->unanswered--;
    if (turn) {
        turns->several = turns->several || more_than_left(turns);
        take_left(turns);
    }
    if (turns->last > 0)
        pthread_cond_broadcast(&turns->changed);
    pthread_mutex_unlock(&turns->lock);
}

void turns_be_last(struct turns *turns)
{
    pthread_mutex_lock(&turns->lock);
    turns->last++;
    pthread_cond_broadcast(&turns->changed);
    while (turns->unanswered > turns->last && !turns->ended)
        pthread_cond_wait(&turns->changed, &turns->lock);
    turns->last--;
    pthread_mutex_unlock(&turns->lock);
}

bool turns_under_way(struct turns *turns)
{
    bool some;

    pthread_mutex_lock(&turns->lock);
    some = turns->under_way > 0;
    pthread_mutex_unlock(&turns->lock);
    return some;
}

void turns_end(struct turns *turns)
{
    pthread_mutex_lock(&turns->lock);
    turns->ended = true;
    pthread_cond_broadcast(&turns->changed);
    pthread_mutex_unlock(&turns->lock);
    (void)shutdown(turns->connection, SHUT_RDWR);
}

/* What made `more` readable. */
static void collect(const struct turns *turns, bool *message, bool *rung)
{
    struct epoll_event events[2];
    const int count = epoll_wait(turns->more, events, 2, 0);

    for (int i = 0; i < count; i++)
        *(events[i].data.fd == turns->bell ? rung : message) = true;
}

int turns_look(struct turns *turns, bool *thread_wanted)
{
    bool message = false, rung = false, moved;

    collect(turns, &message, &rung);
    pthread_mutex_lock(&turns->lock);
    moved = turns->messages != turns->messages_seen;
    turns->messages_seen = turns->messages;
    turns->looked_after = rung || (turns->looked_after && moved);
    if (turns->left > 0 && !turns->reading && !moved) {
        take_left(turns);
        let_others_read(turns);
    }
    *thread_wanted = message && !turns->reading && turns->left == 0 && !turns->ended;
    if (*thread_wanted) {
        turns->several = true;
        turns->alone = 0;
        *thread_wanted = turns->waiting == 0;
        pthread_cond_signal(&turns->changed);
    }
    pthread_mutex_unlock(&turns->lock);
    return turns->looked_after ? LOOK_MS : -1;
}

static bool register_all(const struct turns *turns)
{
    struct epoll_event connection = {.events = EPOLLONESHOT, .data.fd = turns->connection};
    struct epoll_event bell = {.events = EPOLLIN | EPOLLET, .data.fd = turns->bell};

    return turns->more >= 0 && turns->bell >= 0 &&
           epoll_ctl(turns->more, EPOLL_CTL_ADD, turns->connection, &connection) == 0 &&
           epoll_ctl(turns->more, EPOLL_CTL_ADD, turns->bell, &bell) == 0;
}

enum error_code turns_open(int connection, struct turns *turns, struct error *err)
{
    struct turns made = {.connection = connection,
                         .more = epoll_create1(EPOLL_CLOEXEC),
                         .bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};

    if (!register_all(&made)) {
        if (made.more >= 0)
            close(made.more);
        if (made.bell >= 0)
            close(made.bell);
        return error_set(err, ERROR_INTERNAL, _("The connection cannot be watched."));
    }
    *turns = made;
    pthread_mutex_init(&turns->lock, NULL);
    pthread_cond_init(&turns->changed, NULL);
    return ERROR_NONE;
}

void turns_close(struct turns *turns)
{
    pthread_cond_destroy(&turns->changed);
    pthread_mutex_destroy(&turns->lock);
    close(turns->bell);
    close(turns->more);
}
