#include "common/i18n.h"
#include "common/log.h"
#include "pkcs11-module/cancel.h"
#include "pkcs11-module/decision.h"
#include "pkcs11-module/entry.h"
#include "pkcs11-module/entry_3.h"
#include "pkcs11-module/gate.h"
#include "pkcs11-module/gate_once.h"
#include "pkcs11-module/pin_ask.h"
#include "pkcs11-module/pin_check.h"
#include "pkcs11-module/requester.h"
#include "pkcs11-module/runtime.h"

/* PKCS#11 2.40, 5.6: session management; 3.0, 5.6: what it adds. */

#define LOGIN_TRIES 3

CK_RV own_C_OpenSession(CK_SLOT_ID slot_id, CK_FLAGS flags, CK_VOID_PTR application, CK_NOTIFY notify,
                        CK_SESSION_HANDLE_PTR session)
{
    struct runtime *rt = runtime_get();
    CK_RV rv;

    if (!rt)
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    if (!session)
        return CKR_ARGUMENTS_BAD;
    rv = session_backend_open(&rt->sessions, rt->backend.functions, slot_id, flags, application, notify, session);
    if (rv != CKR_OK)
        return rv;
    rv = session_add(&rt->sessions, *session, slot_id, flags, false);
    if (rv != CKR_OK)
        (void)session_backend_close(&rt->sessions, rt->backend.functions, *session);
    return rv;
}

/* With its last session the application is logged out (5.6, C_CloseSession). */
static void forget_login_without_sessions(struct runtime *rt, CK_SLOT_ID slot)
{
    if (!session_any_on_slot(&rt->sessions, slot))
        login_forget(&rt->logins, slot);
}

/* What runs beside the session is closed first: the backend must see no session left when the last one goes. */
CK_RV own_C_CloseSession(CK_SESSION_HANDLE session)
{
    struct runtime *rt = runtime_get();
    struct session *known;
    CK_SLOT_ID slot;
    CK_RV rv;

    if (!rt)
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    if (gate_session_is_beside(rt, session))
        return CKR_SESSION_HANDLE_INVALID;
    known = session_get(&rt->sessions, session);
    if (known) {
        slot = known->slot;
        session_put(&rt->sessions, known);
        session_remove(&rt->sessions, rt->backend.functions, session);
        asks_withdraw_session(&rt->asks, session);
    }
    rv = session_backend_close(&rt->sessions, rt->backend.functions, session);
    session_forget_facts(&rt->sessions); /* its session objects are gone, their handles may be given again */
    if (known)
        forget_login_without_sessions(rt, slot);
    return rv;
}

CK_RV own_C_CloseAllSessions(CK_SLOT_ID slot_id)
{
    struct runtime *rt = runtime_get();
    CK_RV rv;

    if (!rt)
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    session_remove_slot(&rt->sessions, rt->backend.functions, slot_id);
    asks_withdraw_slot(&rt->asks, slot_id);
    rv = session_backend_close_all(&rt->sessions, rt->backend.functions, slot_id);
    session_forget_facts(&rt->sessions);
    login_forget(&rt->logins, slot_id);
    return rv;
}

static bool is_logged_in(const CK_SESSION_INFO *info)
{
    return info->state != CKS_RO_PUBLIC_SESSION && info->state != CKS_RW_PUBLIC_SESSION;
}

/* How the backend is to be logged in to: with C_Login, or for a named user with C_LoginUser. */
struct login_call {
    CK_USER_TYPE user_type;
    bool named;
    CK_UTF8CHAR_PTR name;
    CK_ULONG name_len;
};

/* A user with a name has a PIN of that name's, and one count of wrong ones with all users of the token. */
static CK_RV backend_login(struct runtime *rt, CK_SLOT_ID slot, CK_SESSION_HANDLE session, const struct login_call *call,
                           const void *pin, CK_ULONG pin_len)
{
    struct retry_try attempt = {.number = 0};
    CK_RV rv = CKR_OK;

    if (!call->named)
        return pin_check_login(rt, slot, session, call->user_type, pin, pin_len);
    if (call->user_type == CKU_USER)
        rv = pin_check_begin(rt, slot, &attempt);
    if (rv != CKR_OK)
        return rv;
    rv = rt->backend.functions_3->C_LoginUser(session, call->user_type, (CK_UTF8CHAR_PTR)pin, pin_len, call->name,
                                              call->name_len);
    return pin_check_end(rt, slot, &attempt, rv);
}

