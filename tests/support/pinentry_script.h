/*
 * pinentry_script: the scripted pinentry's answers, and what it was asked.
 *
 * Owner: the folder is the fixture's. Thread rule: one test thread.
 */
#ifndef PINWARD_TESTS_PINENTRY_SCRIPT_H
#define PINWARD_TESTS_PINENTRY_SCRIPT_H

#include "support/fixture.h"

/* The answers to come, a line each (see scripted-pinentry.c); forgets what was asked before. */
void script_set(struct fixture *fx, const char *answers);

/* How many questions were asked since script_set or the last call. */
int script_asked(struct fixture *fx);

/* The questions since script_set or the last script_asked, on the heap. */
char *script_questions(struct fixture *fx);

/* true when every answer was taken. */
bool script_used_up(struct fixture *fx);

/* Waits until a question is on the screen (for at most 5 s). */
void script_wait_question(struct fixture *fx);

#endif
