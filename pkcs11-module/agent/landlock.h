/*
 * landlock: which files a process that serves a connection can write (landlock(7)). It executes none, and reads what its
 * user may read. It reaches no other process: not its memory, not with signals, nor by abstract sockets, where the kernel
 * has that (version 6 of the interface).
 *
 * Owner: the process, for its life. Thread rule: once, before there are threads.
 */
#ifndef PINWARD_AGENT_LANDLOCK_H
#define PINWARD_AGENT_LANDLOCK_H

#include "common/error.h"

/* The version of the kernel's interface; 0: it has none, or it is switched off. */
int landlock_version(void);

/* Afterwards only these can be written, each a file or a folder with all that is in it. paths ends with NULL; one that is
 * not there is passed over. ERROR_STATE: landlock_version is 0. ERROR_INTERNAL. */
enum error_code landlock_restrict(const char *const *paths, struct error *err);

#endif
