#include "common/log.h"
#include "pkcs11-module/entry.h"
#include "pkcs11-module/gate_once.h"
#include "pkcs11-module/gate_session.h"
#include "pkcs11-module/pin_ask.h"
#include "pkcs11-module/pin_check.h"
#include "pkcs11-module/runtime.h"

/* PKCS#11 2.40, 5.5: slot and token management, where Pinward has a say. */

/* With prompt = module the gate is a protected authentication path: applications log in with a NULL PIN. And the flags
 * of the PIN are the token's own and those of the counter; a counter that cannot be read means that no PIN is taken. */
CK_RV own_C_GetTokenInfo(CK_SLOT_ID slot_id, CK_TOKEN_INFO_PTR info)
{
    struct runtime *rt = runtime_get();
    struct retry_state tries;
    CK_RV rv;

    if (!rt)
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    if (!info)
        return CKR_ARGUMENTS_BAD;
    rv = rt->backend.functions->C_GetTokenInfo(slot_id, info);
    if (rv != CKR_OK)
        return rv;
    info->flags |= retry_look(&rt->retry, info, &tries) == CKR_OK ? tries.flags : CKF_USER_PIN_LOCKED;
    if (rt->config.module.prompt == CONFIG_PROMPT_MODULE)
        info->flags |= CKF_PROTECTED_AUTHENTICATION_PATH;
    return rv;
}

/* A token that is in use is erased, with every key on it; a new one gets its first SO PIN. */
static CK_RV init_token_pin(struct runtime *rt, CK_SLOT_ID slot, struct secret **pin)
{
    struct pin_wanted wanted = {.which = PROMPT_PIN_ERASE};
    CK_TOKEN_INFO token;
    CK_RV rv = rt->backend.functions->C_GetTokenInfo(slot, &token);

    if (rv == CKR_OK && !(token.flags & CKF_TOKEN_INITIALIZED))
        return pin_ask_new(rt, CK_INVALID_HANDLE, slot, PROMPT_PIN_SO_NEW, NULL, pin);
    return pin_ask(rt, CK_INVALID_HANDLE, slot, &wanted, pin);
}

static CK_RV init_token(struct runtime *rt, CK_SLOT_ID slot_id, CK_BYTE_PTR pin, CK_ULONG pin_len, CK_BYTE_PTR label)
{
    struct secret *asked = NULL;
    CK_RV rv = CKR_OK;

    if (!label)
        return CKR_ARGUMENTS_BAD;
    if (pin_is_too_long(pin, pin_len))
        return CKR_PIN_LEN_RANGE;
    if (!pin && pin_ask_is_ours(rt, slot_id))
        rv = init_token_pin(rt, slot_id, &asked);
    if (rv == CKR_OK && asked)
        rv = rt->backend.functions->C_InitToken(slot_id, (CK_BYTE_PTR)secret_bytes(asked), secret_length(asked), label);
    else if (rv == CKR_OK)
        rv = rt->backend.functions->C_InitToken(slot_id, pin, pin_len, label);
    secret_free(&asked);
    if (rv == CKR_OK) {
        pin_check_reset(rt, slot_id);
        login_forget(&rt->logins, slot_id);
        session_forget_facts(&rt->sessions);
    }
    return rv;
}

/* C_Finalize withdraws the question of each of these calls and then waits for its thread, which still has the backend to
 * call. */
CK_RV own_C_InitToken(CK_SLOT_ID slot_id, CK_BYTE_PTR pin, CK_ULONG pin_len, CK_BYTE_PTR label)
{
    struct runtime *rt = runtime_get();
    int cancel_state;
    CK_RV rv = rt ? gate_enter_once(rt, &cancel_state) : CKR_CRYPTOKI_NOT_INITIALIZED;

    if (rv != CKR_OK)
        return rv;
    rv = init_token(rt, slot_id, pin, pin_len, label);
    gate_leave_once(rt, cancel_state);
    return rv;
}

static CK_RV init_pin(struct runtime *rt, CK_SESSION_HANDLE session, CK_BYTE_PTR pin, CK_ULONG pin_len)
{
    struct secret *asked = NULL;
    CK_SESSION_INFO info;
    CK_RV rv = gate_session_info(rt, session, &info);

    if (rv != CKR_OK)
        return rv;
    if (pin_is_too_long(pin, pin_len))
        return CKR_PIN_LEN_RANGE;
    if (!pin && pin_ask_is_ours(rt, info.slotID)) {
        if (info.state != CKS_RW_SO_FUNCTIONS)
            return CKR_USER_NOT_LOGGED_IN;
        rv = pin_ask_new(rt, session, info.slotID, PROMPT_PIN_NEW, NULL, &asked);
    }
    if (rv == CKR_OK && asked)
        rv = rt->backend.functions->C_InitPIN(session, (CK_BYTE_PTR)secret_bytes(asked), secret_length(asked));
    else if (rv == CKR_OK)
        rv = rt->backend.functions->C_InitPIN(session, pin, pin_len);
    secret_free(&asked);
    if (rv == CKR_OK)
        pin_check_reset(rt, info.slotID);
    return rv;
}

