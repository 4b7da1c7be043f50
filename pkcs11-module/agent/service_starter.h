/*
 * service_starter: how a process that serves a connection of the service's gets a pinentry: it asks the listener, over the
 * socket that the two share (WORKERS_CHANNEL), and gets a socket to one that runs in the session of the client's user.
 *
 * Packets are those of prompt_wire.h: PROMPT_QUESTION there, PROMPT_QUESTION with the descriptor and the environment of that
 * session back, or PROMPT_NOBODY.
 * Owner: the channel is the process's, for its life. Thread rule: service_starter_use before the first question; then any
 * thread.
 */
#ifndef PINWARD_AGENT_SERVICE_STARTER_H
#define PINWARD_AGENT_SERVICE_STARTER_H

#include <stdbool.h>
#include <sys/types.h>

#include "pkcs11-module/agent/prompters.h"

/* Has every question from now on put in the session of the client's user. */
void service_starter_use(int channel);

/* The listener's side: answers what a process that serves this user asks. false: it has ended, or says what it has no
 * business to. */
bool service_starter_answer(int channel, struct prompters *prompters, uid_t uid);

#endif
