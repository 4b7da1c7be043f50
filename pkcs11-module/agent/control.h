/*
 * control: what the agent answers to `pinward agent`: lines of text, a word and its value, the last one "end".
 *
 *   version, pid, since (seconds of the epoch), socket, activated (yes or no), protection (words),
 *   connection (its process, the client's process, since, the client's program)
 *
 * Owner: nothing is kept. Thread rule: one thread, the listener's.
 */
#ifndef PINWARD_AGENT_CONTROL_H
#define PINWARD_AGENT_CONTROL_H

#include <stdbool.h>
#include <time.h>

#include "common/config.h"
#include "pkcs11-module/agent/endpoint.h"
#include "pkcs11-module/agent/workers.h"

struct control_facts {
    const struct endpoint *endpoint;
    const struct workers *workers;
    enum config_sandbox sandbox;
    time_t since;
};

/* Accepts, answers one request ("status" or "stop") and closes. Another user gets no answer, one whom a service serves
 * an answer about their own connections only, and whoever is slow none in full. true: the agent is to stop. */
bool control_answer(const struct control_facts *facts);

#endif
