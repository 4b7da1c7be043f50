#include "pkcs11-module/pin_ask.h"

#include "pkcs11-module/pin_check.h"

bool pin_ask_is_ours(struct runtime *rt, CK_SLOT_ID slot)
{
    CK_TOKEN_INFO token;

    return rt->config.module.prompt == CONFIG_PROMPT_MODULE &&
           rt->backend.functions->C_GetTokenInfo(slot, &token) == CKR_OK &&
           !(token.flags & CKF_PROTECTED_AUTHENTICATION_PATH);
}

/* After a question: the module may have been finalized meanwhile. */
static CK_RV outcome(struct runtime *rt, struct ask *ask, enum error_code code, const struct error *err)
{
    CK_RV rv = prompt_outcome(&rt->cool_down, code, err, ask->cancel_fd);

    ask_end(&rt->asks, ask);
    return runtime_get() ? rv : CKR_CRYPTOKI_NOT_INITIALIZED;
}

CK_RV pin_ask(struct runtime *rt, CK_SESSION_HANDLE session, CK_SLOT_ID slot, enum prompt_pin which,
              const char *error, struct secret **pin)
{
    struct retry_state tries = {0};
    struct error err = {0};
    CK_TOKEN_INFO token;
    enum error_code code;
    struct ask ask;
    CK_RV rv;

    /* The security officer is asked on a locked token too: who else could unlock it. */
    if (prompt_pin_is_counted(which))
        rv = pin_check_before_asking(rt, slot, &token, &tries);
    else
        rv = rt->backend.functions->C_GetTokenInfo(slot, &token);
    if (rv == CKR_OK && cool_down_is_on(&rt->cool_down))
        rv = CKR_FUNCTION_REJECTED;
    if (rv == CKR_OK)
        rv = ask_begin(&rt->asks, session, slot, &ask);
    if (rv != CKR_OK)
        return rv;
    code = prompt_token_pin(&rt->config, which, &token, &tries, error, ask.cancel_fd, pin, &err);
    rv = outcome(rt, &ask, code, &err);
    if (rv != CKR_OK)
        secret_free(pin);
    return rv;
}

CK_RV pin_ask_last_try(struct runtime *rt, CK_SESSION_HANDLE session, CK_SLOT_ID slot, const void *pin)
{
    struct error err = {0};
    CK_TOKEN_INFO token;
    enum error_code code;
    struct ask ask;
    CK_RV rv;

    if (rt->config.module.prompt != CONFIG_PROMPT_MODULE)
        return CKR_OK;
    rv = pin_check_before_asking(rt, slot, &token, NULL);
    if (rv != CKR_OK || !(token.flags & CKF_USER_PIN_FINAL_TRY))
        return rv;
    if (cool_down_is_on(&rt->cool_down))
        return CKR_FUNCTION_REJECTED;
    rv = ask_begin(&rt->asks, session, slot, &ask);
    if (rv != CKR_OK)
        return rv;
    code = prompt_last_try(&rt->config, pin == NULL, &token, ask.cancel_fd, &err);
    rv = outcome(rt, &ask, code, &err);
    return rv == CKR_FUNCTION_CANCELED ? CKR_FUNCTION_REJECTED : rv;
}
