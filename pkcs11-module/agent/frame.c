#include "pkcs11-module/agent/frame.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/types.h>

#include "common/log.h"

static size_t number(const unsigned char *bytes)
{
    return (size_t)bytes[0] << 24 | (size_t)bytes[1] << 16 | (size_t)bytes[2] << 8 | bytes[3];
}

/* poll(2) and not recv(2), which takes the connection's lock from the client that is about to write, and in
 * which a thread that sleeps is woken each time that the client reads. */
static bool wait_for(int connection, int idle_ms, struct patience *patience)
{
    struct pollfd ready = {.fd = connection, .events = POLLIN};
    int n = poll(&ready, 1, 0);

    while (n == 0 && patience_look(patience))
        n = poll(&ready, 1, 0);
    if (n == 0)
        do
            n = poll(&ready, 1, idle_ms);
        while (n < 0 && errno == EINTR);
    if (n == 0)
        errno = ETIMEDOUT;
    return n > 0;
}

static bool look(int connection, struct frame *frame)
{
    const ssize_t n = recv(connection, frame->head, sizeof frame->head, MSG_PEEK | MSG_DONTWAIT);

    if (n > 0)
        frame->seen = (size_t)n;
    if (n >= FRAME_HEADER_SIZE)
        frame->size = FRAME_HEADER_SIZE + number(frame->head + 4) + number(frame->head + 8);
    return n > 0;
}

static bool is_whole(const struct frame *frame)
{
    return frame->size > 0 && (frame->seen >= frame->size || frame->seen == sizeof frame->head);
}

static void set_timeout(int connection, int option, int timeout_ms)
{
    const struct timeval timeout = {.tv_sec = timeout_ms / 1000};

    (void)setsockopt(connection, SOL_SOCKET, option, &timeout, sizeof timeout);
}

/* What is received with a wait has begun: a message is waited for with poll. */
void frame_limit(int connection, const struct frame_limits *limits)
{
    set_timeout(connection, SO_RCVTIMEO, limits->stall_ms);
    set_timeout(connection, SO_SNDTIMEO, limits->stall_ms);
}

static bool is_too_long(const struct frame *frame, const struct frame_limits *limits)
{
    if (frame->size <= limits->size_max)
        return false;
    log_warning("the client claims to send %zu bytes at once, and may send %zu", frame->size, limits->size_max);
    errno = EMSGSIZE;
    return true;
}

bool frame_look(int connection, const struct frame_limits *limits, struct patience *patience, struct frame *frame)
{
    frame->size = frame->seen = frame->taken = 0;
    patience_begin(patience, false);
    if (!wait_for(connection, limits->idle_ms, patience))
        return false;
    errno = ECONNRESET;
    if (!look(connection, frame))
        return false;
    patience_end(patience);
    patience_begin(patience, true); /* p11-kit's client writes header, options and body one after the other */
    while (!is_whole(frame) && patience_look(patience))
        if (!look(connection, frame)) {
            errno = ECONNRESET;
            return false;
        }
    if (frame->size == 0) { /* not even a header yet */
        if (!frame_take(connection, frame->head, FRAME_HEADER_SIZE))
            return false;
        frame->seen = frame->taken = FRAME_HEADER_SIZE;
        frame->size = FRAME_HEADER_SIZE + number(frame->head + 4) + number(frame->head + 8);
    }
    return !is_too_long(frame, limits);
}

bool frame_take(int connection, unsigned char *bytes, size_t len)
{
    while (len > 0) {
        const ssize_t n = recv(connection, bytes, len, MSG_WAITALL);

        if (n == 0 || (n < 0 && errno != EINTR)) {
            errno = ECONNRESET;
            return false;
        }
        bytes += n > 0 ? n : 0;
        len -= n > 0 ? (size_t)n : 0;
    }
    return true;
}

bool frame_send(int connection, const unsigned char *bytes, size_t len)
{
    while (len > 0) {
        const ssize_t n = send(connection, bytes, len, MSG_NOSIGNAL);

        if (n < 0 && errno != EINTR)
            return false;
        bytes += n > 0 ? n : 0;
        len -= n > 0 ? (size_t)n : 0;
    }
    return true;
}
