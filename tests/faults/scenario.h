/*
 * scenario: what a program does with a token in one sitting: begin, log in, look for keys, sign, decrypt, unwrap, wrap,
 * derive, make a key pair, delete it, log out, end. In one world it uses the message functions of PKCS#11 3.0 instead, in
 * another it sets PINs, agrees to a batch and is the security officer. Its user agrees to everything
 * (tests/fuzz/module_user.h).
 *
 * Owner: everything is kept here. Thread rule: one thread at a time.
 */
#ifndef PINWARD_TESTS_SCENARIO_H
#define PINWARD_TESTS_SCENARIO_H

#include <stdbool.h>

#include "support/p11_calls.h"

#define SCENARIO_STEPS_MAX 96

/* One call of the program's. */
struct scenario_step {
    enum p11_call call;
    CK_RV rv;
    bool well; /* it is what it is without faults */
};

/* Like what is the world? Three bytes, see tests/fuzz/module_world.h. */
enum scenario_part { SCENARIO_KEYS, SCENARIO_MESSAGES, SCENARIO_PINS };
struct scenario_world {
    const char *name;
    unsigned char bytes[3];
    enum scenario_part part;
};
extern const struct scenario_world scenario_worlds[];
extern const unsigned scenario_world_count;

/* PINWARD_FAULTS=all: every point is to be tried, however long it takes. */
bool scenario_tries_all(void);

/* Makes a new world, and plays the scenario in it from beginning to end, whatever its calls answer. after: called after each
 * call; NULL: none. Holds after each that no private key was used without a consent or has become weaker, and at the end
 * that no session of the gate's is left. */
void scenario_play(const struct scenario_world *world, void (*after)(const struct scenario_step *step));

/* Called when a call of the program's has answered, before anything is looked at; NULL: nothing is. */
void scenario_settle_with(void (*settle)(void));

/* How many calls it made, and which. */
unsigned scenario_steps(void);
const struct scenario_step *scenario_step(unsigned number);

/* Is every step of the last run what it is without faults? */
bool scenario_went_well(void);

/* A call of a second thread of the program's, on its own session, in the midst of one of the scenario's. */
CK_SESSION_HANDLE scenario_second_session(void);

#endif
