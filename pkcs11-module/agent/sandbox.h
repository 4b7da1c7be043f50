/*
 * sandbox: what a process that serves a connection can do from its first message on: filter.h and landlock.h together, as
 * [agent] sandbox says.
 *
 * Owner: the process, for its life. Thread rule: once, before there are threads.
 */
#ifndef PINWARD_AGENT_SANDBOX_H
#define PINWARD_AGENT_SANDBOX_H

#include "common/config.h"

/* ERROR_INTERNAL: what the kernel has could not be used, and the process must not serve. What the kernel does not have is
 * told by sandbox_words. */
enum error_code sandbox_enter(const struct config *config, struct error *err);

#define SANDBOX_WORDS_SIZE 128

/* For `pinward agent status` and the log: what holds on this kernel for connections under this configuration, and what is
 * lacking: "sandbox=strict seccomp landlock=7", "sandbox=strict seccomp no-landlock", "sandbox=off". */
void sandbox_words(enum config_sandbox sandbox, char words[SANDBOX_WORDS_SIZE]);

/* Is everything on that Pinward knows? */
bool sandbox_is_whole(enum config_sandbox sandbox);

#endif
