/*
 * scenario_internal: what the parts of a scenario share: scenario.c (beginning, keys, end), scenario_messages.c (PKCS#11 3.0)
 * and scenario_pins.c (PINs and batches).
 *
 * Owner: scenario.c. Thread rule: one thread at a time.
 */
#ifndef PINWARD_TESTS_SCENARIO_INTERNAL_H
#define PINWARD_TESTS_SCENARIO_INTERNAL_H

#include "faults/scenario.h"
#include "pkcs11-module/dispatch.h"

/* The one that the program works in. */
CK_SESSION_HANDLE scenario_session(void);

/* Before a call in that session and after it. expected: what it answers without faults. */
void scenario_call_begin(void);
CK_RV scenario_call_end(enum p11_call call, CK_RV rv, CK_RV expected);

#define SCENARIO_DO_EXPECTING(expected, name, ...)                                                           \
    (scenario_call_begin(), scenario_call_end(CALL_##name, dispatch_list_3_0.name(__VA_ARGS__), (expected)))
#define SCENARIO_DO(name, ...) SCENARIO_DO_EXPECTING(CKR_OK, name, __VA_ARGS__)

/* The user has logged out: what was agreed to by logging in is over. */
void scenario_log_out(void);

/* A signature of CKM_RSA_PKCS, after asking for its length. */
void scenario_sign(CK_OBJECT_HANDLE key);

/* The message functions of 3.0, those of verifying and encrypting too, and C_SessionCancel. */
void scenario_messages(void);

/* A new PIN, a batch, the last try of a PIN, and the security officer's work: every other question there is. */
void scenario_init_token(void); /* before any session */
void scenario_pins(void);

#endif
