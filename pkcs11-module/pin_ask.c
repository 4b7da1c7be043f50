#include "pkcs11-module/pin_ask.h"

#include <string.h>

#include "common/log.h"
#include "pkcs11-module/answer.h"
#include "pkcs11-module/pin_check.h"

/* How many new PINs may be refused before the call fails. */
#define NEW_PIN_TRIES  5
#define FAULT_TEXT_MAX 256

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

/* counted: the PIN is the user's present one. The security officer is asked on a locked token too: who else could unlock it.
 * *how: "asked", or why nobody is. */
static CK_RV question_begin(struct runtime *rt, CK_SESSION_HANDLE session, CK_SLOT_ID slot, bool counted,
                            struct question *question, const char **how)
{
    CK_RV rv;

    *how = "asked";
    memset(question, 0, sizeof *question);
    if (counted)
        rv = pin_check_before_asking(rt, slot, &question->token, &question->tries);
    else
        rv = answer_inner(rt->backend.functions->C_GetTokenInfo(slot, &question->token));
    if (rv == CKR_PIN_LOCKED)
        *how = "PIN locked";
    if (rv == CKR_OK && cool_down_is_on(&rt->cool_down)) {
        *how = "cool-down";
        rv = CKR_FUNCTION_REJECTED;
    }
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

CK_RV pin_ask(struct runtime *rt, CK_SESSION_HANDLE session, CK_SLOT_ID slot, struct pin_wanted *wanted,
              struct secret **pin)
{
    struct prompt_pin_question asked = {
        .which = wanted->which, .user = wanted->user, .user_len = wanted->user_len, .error = wanted->error};
    struct question question;
    struct error err = {0};
    enum error_code code;
    CK_RV rv = question_begin(rt, session, slot, prompt_pin_is_counted(wanted->which), &question, &wanted->how);

    if (rv != CKR_OK)
        return rv;
    asked.token = &question.token;
    asked.tries = &question.tries;
    code = prompt_token_pin(&rt->config, &asked, question.ask.cancel_fd, pin, &err);
    return question_end(rt, &question, code, &err, pin);
}

/* One question for a new PIN, and what is wrong with the answer. */
static CK_RV ask_new_once(struct runtime *rt, CK_SESSION_HANDLE session, CK_SLOT_ID slot, enum prompt_pin which,
                          const struct secret *old, char fault_text[FAULT_TEXT_MAX], struct secret **pin)
{
    struct prompt_pin_question asked = {.which = which, .error = fault_text[0] ? fault_text : NULL};
    struct question question;
    struct pin_rules rules;
    struct error err = {0};
    enum error_code code;
    enum pin_fault fault;
    const char *how;
    CK_RV rv = question_begin(rt, session, slot, false, &question, &how);

    if (rv != CKR_OK)
        return rv;
    pin_rules_init(&rules, &question.token, rt->config.module.pin_min_length, old);
    asked.token = &question.token;
    asked.tries = &question.tries;
    asked.rules = &rules;
    code = prompt_token_pin(&rt->config, &asked, question.ask.cancel_fd, pin, &err);
    rv = question_end(rt, &question, code, &err, pin);
    fault_text[0] = '\0';
    if (rv != CKR_OK)
        return rv;
    fault = pin_quality_judge(&rules, secret_bytes(*pin), secret_length(*pin));
    if (fault != PIN_GOOD)
        prompt_pin_fault(&rules, fault, fault_text, FAULT_TEXT_MAX);
    return CKR_OK;
}

CK_RV pin_ask_new(struct runtime *rt, CK_SESSION_HANDLE session, CK_SLOT_ID slot, enum prompt_pin which,
                  const struct secret *old, struct secret **pin)
{
    char fault[FAULT_TEXT_MAX] = "";

    for (int tries = 0; tries < NEW_PIN_TRIES; tries++) {
        struct secret *chosen = NULL;
        CK_RV rv = ask_new_once(rt, session, slot, which, old, fault, &chosen);

        if (rv == CKR_OK && !fault[0])
            *pin = chosen;
        else
            secret_free(&chosen);
        if (rv != CKR_OK || !fault[0])
            return rv;
    }
    log_warning("no new PIN: %d in a row were too easy to guess", NEW_PIN_TRIES);
    return CKR_PIN_INVALID;
}

CK_RV pin_ask_for_batch(struct runtime *rt, CK_SESSION_HANDLE session, CK_SLOT_ID slot,
                        const struct prompt_batch *batch, const char *error, const char **how, struct secret **pin)
{
    struct question question;
    struct error err = {0};
    enum error_code code;
    CK_RV rv = question_begin(rt, session, slot, true, &question, how);

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
