/*
 * enroll_state: a temporary state folder and an app that points to it.
 *
 * Owner: the test; enroll_state_clear removes the folder and what is in it.
 */
#ifndef PINWARD_TESTS_UNIT_ENROLL_STATE_H
#define PINWARD_TESTS_UNIT_ENROLL_STATE_H

#include "enroll/app.h"

struct enroll_state {
    char folder[64];
    struct app app;
};

void enroll_state_init(struct enroll_state *state);
void enroll_state_clear(struct enroll_state *state);

#endif
