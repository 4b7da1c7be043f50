/*
 * exchange_io: read(2) and write(2) as this program has them. A library that calls them with EXCHANGE_IO_FD
 * gets them from memory and puts them there; all else is the system's.
 *
 * The program's own definitions come before the C library's for every library that it loads (ld.so(8)).
 * p11-kit reads and writes by these two, a few bytes at a time; the descriptor can never be open, so that a
 * p11-kit which did so in another way would get EBADF and serve nothing. Owner: what exchange_io_begin is
 * given stays the caller's. Thread rule: each thread has its own; from begin to end.
 */
#ifndef PINWARD_AGENT_EXCHANGE_IO_H
#define PINWARD_AGENT_EXCHANGE_IO_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#define EXCHANGE_IO_FD INT_MAX

/* Where what is written goes. false: there is no memory. */
typedef bool exchange_io_put(void *data, const void *bytes, size_t len);

/* From now on this thread reads these bytes from EXCHANGE_IO_FD, and then its end. */
void exchange_io_begin(const void *bytes, size_t len, exchange_io_put *put, void *data);
void exchange_io_end(void);

#endif