/* An application that logs in with a PIN of its own: it logs in, and that is all; it is never a consent. */
static CK_RV login_with_pin(struct runtime *rt, CK_SESSION_HANDLE session, const struct login_call *call,
                            CK_SLOT_ID slot, const void *pin, CK_ULONG pin_len, unsigned grace_s)
{
    CK_RV rv = backend_login(rt, slot, session, call, pin, pin_len);

    /* One that was typed at the reader too: what was known of the login before is over. */
    if (rv == CKR_OK && call->user_type == CKU_USER &&
        login_remember(&rt->logins, slot, pin, pin_len, grace_s) != CKR_OK) {
        /* A login that the gate cannot check uses against would leave every key unusable: undo it and say so. */
        (void)rt->backend.functions->C_Logout(session);
        return CKR_HOST_MEMORY;
    }
    return rv;
}

/* What came of a login, on record. One that cannot be recorded is undone. */
static CK_RV login_record(struct runtime *rt, CK_SESSION_HANDLE session, const struct login_call *call, CK_SLOT_ID slot,
                          const char *how, CK_RV answered)
{
    const struct decision decision = {.operation = call->user_type == CKU_SO ? "SO login" : "login", .slot = slot};
    CK_RV rv = decision_record(rt, &decision, how, answered);

    if (rv != CKR_OK && answered == CKR_OK) {
        (void)rt->backend.functions->C_Logout(session);
        login_forget(&rt->logins, slot);
    }
    return rv;
}

/* With a PIN that the module has not asked for. On a card's last try its user is warned first. Who is logged in already
 * logs in in vain, and some programs do so again and again: that is not recorded. */
static CK_RV login_given(struct runtime *rt, CK_SESSION_HANDLE session, const struct login_call *call,
                         const CK_SESSION_INFO *info, CK_BYTE_PTR pin, CK_ULONG pin_len)
{
    const bool in_vain = is_logged_in(info);
    CK_RV rv = CKR_OK;

    if (call->user_type == CKU_USER && !in_vain)
        rv = pin_ask_last_try(rt, session, info->slotID, pin);
    if (rv == CKR_OK)
        rv = login_with_pin(rt, session, call, info->slotID, pin, pin_len, 0);
    if (in_vain || rv == CKR_CRYPTOKI_NOT_INITIALIZED)
        return rv;
    return login_record(rt, session, call, info->slotID, pin ? "application's PIN" : "at the reader", rv);
}

/* Asks until the PIN is right, the user has had enough, or the tries are used up. */
static CK_RV login_tries(struct runtime *rt, CK_SESSION_HANDLE session, const struct login_call *call, CK_SLOT_ID slot,
                         const char **how)
{
    struct pin_wanted wanted = {.which = call->user_type == CKU_SO ? PROMPT_PIN_SO : PROMPT_PIN_USER,
                                .user = call->name,
                                .user_len = call->name_len};
    CK_RV rv = CKR_OK;

    for (int tries = 0; tries < LOGIN_TRIES; tries++) {
        struct secret *pin = NULL;

        rv = pin_ask(rt, session, slot, &wanted, &pin);
        *how = wanted.how;
        if (rv != CKR_OK)
            return rv;
        rv = login_with_pin(rt, session, call, slot, secret_bytes(pin), secret_length(pin),
                            requester_login_grace_s(&rt->config));
        secret_free(&pin);
        if (rv != CKR_PIN_INCORRECT && rv != CKR_PIN_LEN_RANGE && rv != CKR_PIN_INVALID)
            return rv;
        log_warning("login to the token refused: wrong PIN (0x%08lx)", rv);
        wanted.error = _("The PIN was wrong.");
    }
    return rv;
}

/* Protected path: the module asks. */
static CK_RV login_asking(struct runtime *rt, CK_SESSION_HANDLE session, const struct login_call *call, CK_SLOT_ID slot)
{
    const char *how = "asked";
    const CK_RV answered = login_tries(rt, session, call, slot, &how);

    if (answered == CKR_CRYPTOKI_NOT_INITIALIZED)
        return answered; /* there is nothing left to record with */
    return login_record(rt, session, call, slot, how, answered);
}

/* A context-specific login with prompt = module: the PIN that the application brings is no consent; the user is
 * asked at once, so that an application that is used to asking for itself works and costs one PIN entry. */
static CK_RV login_context(struct runtime *rt, CK_SESSION_HANDLE session, CK_BYTE_PTR pin, CK_ULONG pin_len)
{
    return gate_context_login(rt, session, rt->config.module.prompt == CONFIG_PROMPT_MODULE, pin, pin_len);
}

