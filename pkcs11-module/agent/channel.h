/*
 * channel: the listener's answers to what a process that serves a connection asks of it (starter.h).
 *
 * Owner: the descriptor is the caller's, and does not block. Thread rule: one thread, the listener's.
 */
#ifndef PINWARD_AGENT_CHANNEL_H
#define PINWARD_AGENT_CHANNEL_H

#include <stdbool.h>
#include <sys/types.h>

#include "pkcs11-module/agent/pinentries.h"

/* Answers one request of the worker's. false: it has ended, or says what it has no business to. */
bool channel_answer(int channel, struct pinentries *pinentries, pid_t worker);

#endif
