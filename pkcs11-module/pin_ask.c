#include "pkcs11-module/pin_ask.h"

#include <string.h>

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

/* What a question shows of the token, and its registration. */
struct question {
    CK_TOKEN_INFO token;
    struct retry_state tries;
    struct ask ask;
};

/* counted: the PIN is the user's present one. The security officer is asked on a locked token too: who else could unlock it. */
static CK_RV question_begin(struct runtime *rt, CK_SESSION_HANDLE session, CK_SLOT_ID slot, bool counted,
                            struct question *question)
{
    CK_RV rv;

    memset(question, 0, sizeof *question);
    if (counted)
        rv = pin_check_before_asking(rt, slot, &question->token, &question->tries);
    else
        rv = rt->backend.functions->C_GetTokenInfo(slot, &question->token);
    if (rv == CKR_OK && cool_down_is_on(&rt->cool_down))
        rv = CKR_FUNCTION_REJECTED;
    return rv == CKR_OK ? ask_begin(&rt->asks, session, slot, &question->ask) : rv;
}

static CK_RV question_end(struct runtime *rt, struct question *question, enum error_code code, const struct error *err,
                          struct secret **pin)
{
    CK_RV rv = outcome(rt, &question->ask, code, err);

    if (rv != CKR_OK)
        secret_free(pin);
    return rv;
}

CK_RV pin_ask(struct runtime *rt, CK_SESSION_HANDLE session, CK_SLOT_ID slot, enum prompt_pin which,
              const char *error, struct secret **pin)
{
    struct question question;
    struct error err = {0};
    enum error_code code;
    CK_RV rv = question_begin(rt, session, slot, prompt_pin_is_counted(which), &question);

    if (rv != CKR_OK)
        return rv;
    code = prompt_token_pin(&rt->config, which, &question.token, &question.tries, error, question.ask.cancel_fd, pin,
                            &err);
    return question_end(rt, &question, code, &err, pin);
}

CK_RV pin_ask_for_batch(struct runtime *rt, CK_SESSION_HANDLE session, CK_SLOT_ID slot,
                        const struct prompt_batch *batch, const char *error, struct secret **pin)
{
    struct question question;
    struct error err = {0};
    enum error_code code;
    CK_RV rv = question_begin(rt, session, slot, true, &question);

    if (rv != CKR_OK)
        return rv;
    code = prompt_batch_pin(&rt->config, batch, &question.token, &question.tries, error, question.ask.cancel_fd, pin,
                            &err);
    return question_end(rt, &question, code, &err, pin);
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