static CK_RV log_in(struct runtime *rt, CK_SESSION_HANDLE session, const struct login_call *call, CK_BYTE_PTR pin,
                    CK_ULONG pin_len)
{
    const CK_USER_TYPE user_type = call->user_type;
    CK_SESSION_INFO info;
    CK_RV rv;

    rv = gate_session_info(rt, session, &info);
    if (rv != CKR_OK)
        return rv;
    if (user_type != CKU_USER && user_type != CKU_SO && user_type != CKU_CONTEXT_SPECIFIC)
        return CKR_USER_TYPE_INVALID;
    if (pin_is_too_long(pin, pin_len))
        return CKR_PIN_LEN_RANGE;
    if (user_type == CKU_CONTEXT_SPECIFIC)
        return login_context(rt, session, pin, pin_len);
    /* Only where it would not be in vain is anybody asked (2.40, 5.6, C_Login: the security officer needs every session to be
     * R/W). */
    if (!pin && user_type == CKU_SO && !is_logged_in(&info) && session_any_read_only(&rt->sessions, info.slotID))
        rv = CKR_SESSION_READ_ONLY_EXISTS;
    else if (!pin && !is_logged_in(&info) && pin_ask_is_ours(rt, info.slotID))
        rv = login_asking(rt, session, call, info.slotID);
    else if (!pin && is_logged_in(&info))
        rv = (info.state == CKS_RW_SO_FUNCTIONS) == (user_type == CKU_SO) ? CKR_USER_ALREADY_LOGGED_IN
                                                                         : CKR_USER_ANOTHER_ALREADY_LOGGED_IN;
    else
        rv = login_given(rt, session, call, &info, pin, pin_len);
    if (rv == CKR_OK)
        session_forget_facts(&rt->sessions);
    return rv;
}

/* C_Finalize withdraws the question and then waits for this thread, which still has the backend to call. */
static CK_RV log_in_held(struct runtime *rt, CK_SESSION_HANDLE session, const struct login_call *call, CK_BYTE_PTR pin,
                         CK_ULONG pin_len)
{
    int cancel_state;
    CK_RV rv = gate_enter_once(rt, &cancel_state);

    if (rv != CKR_OK)
        return rv;
    rv = log_in(rt, session, call, pin, pin_len);
    gate_leave_once(rt, cancel_state);
    return rv;
}

CK_RV own_C_Login(CK_SESSION_HANDLE session, CK_USER_TYPE user_type, CK_BYTE_PTR pin, CK_ULONG pin_len)
{
    const struct login_call call = {.user_type = user_type};
    struct runtime *rt = runtime_get();

    return rt ? log_in_held(rt, session, &call, pin, pin_len) : CKR_CRYPTOKI_NOT_INITIALIZED;
}

/* PKCS#11 3.0, 5.6: for tokens whose users have names. A context-specific login is for the user who is logged in. */
CK_RV own_C_LoginUser(CK_SESSION_HANDLE session, CK_USER_TYPE user_type, CK_UTF8CHAR_PTR pin, CK_ULONG pin_len,
                      CK_UTF8CHAR_PTR username, CK_ULONG username_len)
{
    const struct login_call call = {
        .user_type = user_type, .named = true, .name = username, .name_len = username_len};
    struct runtime *rt = runtime_get();

    if (!rt || !rt->backend.functions_3)
        return runtime_lacks_3();
    return log_in_held(rt, session, &call, pin, pin_len);
}

CK_RV own_C_SessionCancel(CK_SESSION_HANDLE session, CK_FLAGS flags)
{
    struct runtime *rt = runtime_get();

    return rt ? cancel_operations(rt, session, flags) : CKR_CRYPTOKI_NOT_INITIALIZED;
}

CK_RV own_C_Logout(CK_SESSION_HANDLE session)
{
    struct runtime *rt = runtime_get();
    CK_SESSION_INFO info;
    CK_RV rv;

    if (!rt)
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    rv = gate_session_info(rt, session, &info);
    if (rv != CKR_OK)
        return rv;
    rv = rt->backend.functions->C_Logout(session);
    /* Whatever the backend answered: a wish to log out ends every consent and wipes what is known of the PIN. */
    session_end_operations(&rt->sessions, rt->backend.functions, info.slotID);
    asks_withdraw_slot(&rt->asks, info.slotID);
    session_forget_facts(&rt->sessions);
    login_forget(&rt->logins, info.slotID);
    return rv;
}
