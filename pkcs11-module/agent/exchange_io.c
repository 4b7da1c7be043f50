#undef _FORTIFY_SOURCE /* whose read and write are inline */
#include "pkcs11-module/agent/exchange_io.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static _Thread_local struct {
    const unsigned char *bytes;
    size_t len;
    exchange_io_put *put; /* NULL: nothing is under way */
    void *data;
} io;

void exchange_io_begin(const void *bytes, size_t len, exchange_io_put *put, void *data)
{
    io.bytes = bytes;
    io.len = len;
    io.put = put;
    io.data = data;
}

void exchange_io_end(void)
{
    exchange_io_begin(NULL, 0, NULL, NULL);
}

static size_t take(void *buffer, size_t len)
{
    if (len > io.len)
        len = io.len;
    if (len > 0)
        memcpy(buffer, io.bytes, len);
    io.bytes += len;
    io.len -= len;
    return len;
}

/* Neither is a point where a thread can be cancelled, which nothing here does. The C library's names of the parameters are
 * reserved to it. */
/* NOLINTBEGIN(readability-inconsistent-declaration-parameter-name) */
__attribute__((visibility("default"))) ssize_t read(int fd, void *buffer, size_t len)
{
    return fd == EXCHANGE_IO_FD && io.put ? (ssize_t)take(buffer, len)
                                          : (ssize_t)syscall(SYS_read, fd, buffer, len);
}

__attribute__((visibility("default"))) ssize_t write(int fd, const void *buffer, size_t len)
{
    if (fd != EXCHANGE_IO_FD || !io.put)
        return (ssize_t)syscall(SYS_write, fd, buffer, len);
    if (io.put(io.data, buffer, len))
        return (ssize_t)len;
    errno = ENOSPC;
    return -1;
}
/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */
