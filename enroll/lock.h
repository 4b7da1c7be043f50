/*
 * lock: a file that one process has at a time, and in which it says who it is.
 *
 * The lock itself is the kernel's (flock): it ends with its process, however that ends. The number in the file is only
 * what the one that is kept out says of it.
 * Owner: the descriptor is the caller's; closing it gives the lock back. Thread rule: no shared state.
 */
#ifndef PINWARD_ENROLL_LOCK_H
#define PINWARD_ENROLL_LOCK_H

#include "common/error.h"

#define LOCK_HOLDER_SIZE 48

/* Takes path's lock, waiting up to wait_ms for the process that has it. ERROR_STATE, without a sentence: it still has it;
 * holder then says who, for a sentence: "process 1234", or that it is not known. */
enum error_code lock_take(const char *path, unsigned wait_ms, int *fd, char holder[LOCK_HOLDER_SIZE], struct error *err);

#endif
