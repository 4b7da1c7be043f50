/*
 * filter: which system calls a process that serves a connection can make (seccomp(2), libseccomp).
 *
 * A list of what the gate, p11-kit and tokens' modules need; what is not on it fails with EPERM, and what nothing of
 * theirs has business with (running a program, another process's memory) ends the process, as does another architecture's
 * calling convention. EPERM, since a module that probes for what it can do without, goes on without.
 * Owner: the process, for its life. Thread rule: once, before there are threads.
 */
#ifndef PINWARD_AGENT_FILTER_H
#define PINWARD_AGENT_FILTER_H

#include "common/config.h"

/* ERROR_INTERNAL: the kernel has none, or takes none. Nothing is done for CONFIG_SANDBOX_OFF. */
enum error_code filter_install(enum config_sandbox sandbox, struct error *err);

/* Would the kernel take one? */
bool filter_is_available(void);

#endif
