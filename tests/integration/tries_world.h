/*
 * tries_world: a real token without a counter of its own, in front of which the module counts wrong PINs.
 *
 * Owner: the test program's, from one test's start to its stop. Thread rule: one thread, but for what says otherwise.
 */
#ifndef PINWARD_TESTS_TRIES_WORLD_H
#define PINWARD_TESTS_TRIES_WORLD_H

#include "support/fixture.h"
#include "support/use.h"

#define TRIES_RIGHT       "pin " FIXTURE_PIN "\n"
#define TRIES_WRONG       "pin 000000\n"
#define TRIES_FLAGS       (CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY | CKF_USER_PIN_LOCKED)
#define TRIES_APPLICATION "prompt = application\n"

extern struct fixture fx;
extern struct use_result tries_signature;

/* As cmocka's group setup and teardown; start and stop are each test's. */
int tries_begin(void **state);
int tries_end(void **state);

/* Every test begins with nothing counted. */
int tries_start(void **state);
int tries_stop(void **state);

CK_OBJECT_HANDLE tries_key(const char *label);

/* What C_GetTokenInfo says of TRIES_FLAGS. */
CK_FLAGS tries_pin_flags(void);

CK_RV tries_login_asking(void);
CK_RV tries_context_login(const char *pin);
CK_RV tries_set_pin(const char *old_pin, const char *new_pin);
void tries_wrong_logins(int count);
void tries_expect_log(const char *part);
void tries_expect_question(const char *part);

/* PKCS#11 2.40, 5.5: in a public R/W session C_SetPIN changes the user's PIN. Notes that the backend has none. */
void tries_lacks_public_set_pin(const char *name);

/* C_SetPIN with a wrong old PIN, which is one to the backend. */
void tries_expect_wrong_set_pin(const char *name);

/* The security officer sets the user's PIN anew. */
void tries_reset_by_so(void);

#endif
