/*
 * pin_ask: asking for a PIN of the token (to log in, to change it), as a question that can be withdrawn.
 *
 * Owner: the PIN belongs to the caller. Thread rule: any thread; no lock is held while it asks.
 */
#ifndef PINWARD_MODULE_PIN_ASK_H
#define PINWARD_MODULE_PIN_ASK_H

#include "pkcs11-module/prompt.h"
#include "pkcs11-module/runtime.h"

/* Is a NULL PIN for this token a request to ask here? Not with prompt = application, and not when the token has a
 * PIN pad of its own: then it is the backend's business. */
bool pin_ask_is_ours(struct runtime *rt, CK_SLOT_ID slot);

/* A PIN that is wanted. */
struct pin_wanted {
    enum prompt_pin which;
    const CK_UTF8CHAR *user; /* whose, by C_LoginUser; NULL: users of the token have no names */
    CK_ULONG user_len;
    const char *error; /* what was wrong with the last answer, or NULL */
    const char *how;   /* set by pin_ask, for the ledger: "asked", or "cool-down" or "PIN locked" when nobody was */
};

/* Asks. CKRs of prompt_outcome; CKR_PIN_LOCKED and CKR_FUNCTION_FAILED of pin_check_before_asking;
 * CKR_FUNCTION_REJECTED also during a cool-down. On CKR_OK *pin is the caller's to free. session may be
 * CK_INVALID_HANDLE. */
CK_RV pin_ask(struct runtime *rt, CK_SESSION_HANDLE session, CK_SLOT_ID slot, struct pin_wanted *wanted,
              struct secret **pin);

/* The same for the PIN that agrees to a batch, or logs in with it. */
CK_RV pin_ask_for_batch(struct runtime *rt, CK_SESSION_HANDLE session, CK_SLOT_ID slot,
                        const struct prompt_batch *batch, const char *error, const char **how, struct secret **pin);

/* Asks for a new PIN, typed twice, until it is one that pin_quality.h lets pass; the user is told what is wrong with the
 * others. old: the one that it takes the place of, or NULL. CKRs as above; CKR_PIN_INVALID when too many were refused. */
CK_RV pin_ask_new(struct runtime *rt, CK_SESSION_HANDLE session, CK_SLOT_ID slot, enum prompt_pin which,
                  const struct secret *old, struct secret **pin);

/* Before a PIN of the user that is not asked for here is given to the token: with prompt = module, where the token has one
 * try left, the user must agree. pin NULL: it will be typed at the reader. CKR_FUNCTION_REJECTED when the user does
 * not; else as above. */
CK_RV pin_ask_last_try(struct runtime *rt, CK_SESSION_HANDLE session, CK_SLOT_ID slot, const void *pin);

#endif
