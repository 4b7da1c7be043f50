#include "pkcs11-module/pin_check.h"

#include "common/log.h"
#include "pkcs11-module/answer.h"

CK_RV pin_check_token(struct runtime *rt, CK_SLOT_ID slot, CK_TOKEN_INFO *token, struct retry_state *state)
{
    struct retry_state counted;
    CK_RV rv = rt->backend.functions->C_GetTokenInfo(slot, token);

    if (rv == CKR_OK)
        rv = retry_look(&rt->retry, token, &counted);
    if (rv != CKR_OK)
        return rv;
    token->flags |= counted.flags;
    if (state)
        *state = counted;
    return CKR_OK;
}

CK_RV pin_check_before_asking(struct runtime *rt, CK_SLOT_ID slot, CK_TOKEN_INFO *token, struct retry_state *state)
{
    CK_RV rv = pin_check_token(rt, slot, token, state);

    if (rv != CKR_OK || !(token->flags & CKF_USER_PIN_LOCKED))
        return answer_inner(rv);
    log_warning("the token's PIN is locked: nobody is asked for it");
    return CKR_PIN_LOCKED;
}

/* ------------------------------------------------------------------ verdicts */

/* Returned before a token looks at the PIN (PKCS#11 2.40, 5.1 and C_Login, C_SetPIN). CKR_PIN_LEN_RANGE too: it is about
 * the new PIN, or from a driver that knows that no PIN has that length. Whatever else a call returns but CKR_OK may hide
 * a wrong PIN, and counts as one. */
static bool pin_was_not_looked_at(CK_RV rv)
{
    static const CK_RV before[] = {
        CKR_ARGUMENTS_BAD,        CKR_CRYPTOKI_NOT_INITIALIZED,       CKR_FUNCTION_CANCELED,
        CKR_FUNCTION_NOT_SUPPORTED, CKR_HOST_MEMORY,                  CKR_OPERATION_NOT_INITIALIZED,
        CKR_PIN_LEN_RANGE,        CKR_PIN_LOCKED,                     CKR_SESSION_CLOSED,
        CKR_SESSION_HANDLE_INVALID, CKR_SESSION_READ_ONLY,            CKR_SESSION_READ_ONLY_EXISTS,
        CKR_TOKEN_NOT_PRESENT,    CKR_TOKEN_NOT_RECOGNIZED,           CKR_TOKEN_WRITE_PROTECTED,
        CKR_USER_ALREADY_LOGGED_IN, CKR_USER_ANOTHER_ALREADY_LOGGED_IN, CKR_USER_PIN_NOT_INITIALIZED,
        CKR_USER_TOO_MANY_TYPES,  CKR_USER_TYPE_INVALID,
    };

    for (size_t i = 0; i < sizeof before / sizeof before[0]; i++)
        if (rv == before[i])
            return true;
    return false;
}

static bool slot_is_hardware(struct runtime *rt, CK_SLOT_ID slot)
{
    CK_SLOT_INFO info = {.flags = 0};

    return rt->backend.functions->C_GetSlotInfo(slot, &info) == CKR_OK && (info.flags & CKF_HW_SLOT);
}

/* After a wrong PIN: has the token counted it? */
static bool token_counts(struct runtime *rt, CK_SLOT_ID slot)
{
    CK_TOKEN_INFO token;

    if (rt->backend.functions->C_GetTokenInfo(slot, &token) != CKR_OK)
        return false;
    if (token.flags & (CKF_USER_PIN_FINAL_TRY | CKF_USER_PIN_LOCKED))
        return true;
    return (token.flags & CKF_USER_PIN_COUNT_LOW) && slot_is_hardware(rt, slot);
}

CK_RV pin_check_begin(struct runtime *rt, CK_SLOT_ID slot, struct retry_try *attempt)
{
    CK_TOKEN_INFO token;
    CK_RV rv;

    attempt->number = 0;
    if (rt->retry.limit == 0)
        return CKR_OK;
    rv = rt->backend.functions->C_GetTokenInfo(slot, &token);
    return rv == CKR_OK ? retry_begin(&rt->retry, &token, attempt) : answer_inner(rv);
}

