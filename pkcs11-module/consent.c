#include "pkcs11-module/consent.h"

#include "common/i18n.h"
#include "common/log.h"
#include "pkcs11-module/answer.h"
#include "pkcs11-module/certificate.h"
#include "pkcs11-module/decision.h"
#include "pkcs11-module/pin_check.h"
#include "pkcs11-module/prompt.h"


/* A key that carries CKA_ALWAYS_AUTHENTICATE: the backend itself checks. */
static bool checked_by_backend(const struct consent_request *request)
{
    return request->facts->always_authenticate && request->on != CK_INVALID_HANDLE;
}

/* NSS's softokn keeps CKA_ALWAYS_AUTHENTICATE with a key and knows no context-specific login: it takes this one for the
 * user's, who is logged in. Then the gate checks by itself, as for a key without the attribute. */
static bool backend_cannot_check(CK_RV rv, const void *pin)
{
    return rv == CKR_USER_ALREADY_LOGGED_IN && pin;
}

/* A login dies with the card, and nobody says so: the next one in the slot may even have sessions of the same numbers. No
 * PIN of the first may be compared with, or sent to, the second. false: whether anybody is logged in is not known. */
static bool look_at_login(struct runtime *rt, const struct consent_request *request)
{
    CK_SESSION_INFO info;

    if (rt->backend.functions->C_GetSessionInfo(request->session, &info) != CKR_OK)
        return false;
    if (info.state != CKS_RO_USER_FUNCTIONS && info.state != CKS_RW_USER_FUNCTIONS)
        login_forget(&rt->logins, request->slot);
    return true;
}

/* An empty PIN, where the token has none so short, is wrong without a look at it, and spends none of its tries. Some
 * programs bring one by themselves: poppler and LibreOffice do for each question that NSS has. */
static bool is_no_pin(struct runtime *rt, const struct consent_request *request, const void *pin, CK_ULONG pin_len)
{
    CK_TOKEN_INFO token;

    return pin && pin_len == 0 && request->on != CK_INVALID_HANDLE &&
           rt->backend.functions->C_GetTokenInfo(request->slot, &token) == CKR_OK && token.ulMinPinLen > 0;
}

CK_RV consent_check_pin(struct runtime *rt, const struct consent_request *request, const void *pin, CK_ULONG pin_len)
{
    CK_RV rv;

    if (!look_at_login(rt, request))
        return CKR_USER_NOT_LOGGED_IN;
    if (is_no_pin(rt, request, pin, pin_len))
        return CKR_PIN_INCORRECT;
    if (!checked_by_backend(request))
        return pin_check_compare(rt, request->slot, pin, pin_len);
    rv = pin_check_login(rt, request->slot, request->on, CKU_CONTEXT_SPECIFIC, pin, pin_len);
    if (backend_cannot_check(rv, pin))
        return pin_check_compare(rt, request->slot, pin, pin_len);
    return rv == CKR_PIN_LEN_RANGE || rv == CKR_PIN_INVALID ? CKR_PIN_INCORRECT : rv;
}

/* A PIN entry before this one that counts for it: the grace of a login that the module itself asked for, or a batch.
 * *lease: its number. At level medium only a batch, since a login is no confirmation. A PIN that is no longer right ends
 * them all, so that it is tried once. */
static bool covered_by_lease(struct runtime *rt, const struct consent_request *request, enum config_level level,
                             struct lease_terms *lease)
{
    struct secret *pin;
    CK_RV rv;

    if (!policy_works_with_key(request->use) || !look_at_login(rt, request))
        return false;
    pin = login_take_lease(&rt->logins, request->slot, level == CONFIG_LEVEL_HIGH, &lease->number);
    if (!pin)
        return false;
    rv = consent_check_pin(rt, request, secret_bytes(pin), secret_length(pin));
    secret_free(&pin);
    if (rv == CKR_PIN_INCORRECT || rv == CKR_PIN_LOCKED)
        (void)login_end_lease(&rt->logins, request->slot, PINWARD_ALL_BATCHES);
    return rv == CKR_OK;
}

/* Asks until the PIN is right, the user has had enough, or the tries are used up. */
static CK_RV ask_for_pin(struct runtime *rt, const struct consent_request *request, struct prompt_use *use,
                         int cancel_fd)
{
    const char *wrong = NULL;

    for (int tries = 0; tries < CONSENT_TRIES; tries++) {
        struct secret *pin = NULL;
        struct error err = {0};
        enum error_code code = prompt_use_pin(&rt->config, use, wrong, cancel_fd, &pin, &err);
        CK_RV rv;

        rv = prompt_outcome(&rt->cool_down, code, &err, cancel_fd);
        if (rv != CKR_OK)
            return rv;
        rv = consent_check_pin(rt, request, secret_bytes(pin), secret_length(pin));
        secret_free(&pin);
        if (rv != CKR_PIN_INCORRECT)
            return rv;
        rv = pin_check_before_asking(rt, request->slot, &use->token, &use->tries);
        if (rv != CKR_OK)
            return rv;
        wrong = _("The PIN was wrong.");
    }
    log_warning("%d wrong PINs: the use is refused", CONSENT_TRIES);
    return CKR_FUNCTION_REJECTED;
}

