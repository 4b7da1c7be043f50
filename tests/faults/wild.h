/*
 * wild: one question of a scenario is put to a pinentry that misbehaves (wild-pinentry.c), by common/pinentry.c as it is;
 * all others are answered by the user of tests/fuzz/module_user.h. What a wild one answers is a consent only where its way
 * says so, and only then the judge is told.
 *
 * Owner: everything is kept here. Thread rule: one thread; what the program does meanwhile is done on a second.
 */
#ifndef PINWARD_TESTS_WILD_H
#define PINWARD_TESTS_WILD_H

#include <stdbool.h>

#include "support/p11_calls.h"

/* What the program does while the question is open, on another thread; then the user answers. */
enum wild_meanwhile {
    WILD_NOTHING,
    WILD_CLOSE_SESSION,
    WILD_CLOSE_ALL,
    WILD_LOGOUT,
    WILD_CANCEL,
    WILD_FINALIZE,
};

struct wild_way {
    const char *name;
    bool agrees;  /* as it should: the answer must arrive */
    bool limited; /* it does not end by itself: the question has a second */
    enum wild_meanwhile meanwhile;
    bool at_once; /* the answer comes while the program does it, not after it */
};
extern const struct wild_way wild_ways[];
extern const unsigned wild_way_count;

/* Pipes to a pinentry that is told when to answer. */
void wild_start(void);
void wild_stop(void);

/* The question of that number (0: none) is put to one of that way. */
void wild_begin(unsigned question, const struct wild_way *way);

/* How many questions there were since, and whether the last call was the one that asked the wild one. */
unsigned wild_questions(void);
bool wild_asked_in_call(void);
void wild_forget_call(void);

/* Waits for the second thread, where there is one: before anything is looked at. What its call answered; CKR_OK: none. */
void wild_settle(void);
CK_RV wild_meanwhile_rv(void);

#endif
