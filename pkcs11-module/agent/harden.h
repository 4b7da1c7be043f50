/*
 * harden: what the agent's processes give up, so that what is in their memory stays there.
 *
 * All of it or none: a process that cannot give something up does not serve.
 * Owner: the process. Thread rule: once, at the start, before there are threads.
 */
#ifndef PINWARD_AGENT_HARDEN_H
#define PINWARD_AGENT_HARDEN_H

#include "common/error.h"

/* What is done, in words for `pinward agent status`, ended by NULL. */
extern const char *const harden_words[];

/* No other process of the user may read this one's memory or trace it (prctl(2), PR_SET_DUMPABLE), no core is written,
 * and no program that it starts gets more rights. */
enum error_code harden_process(struct error *err);

/* The same, and the limits of a process that serves one client: descriptors, memory, so that a message cannot be as long
 * as it claims; what is freed is overwritten. */
enum error_code harden_connection(struct error *err);

#endif