/* A reader with its own PIN pad: the user agrees here and types there. */
static CK_RV ask_at_reader(struct runtime *rt, const struct consent_request *request, struct prompt_use *use,
                           int cancel_fd)
{
    struct error err = {0};
    enum error_code code;
    CK_RV rv;

    if (!checked_by_backend(request)) {
        log_error("the token takes PINs only at its reader and does not protect this key itself: it cannot check a "
                  "PIN for one use, so the use is refused");
        return CKR_FUNCTION_REJECTED;
    }
    code = prompt_use_confirm(&rt->config, use, _("If you agree, then enter the PIN at the reader."), cancel_fd, &err);
    rv = prompt_outcome(&rt->cool_down, code, &err, cancel_fd);
    if (rv != CKR_OK)
        return rv;
    return pin_check_login(rt, request->slot, request->on, CKU_CONTEXT_SPECIFIC, NULL, 0);
}

static CK_RV ask_for_yes(struct runtime *rt, struct prompt_use *use, int cancel_fd)
{
    struct error err = {0};
    enum error_code code = prompt_use_confirm(&rt->config, use, NULL, cancel_fd, &err);
    CK_RV rv = prompt_outcome(&rt->cool_down, code, &err, cancel_fd);

    return rv == CKR_FUNCTION_CANCELED ? CKR_FUNCTION_REJECTED : rv;
}

/* On a session of its own: a backend may refuse a search where another operation is in progress. */
static bool find_subject(struct runtime *rt, const struct consent_request *request,
                         char subject[CERTIFICATE_SUBJECT_MAX])
{
    CK_FUNCTION_LIST *backend = rt->backend.functions;
    CK_SESSION_HANDLE session;
    bool found;

    if (session_backend_open(&rt->sessions, backend, request->slot, CKF_SERIAL_SESSION, NULL, NULL, &session) != CKR_OK)
        return false;
    found = certificate_subject_of_key(backend, session, request->facts, subject);
    (void)session_backend_close(&rt->sessions, backend, session);
    return found;
}

/* Describes the use and asks in the way that level and token want. *how: changed when nobody is asked. */
static CK_RV ask(struct runtime *rt, const struct consent_request *request, enum config_level level, int cancel_fd,
                 const char **how)
{
    char subject[CERTIFICATE_SUBJECT_MAX];
    struct prompt_use use = {.use = request->use,
                             .mechanism = request->mechanism,
                             .facts = request->facts,
                             .data = request->data,
                             .data_len = request->data_len,
                             .whole = request->whole};
    CK_RV rv;

    if (level == CONFIG_LEVEL_MEDIUM)
        rv = rt->backend.functions->C_GetTokenInfo(request->slot, &use.token);
    else
        rv = pin_check_before_asking(rt, request->slot, &use.token, &use.tries);
    if (rv == CKR_PIN_LOCKED)
        *how = "PIN locked";
    if (rv == CKR_OK && cool_down_is_on(&rt->cool_down)) {
        *how = "cool-down";
        rv = CKR_FUNCTION_REJECTED;
    }
    if (rv != CKR_OK)
        return rv;
    if (find_subject(rt, request, subject))
        use.subject = subject;
    if (level == CONFIG_LEVEL_MEDIUM)
        return ask_for_yes(rt, &use, cancel_fd);
    if (use.token.flags & CKF_PROTECTED_AUTHENTICATION_PATH)
        return ask_at_reader(rt, request, &use, cancel_fd);
    return ask_for_pin(rt, request, &use, cancel_fd);
}

/* The application brings the PIN of what is done with a key. What is done to it (renaming, deleting, ...) has no login of
 * its own in the standard (PKCS#11 2.40, 4.9: CKA_ALWAYS_AUTHENTICATE is for signing and decrypting), so no application
 * knows that it should log in for that: there the module asks. */
static bool application_must_ask(const struct runtime *rt, const struct consent_request *request)
{
    return rt->config.module.prompt == CONFIG_PROMPT_APPLICATION && policy_works_with_key(request->use);
}

/* batch: NULL, or that it was agreed to with. */
static CK_RV record(struct runtime *rt, const struct consent_request *request, const struct lease_terms *batch,
                    const char *how, CK_RV rv)
{
    const struct decision decision = {.operation = policy_use_name(request->use),
                                      .slot = request->slot,
                                      .facts = request->facts,
                                      .data = request->whole ? request->data : NULL,
                                      .data_len = request->data_len,
                                      .batch = batch};

    return decision_record(rt, &decision, how, rv);
}

CK_RV consent_obtain(struct runtime *rt, const struct consent_request *request, int cancel_fd)
{
    const enum config_level level = policy_level(request->facts);
    struct lease_terms lease = {.number = LEASE_GRACE};
    const char *how = "asked";
    CK_RV rv;

    if (level == CONFIG_LEVEL_LOW) {
        how = "level low";
        rv = CKR_OK;
    } else if (request->presented && level == CONFIG_LEVEL_HIGH) {
        how = "context-specific login";
        rv = CKR_OK;
    } else if (level == CONFIG_LEVEL_HIGH && application_must_ask(rt, request)) {
        how = "no context-specific login";
        rv = CKR_USER_NOT_LOGGED_IN;
    } else if (covered_by_lease(rt, request, level, &lease)) {
        how = lease.number == LEASE_GRACE ? "login grace" : "batch";
        rv = CKR_OK;
    } else {
        rv = answer_consent(ask(rt, request, level, cancel_fd, &how));
    }
    return record(rt, request, rv == CKR_OK && lease.number != LEASE_GRACE ? &lease : NULL, how, rv);
}

CK_RV consent_take_pin(struct runtime *rt, const struct consent_request *request, const void *pin, CK_ULONG pin_len)
{
    return record(rt, request, NULL, "context-specific login", consent_check_pin(rt, request, pin, pin_len));
}
