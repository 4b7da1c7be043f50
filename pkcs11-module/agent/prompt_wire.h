/*
 * prompt_wire: what the service and the prompter in a user's session say to each other, one packet each (SOCK_SEQPACKET),
 * and the descriptor that goes along with a question.
 *
 * Both are the same program; another version's packets have another size or another kind and are not understood.
 * Owner: a descriptor that was received is the caller's. Thread rule: any thread.
 */
#ifndef PINWARD_AGENT_PROMPT_WIRE_H
#define PINWARD_AGENT_PROMPT_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/pinentry_environment.h"

enum prompt_kind {
    PROMPT_OFFER = 1, /* to the service: questions can be put here; with the environment */
    PROMPT_TAKEN,     /* to the prompter: they will be */
    PROMPT_DOUBLE,    /* to the prompter: another one of this user's does that already */
    PROMPT_QUESTION,  /* to the prompter: a pinentry is to be started on this descriptor (service_starter.h, too) */
    PROMPT_NOBODY,    /* there is no prompter of this user's */
};

struct prompt_message {
    uint32_t kind;
    struct pinentry_environment environment;
};

/* fd: what goes along, or -1. Never waits. false: the other end has gone, or does not read. */
bool prompt_wire_send(int link, enum prompt_kind kind, const struct pinentry_environment *environment, int fd);

/* Waits when the link does. *fd: what came along, close-on-exec, or -1. false: the other end has gone, or what came is no
 * message. */
bool prompt_wire_receive(int link, struct prompt_message *message, int *fd);

#endif