CK_RV own_C_InitPIN(CK_SESSION_HANDLE session, CK_BYTE_PTR pin, CK_ULONG pin_len)
{
    struct runtime *rt = runtime_get();
    int cancel_state;
    CK_RV rv = rt ? gate_enter_once(rt, &cancel_state) : CKR_CRYPTOKI_NOT_INITIALIZED;

    if (rv != CKR_OK)
        return rv;
    rv = init_pin(rt, session, pin, pin_len);
    gate_leave_once(rt, cancel_state);
    return rv;
}

/* 5.6, C_SetPIN: the PIN of whoever is logged in, the user's when nobody is. */
static bool is_so_session(const CK_SESSION_INFO *info)
{
    return info->state == CKS_RW_SO_FUNCTIONS;
}

/* Both PINs from the user. */
static CK_RV set_pin_asking(struct runtime *rt, CK_SESSION_HANDLE session, const CK_SESSION_INFO *info,
                            struct secret **old_pin, struct secret **new_pin)
{
    struct pin_wanted wanted = {.which = is_so_session(info) ? PROMPT_PIN_SO_OLD : PROMPT_PIN_OLD};
    CK_RV rv = pin_ask(rt, session, info->slotID, &wanted, old_pin);

    if (rv == CKR_OK)
        rv = pin_ask_new(rt, session, info->slotID, PROMPT_PIN_NEW, *old_pin, new_pin);
    if (rv == CKR_OK)
        rv = pin_check_set_pin(rt, info, session, secret_bytes(*old_pin), secret_length(*old_pin),
                               secret_bytes(*new_pin), secret_length(*new_pin));
    return rv;
}

/* A user who is logged in stays so, whoever was when the PINs were asked for; later uses are checked against the new PIN.
 * Of any other login nothing is known any more. */
static CK_RV remember_new_pin(struct runtime *rt, CK_SESSION_HANDLE session, CK_SLOT_ID slot, const void *pin,
                              CK_ULONG pin_len)
{
    CK_SESSION_INFO now;

    if (gate_session_info(rt, session, &now) == CKR_OK &&
        (now.state == CKS_RW_USER_FUNCTIONS || now.state == CKS_RO_USER_FUNCTIONS))
        return login_remember(&rt->logins, slot, pin, pin_len, 0);
    login_forget(&rt->logins, slot);
    return CKR_OK;
}

static CK_RV set_pin(struct runtime *rt, CK_SESSION_HANDLE session, CK_BYTE_PTR old_pin, CK_ULONG old_len,
                     CK_BYTE_PTR new_pin, CK_ULONG new_len)
{
    struct secret *old_asked = NULL;
    struct secret *new_asked = NULL;
    CK_SESSION_INFO info;
    CK_RV rv = gate_session_info(rt, session, &info);

    if (rv != CKR_OK)
        return rv;
    if (pin_is_too_long(old_pin, old_len) || pin_is_too_long(new_pin, new_len))
        return CKR_PIN_LEN_RANGE;
    if (!old_pin && !new_pin && pin_ask_is_ours(rt, info.slotID)) {
        rv = set_pin_asking(rt, session, &info, &old_asked, &new_asked);
        new_pin = new_asked ? (CK_BYTE_PTR)secret_bytes(new_asked) : NULL;
        new_len = new_asked ? secret_length(new_asked) : 0;
    } else {
        rv = is_so_session(&info) ? CKR_OK : pin_ask_last_try(rt, session, info.slotID, old_pin);
        if (rv == CKR_OK)
            rv = pin_check_set_pin(rt, &info, session, old_pin, old_len, new_pin, new_len);
    }
    if (rv == CKR_OK)
        rv = remember_new_pin(rt, session, info.slotID, new_pin, new_len);
    secret_free(&old_asked);
    secret_free(&new_asked);
    return rv;
}

CK_RV own_C_SetPIN(CK_SESSION_HANDLE session, CK_BYTE_PTR old_pin, CK_ULONG old_len, CK_BYTE_PTR new_pin,
                   CK_ULONG new_len)
{
    struct runtime *rt = runtime_get();
    int cancel_state;
    CK_RV rv = rt ? gate_enter_once(rt, &cancel_state) : CKR_CRYPTOKI_NOT_INITIALIZED;

    if (rv != CKR_OK)
        return rv;
    rv = set_pin(rt, session, old_pin, old_len, new_pin, new_len);
    gate_leave_once(rt, cancel_state);
    return rv;
}
