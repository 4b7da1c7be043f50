#include "pkcs11-module/agent/frame.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

static size_t number(const unsigned char *bytes)
{
    return (size_t)bytes[0] << 24 | (size_t)bytes[1] << 16 | (size_t)bytes[2] << 8 | bytes[3];
}

/* poll(2) and not recv(2), which takes the connection's lock from the client that is about to write, and in
 * which a thread that sleeps is woken each time that the client reads. */
static bool wait_for(int connection, struct patience *patience)
{
    struct pollfd ready = {.fd = connection, .events = POLLIN};
    int n = poll(&ready, 1, 0);

    while (n == 0 && patience_look(patience))
        n = poll(&ready, 1, 0);
    while (n == 0 || (n < 0 && errno == EINTR))
        n = poll(&ready, 1, -1);
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

bool frame_look(int connection, struct patience *patience, struct frame *frame)
{
    frame->size = frame->seen = frame->taken = 0;
    patience_begin(patience, false);
    if (!wait_for(connection, patience) || !look(connection, frame))
        return false;
    patience_end(patience);
    patience_begin(patience, true); /* p11-kit's client writes header, options and body one after the other */
    while (!is_whole(frame) && patience_look(patience))
        if (!look(connection, frame))
            return false;
    if (frame->size == 0) { /* not even a header yet */
        if (!frame_take(connection, frame->head, FRAME_HEADER_SIZE))
            return false;
        frame->seen = frame->taken = FRAME_HEADER_SIZE;
        frame->size = FRAME_HEADER_SIZE + number(frame->head + 4) + number(frame->head + 8);
    }
    return frame->size <= FRAME_MAX;
}

bool frame_take(int connection, unsigned char *bytes, size_t len)
{
    while (len > 0) {
        const ssize_t n = recv(connection, bytes, len, MSG_WAITALL);

        if (n == 0 || (n < 0 && errno != EINTR))
            return false;
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
