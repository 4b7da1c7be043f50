/*
 * retry_world: a counter in a state folder of its own, and a token to count for.
 *
 * Owner: the test program's, from one test's start to its stop. Thread rule: one thread a process.
 */
#ifndef PINWARD_TESTS_RETRY_WORLD_H
#define PINWARD_TESTS_RETRY_WORLD_H

#include "pkcs11-module/retry.h"
#include "support/folder.h"

extern char world_folder[FOLDER_PATH_MAX]; /* $XDG_STATE_HOME */
extern struct retry world_retry;           /* with a limit of 10 */
extern CK_TOKEN_INFO world_token;

/* As cmocka's setup and teardown. */
int world_start(void **state);
int world_stop(void **state);

/* retry_begin, and when that allows it retry_end. */
CK_RV world_try(enum retry_verdict verdict);

/* The wrong ones as retry_look tells them. */
unsigned world_wrong(void);

/* The path of the token's file, found as the only one in its folder. */
const char *world_file(void);

#endif
