/*
 * patience: how long a thread looks for a message before it sleeps.
 *
 * To wake a thread costs more than to carry the message, most of all on a virtual machine, whose processor
 * sleeps as well. So where the last message came at once, the next is looked for awhile without sleeping. A
 * client that takes its time is slept for. So is every client while the processors have other work: who looks
 * hands its own on at each look, and when that was taken, looks no more for a good while.
 *
 * Owner: struct patience is the reading thread's, zeroed before use: it sleeps at first. Thread rule: one
 * thread.
 */
#ifndef PINWARD_AGENT_PATIENCE_H
#define PINWARD_AGENT_PATIENCE_H

#include <stdbool.h>
#include <stdint.h>

struct patience {
    bool looking;
    bool quick;       /* the last message came at once */
    int64_t begun_ns; /* CLOCK_MONOTONIC */
    int64_t busy_until_ns;
};

/* From now on a message is waited for: one that may come at any time, or (coming) one whose sender is writing
 * it. */
void patience_begin(struct patience *patience, bool coming);

/* Nothing has come yet: whether to look once more. false, from then on: sleep. */
bool patience_look(struct patience *patience);

/* It has come. */
void patience_end(struct patience *patience);

#endif