CK_RV pin_check_end(struct runtime *rt, CK_SLOT_ID slot, struct retry_try *attempt, CK_RV rv)
{
    if (attempt->number == 0)
        return rv;
    if (rv == CKR_OK)
        retry_end(attempt, RETRY_RIGHT);
    else if (pin_was_not_looked_at(rv) || token_counts(rt, slot))
        retry_end(attempt, RETRY_NOT_COUNTED);
    else
        retry_end(attempt, RETRY_WRONG);
    return rv;
}

/* ------------------------------------------------------------------ the calls */

CK_RV pin_check_login(struct runtime *rt, CK_SLOT_ID slot, CK_SESSION_HANDLE session, CK_USER_TYPE user_type,
                      const void *pin, CK_ULONG pin_len)
{
    CK_FUNCTION_LIST *backend = rt->backend.functions;
    struct retry_try attempt;
    CK_RV rv;

    if (user_type == CKU_SO)
        return backend->C_Login(session, user_type, (CK_BYTE_PTR)pin, pin_len);
    rv = pin_check_begin(rt, slot, &attempt);
    if (rv != CKR_OK)
        return rv;
    return pin_check_end(rt, slot, &attempt, backend->C_Login(session, user_type, (CK_BYTE_PTR)pin, pin_len));
}

/* In a public session no login has shown that the backend looks at the old PIN: tpm2-pkcs11 1.9 answers CKR_OK whatever it
 * is. Its answer takes its own try back, and forgives no others. */
CK_RV pin_check_set_pin(struct runtime *rt, const CK_SESSION_INFO *info, CK_SESSION_HANDLE session,
                        const void *old_pin, CK_ULONG old_len, const void *new_pin, CK_ULONG new_len)
{
    CK_FUNCTION_LIST *backend = rt->backend.functions;
    struct retry_try attempt;
    CK_RV rv = CKR_OK;

    attempt.number = 0; /* not counted; the rest is only set when it is */

    if (info->state != CKS_RW_SO_FUNCTIONS)
        rv = pin_check_begin(rt, info->slotID, &attempt);
    if (rv != CKR_OK)
        return rv;
    rv = backend->C_SetPIN(session, (CK_BYTE_PTR)old_pin, old_len, (CK_BYTE_PTR)new_pin, new_len);
    if (rv == CKR_OK && info->state != CKS_RW_USER_FUNCTIONS) {
        retry_end(&attempt, RETRY_NOT_COUNTED);
        return rv;
    }
    return pin_check_end(rt, info->slotID, &attempt, rv);
}

CK_RV pin_check_compare(struct runtime *rt, CK_SLOT_ID slot, const void *pin, CK_ULONG pin_len)
{
    struct retry_try attempt;
    CK_RV rv = pin_check_begin(rt, slot, &attempt);

    if (rv != CKR_OK)
        return rv;
    switch (login_check_pin(&rt->logins, slot, pin, pin_len)) {
    case LOGIN_PIN_RIGHT:
        retry_end(&attempt, RETRY_RIGHT);
        return CKR_OK;
    case LOGIN_PIN_WRONG:
        retry_end(&attempt, RETRY_WRONG);
        return CKR_PIN_INCORRECT;
    case LOGIN_PIN_UNKNOWN:
        break;
    }
    retry_end(&attempt, RETRY_NOT_COUNTED);
    return CKR_USER_NOT_LOGGED_IN;
}

void pin_check_reset(struct runtime *rt, CK_SLOT_ID slot)
{
    CK_TOKEN_INFO token;

    if (rt->retry.limit > 0 && rt->backend.functions->C_GetTokenInfo(slot, &token) == CKR_OK)
        retry_reset(&rt->retry, &token);
}
