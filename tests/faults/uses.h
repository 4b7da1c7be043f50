/*
 * uses: how often the last run of the scenario used a private key, and how many of the ledger's lines allow one: with a ledger
 * that is required the first is never more than the second.
 *
 * Owner: none. Thread rule: one thread.
 */
#ifndef PINWARD_TESTS_USES_H
#define PINWARD_TESTS_USES_H

unsigned uses_made(void);

/* In the ledger of the world (tests/fuzz/module_world.h). */
unsigned uses_recorded(void);

#endif
