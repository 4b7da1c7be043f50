/*
 * processes: the same work in many processes at once, for what must hold across them.
 *
 * Owner: none. Thread rule: one thread; work runs in forked children and ends with _exit.
 */
#ifndef PINWARD_TESTS_PROCESSES_H
#define PINWARD_TESTS_PROCESSES_H

/* What work answers when something else went wrong than it counts: no sum of true answers is as high. */
#define PROCESSES_FAILED 250

/* Runs work in so many processes at once and waits for all of them; the sum of their answers. One that does not answer
 * within 40 seconds fails the test. */
unsigned processes_sum(int count, unsigned char (*work)(void));

#endif
