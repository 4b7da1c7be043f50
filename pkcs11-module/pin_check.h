/*
 * pin_check: every PIN of the user that is given to the token, or compared by the gate, passes here: counted before,
 * judged after.
 *
 * A token counts itself when it shows, after a wrong PIN, CKF_USER_PIN_FINAL_TRY or CKF_USER_PIN_LOCKED, or, in a
 * hardware slot, CKF_USER_PIN_COUNT_LOW. That flag alone is no proof: SoftHSM2 sets it after a wrong PIN and yet never
 * locks. To such a token its own counting is left, since two counters would lock it twice.
 *
 * Owner: nothing kept. Thread rule: any thread; no lock is held over a call to the backend.
 */
#ifndef PINWARD_MODULE_PIN_CHECK_H
#define PINWARD_MODULE_PIN_CHECK_H

#include "pkcs11-module/p11.h"
#include "pkcs11-module/retry.h"
#include "pkcs11-module/runtime.h"

/* No PIN is longer: a call that says so would have the gate, and backends, read what is not there. */
#define PIN_LEN_MAX 4096

static inline bool pin_is_too_long(const void *pin, CK_ULONG pin_len)
{
    return pin && pin_len > PIN_LEN_MAX;
}

/* The token as it is shown to applications and users: its own flags and those of the counter. state may be NULL.
 * CKR_FUNCTION_FAILED when the counter cannot be read. */
CK_RV pin_check_token(struct runtime *rt, CK_SLOT_ID slot, CK_TOKEN_INFO *token, struct retry_state *state);

/* The same, before the user is asked for the PIN: CKR_PIN_LOCKED when it would be in vain. */
CK_RV pin_check_before_asking(struct runtime *rt, CK_SLOT_ID slot, CK_TOKEN_INFO *token, struct retry_state *state);

/* Before a call that checks the user's PIN, and after it, with what it returned; answers that again. CKR_OK of the first
 * must be followed by the second. CKR_PIN_LOCKED: no PIN may be checked; CKR_FUNCTION_FAILED. */
CK_RV pin_check_begin(struct runtime *rt, CK_SLOT_ID slot, struct retry_try *attempt);
CK_RV pin_check_end(struct runtime *rt, CK_SLOT_ID slot, struct retry_try *attempt, CK_RV rv);

/* C_Login between the two. The security officer's PIN is not counted here. */
CK_RV pin_check_login(struct runtime *rt, CK_SLOT_ID slot, CK_SESSION_HANDLE session, CK_USER_TYPE user_type,
                      const void *pin, CK_ULONG pin_len);

/* C_SetPIN between the two: its old PIN is the user's unless the security officer is logged in. */
CK_RV pin_check_set_pin(struct runtime *rt, const CK_SESSION_INFO *info, CK_SESSION_HANDLE session,
                        const void *old_pin, CK_ULONG old_len, const void *new_pin, CK_ULONG new_len);

/* Compares with the PIN that logged in, for keys that the backend does not protect itself; counted on every token, since
 * none sees it. CKR_PIN_INCORRECT, CKR_PIN_LOCKED, CKR_USER_NOT_LOGGED_IN, CKR_FUNCTION_FAILED. */
CK_RV pin_check_compare(struct runtime *rt, CK_SLOT_ID slot, const void *pin, CK_ULONG pin_len);

/* The security officer has set a new user PIN, or erased the token. What goes wrong is in the log. */
void pin_check_reset(struct runtime *rt, CK_SLOT_ID slot);

#endif
