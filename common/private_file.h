/*
 * private_file: a file of the user's that several processes share, with nobody else: opened with care, and locked.
 *
 * Owner: the descriptor is the caller's; closing it gives up its lock.
 * Thread rule: any thread. The lock belongs to the open file description (fcntl, F_OFD_SETLK): two threads that have
 *   each opened the file exclude each other as two processes do.
 */
#ifndef PINWARD_COMMON_PRIVATE_FILE_H
#define PINWARD_COMMON_PRIVATE_FILE_H

#include <stdbool.h>

#include "common/error.h"

/* Opens a regular file for reading and writing; with create, made with mode 0600 (and its folders with 0700) when it
 * is not there. flags: O_APPEND or 0. A link, another user's file, and one that others may write are refused. The
 * descriptor is never 0 to 2: a host that has closed those must not write its messages here. -1: err says why, and
 * errno is ENOENT when, without create, there is none. */
int private_file_open(const char *path, bool create, int flags, struct error *err);

/* Takes the exclusive lock. ERROR_TIMEOUT: for timeout_ms nobody who had it has changed the file (where hundreds of processes
 * want it each may wait for long, but not for one that is stopped), or all in all PRIVATE_FILE_TURNS times as long; ERROR_IO. */
#define PRIVATE_FILE_TURNS 10
enum error_code private_file_lock(int fd, unsigned timeout_ms, struct error *err);

/* Gives the lock up before the file is closed. */
void private_file_unlock(int fd);

/* Is the open file still the one that has this name? false once it was renamed, removed or replaced. */
bool private_file_is_at(int fd, const char *path);

#endif
