/*
 * writable: the files that a process that serves a connection writes: Pinward's own and the token's.
 *
 * Owner: struct writable is the caller's, from writable_find to writable_clear. Thread rule: one thread; reads the
 * environment.
 */
#ifndef PINWARD_AGENT_WRITABLE_H
#define PINWARD_AGENT_WRITABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/config.h"

#define WRITABLE_MAX 64

struct writable {
    char *paths[WRITABLE_MAX + 1]; /* ends with NULL */
    size_t count;
};

/* Files of Pinward's that are not there yet are made, since what is not there cannot be named. false: no memory, or more
 * than there is room for. */
bool writable_find(const struct config *config, struct writable *writable);
void writable_clear(struct writable *writable);

#endif
