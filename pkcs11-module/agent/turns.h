/*
 * turns: which of the threads that serve a connection reads its next message.
 *
 * One at a time does. While all are at work none does: then the descriptor `more` can be read as soon as
 * there is a message, and whoever watches it calls turns_look.
 *
 * To take a message from a unix socket wakes its sender, who sleeps until the answer comes, for nothing (it
 * is told that there is room again), and to wake a thread on another processor takes longer than all else
 * about a message. So where a client has one thread and calls in quick succession, a message stays in the
 * connection until its answer has been sent. Nobody would notice then that a second one came behind it; so
 * turns_look is to be called every few milliseconds as well, and takes what has been there for that long.
 *
 * Owner: struct turns is the caller's, from turns_open to turns_close. Thread rule: any thread.
 */
#ifndef PINWARD_AGENT_TURNS_H
#define PINWARD_AGENT_TURNS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

struct turns {
    int connection;
    int more;             /* epoll(7), of the connection and of bell */
    int bell;             /* eventfd(2): to be looked after from now on */
    pthread_mutex_t lock; /* of all that follows */
    pthread_cond_t changed;
    unsigned waiting;   /* threads, for their turn */
    unsigned under_way; /* calls */
    unsigned unanswered; /* calls, also those whose answer is being sent */
    unsigned last;      /* of these, those that are to be answered last */
    bool reading;       /* one of the threads */
    bool ended;
    bool several;   /* the client had two calls under way a short while ago */
    unsigned alone; /* calls in a row that came while no other was under way */
    size_t left;    /* bytes of the call under way that are still in the connection */
    bool looked_after;
    uint64_t messages;
    uint64_t messages_seen; /* when it was looked last */
};

enum error_code turns_open(int connection, struct turns *turns, struct error *err);
void turns_close(struct turns *turns);

/* Waits for the turn. false: the connection has ended. */
bool turns_take(struct turns *turns);

/* Who has the turn has read a message, of which left bytes, all or none, are still in the connection, where
 * quick lets them be. Otherwise they are put where they already are. */
void turns_pass(struct turns *turns, unsigned char *message, size_t left, bool quick);

/* The call is over; its answer, which is sent next, has the next call follow. true: it is the caller's turn to read that, after
 * turns_answered. */
bool turns_take_free(struct turns *turns);

/* The answer has been sent: what was left in the connection is taken, by whoever has the turn. */
void turns_answered(struct turns *turns, bool turn);

/* Amid a call: waits until every other one has its answer. */
void turns_be_last(struct turns *turns);

/* Is there a call that has not been answered? */
bool turns_under_way(struct turns *turns);

/* Every thread is to leave off. */
void turns_end(struct turns *turns);

/* For whoever watches `more`: in how many milliseconds at the latest the next look is due, or -1.
 * thread_wanted: there is a message, and no thread to read it. */
int turns_look(struct turns *turns, bool *thread_wanted);

#endif
