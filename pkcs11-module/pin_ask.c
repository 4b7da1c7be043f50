#include "pkcs11-module/pin_ask.h"

#include "common/log.h"

bool pin_ask_is_ours(struct runtime *rt, CK_SLOT_ID slot)
{
    CK_TOKEN_INFO token;

    return rt->config.module.prompt == CONFIG_PROMPT_MODULE &&
           rt->backend.functions->C_GetTokenInfo(slot, &token) == CKR_OK &&
           !(token.flags & CKF_PROTECTED_AUTHENTICATION_PATH);
}

CK_RV pin_ask(struct runtime *rt, CK_SESSION_HANDLE session, CK_SLOT_ID slot, enum prompt_pin which,
              const char *error, struct secret **pin)
{
    struct error err = {0};
    CK_TOKEN_INFO token;
    enum error_code code;
    struct ask ask;
    CK_RV rv = rt->backend.functions->C_GetTokenInfo(slot, &token);

    if (rv == CKR_OK)
        rv = ask_begin(&rt->asks, session, slot, &ask);
    if (rv != CKR_OK)
        return rv;
    code = prompt_token_pin(&rt->config, which, &token, error, ask.cancel_fd, pin, &err);
    ask_end(&rt->asks, &ask);
    if (code != ERROR_NONE)
        log_warning("%s", error_text(&err));
    if (!runtime_get()) {
        secret_free(pin);
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    }
    return prompt_error_to_rv(code);
}
