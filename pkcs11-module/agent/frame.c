#include "pkcs11-module/agent/frame.h"

#include <errno.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

static size_t number(const unsigned char *bytes)
{
    return (size_t)bytes[0] << 24 | (size_t)bytes[1] << 16 | (size_t)bytes[2] << 8 | bytes[3];
}

static bool receive(int connection, struct patience *patience, unsigned char *bytes, size_t len)
{
    bool look = true;

    while (len > 0) {
        const ssize_t n = recv(connection, bytes, len, look ? MSG_DONTWAIT : MSG_WAITALL);

        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
            return false;
        if (n < 0) {
            look = patience_look(patience);
            continue;
        }
        bytes += n;
        len -= (size_t)n;
    }
    return true;
}

bool frame_receive_header(int connection, struct patience *patience, unsigned char header[FRAME_HEADER_SIZE],
                          size_t *size)
{
    size_t claimed;

    patience_begin(patience, false);
    if (!receive(connection, patience, header, FRAME_HEADER_SIZE))
        return false;
    patience_end(patience);
    claimed = FRAME_HEADER_SIZE + number(header + 4) + number(header + 8);
    if (claimed > FRAME_MAX)
        return false;
    *size = claimed;
    return true;
}

bool frame_receive_rest(int connection, struct patience *patience, unsigned char *rest, size_t len)
{
    patience_begin(patience, true); /* p11-kit's client writes header, options and body one after the other */
    return receive(connection, patience, rest, len);
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
