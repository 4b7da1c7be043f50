/*
 * isolated: the fixture's module in processes of its own: pinward-agent, and p11-kit's client in its place.
 *
 * The environment variable PINWARD_TEST_ISOLATED switches it on for a test program, with p11-kit's client, or, when its value is
 * pinward-client, with pinward-client.so. The agent has the environment of the
 * time when it is started; each C_Initialize reads the configuration anew, as without.
 * Owner: one agent a test program. Thread rule: set-up from one thread.
 */
#ifndef PINWARD_TESTS_ISOLATED_H
#define PINWARD_TESTS_ISOLATED_H

#include <stdbool.h>

bool isolated(void);

/* Starts the agent and tells p11-kit's client where it is; ends it. Nothing to do when it is not switched on. */
void isolated_begin(void);
void isolated_end(void);

/* Skips the test, saying so, when it is switched on: what the test is about does not reach the agent. */
void isolated_lacks(const char *name, const char *what);

/* What a test loads: pinward-pkcs11.so or a client. */
const char *isolated_module(const char *module);

#endif
