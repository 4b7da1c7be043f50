/*
 * message_world: the module on the backend that records, logged in, and messages for it to sign and decrypt.
 *
 * Owner: the test program's, from one test's start to its stop. Thread rule: one thread, but for what says otherwise.
 */
#ifndef PINWARD_TESTS_MESSAGE_WORLD_H
#define PINWARD_TESTS_MESSAGE_WORLD_H

#include <stdbool.h>

#include "support/mock.h"
#include "support/p11_v3.h"

#define MESSAGE_PIN   "4711-pin"
#define MESSAGE_RIGHT "pin " MESSAGE_PIN "\n"

enum message_object { MESSAGE_SECRET = 1, MESSAGE_PRIVATE, MESSAGE_ENFORCED, MESSAGE_VENDOR };

extern struct fixture fx;
extern struct mock_backend *mock;
extern CK_FUNCTION_LIST_3_0 *v3;
extern CK_MECHANISM rsa;
extern CK_BYTE message_parameter[4];
extern CK_BYTE message_result[64];
extern CK_ULONG message_result_len;

/* As cmocka's group setup and teardown. */
int message_begin(void **state);
int message_end(void **state);

/* lines: of the configuration; version_3: of the backend's interface. */
void message_start_with(const char *lines, CK_VERSION version_3);
void message_start(const char *lines);
int message_stop(void **state);

CK_RV message_sign(const char *data);
CK_RV message_sign_part(const char *part, bool last);
CK_RV message_decrypt(const char *data);
CK_RV message_decrypt_part(const char *part, CK_FLAGS flags);

/* The call was made this often, and nobody or somebody was asked. */
void message_expect(enum p11_call call, unsigned calls, int asked);

#endif
