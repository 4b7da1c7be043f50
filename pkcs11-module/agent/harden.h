/*
 * harden: what the agent's processes give up, so that what is in their memory stays there.
 *
 * All of it or none: a process that cannot give something up does not serve.
 * Owner: the process. Thread rule: once, at the start, before there are threads.
 */
#ifndef PINWARD_AGENT_HARDEN_H
#define PINWARD_AGENT_HARDEN_H

#include "common/config.h"
#include "common/error.h"

#define HARDEN_WORDS_SIZE 256

/* What is done, in words for `pinward agent status`: what harden_process and harden_connection do, and sandbox.h's. */
void harden_words(enum config_sandbox sandbox, char words[HARDEN_WORDS_SIZE]);

/* No other process of the user may read this one's memory or trace it (prctl(2), PR_SET_DUMPABLE), no core is written,
 * and no program that it starts gets more rights. */
enum error_code harden_process(struct error *err);

/* The same, and the limits of a process that serves one client: descriptors, processor time, memory, so that a message
 * cannot be as long as it claims; what is freed is overwritten; where memory runs out, the kernel ends it before others. */
enum error_code harden_connection(const struct config *config, struct error *err);

#endif
