#include "pkcs11-module/batch.h"

#include "common/i18n.h"
#include "common/log.h"
#include "pkcs11-module/decision.h"
#include "pkcs11-module/gate_session.h"
#include "pkcs11-module/pin_ask.h"
#include "pkcs11-module/pin_check.h"

#define BATCH_TRIES 3

CK_RV batch_session(struct runtime *rt, CK_SESSION_HANDLE session, CK_SLOT_ID *slot)
{
    CK_SESSION_INFO info;
    CK_RV rv = gate_session_info(rt, session, &info);

    if (rv != CKR_OK)
        return rv;
    if (rt->config.module.batch_uses == 0 || !pin_ask_is_ours(rt, info.slotID))
        return CKR_FUNCTION_NOT_SUPPORTED;
    *slot = info.slotID;
    return CKR_OK;
}

/* The session as it is now. CKR_SESSION_CLOSED: it went while the user was asked. */
static CK_RV look_at_session(struct runtime *rt, CK_SESSION_HANDLE session, CK_SESSION_INFO *info,
                             bool *logged_in)
{
    CK_RV rv = gate_session_info(rt, session, info);

    if (rv != CKR_OK)
        return rv == CKR_SESSION_HANDLE_INVALID ? CKR_SESSION_CLOSED : rv;
    if (info->state == CKS_RW_SO_FUNCTIONS)
        return CKR_USER_ANOTHER_ALREADY_LOGGED_IN;
    *logged_in = info->state == CKS_RO_USER_FUNCTIONS || info->state == CKS_RW_USER_FUNCTIONS;
    return CKR_OK;
}

/* Logs in with the PIN, as C_Login would, when nobody is; else compares it with the one that did. */
static CK_RV check_pin(struct runtime *rt, CK_SESSION_HANDLE session, CK_SLOT_ID slot, bool logged_in,
                       const struct secret *pin, bool *logged_in_here)
{
    CK_RV rv = CKR_USER_ALREADY_LOGGED_IN;

    if (!logged_in)
        rv = pin_check_login(rt, slot, session, CKU_USER, secret_bytes(pin), secret_length(pin));
    if (rv == CKR_USER_ALREADY_LOGGED_IN)
        return pin_check_compare(rt, slot, secret_bytes(pin), secret_length(pin));
    if (rv != CKR_OK)
        return rv;
    *logged_in_here = true;
    return login_remember(&rt->logins, slot, secret_bytes(pin), secret_length(pin), 0);
}

static bool is_wrong_pin(CK_RV rv)
{
    return rv == CKR_PIN_INCORRECT || rv == CKR_PIN_LEN_RANGE || rv == CKR_PIN_INVALID;
}

/* What happened to session and login while the user was asked comes before what the user answered. */
static CK_RV look_again(struct runtime *rt, CK_SESSION_HANDLE session, bool logged_in_before, CK_RV answered,
                        bool *logged_in)
{
    CK_SESSION_INFO info;
    CK_RV rv = look_at_session(rt, session, &info, logged_in);

    if (rv != CKR_OK)
        return rv;
    if (logged_in_before && !*logged_in)
        return CKR_USER_NOT_LOGGED_IN; /* that is no time to log in again */
    return answered;
}

/* One window and its answer. On CKR_OK the batch is granted. */
static CK_RV ask_once(struct runtime *rt, CK_SESSION_HANDLE session, struct lease_terms *terms, const char *wrong,
                      bool *logged_in_here)
{
    struct prompt_batch batch = {.uses = terms->uses, .time_s = terms->time_s, .purpose = terms->purpose};
    struct secret *pin = NULL;
    CK_SESSION_INFO info;
    bool logged_in;
    CK_RV rv = look_at_session(rt, session, &info, &logged_in);

    if (rv != CKR_OK)
        return rv;
    batch.logs_in = !logged_in;
    rv = pin_ask_for_batch(rt, session, info.slotID, &batch, wrong, &pin);
    if (rv == CKR_CRYPTOKI_NOT_INITIALIZED)
        return rv;
    rv = look_again(rt, session, !batch.logs_in, rv, &logged_in);
    if (rv == CKR_OK)
        rv = check_pin(rt, session, info.slotID, logged_in, pin, logged_in_here);
    if (rv == CKR_OK)
        rv = login_grant(&rt->logins, info.slotID, secret_bytes(pin), secret_length(pin), terms);
    secret_free(&pin);
    return rv;
}

/* Asks until the PIN is right, the user has had enough, or the tries are used up. */
static CK_RV ask(struct runtime *rt, CK_SESSION_HANDLE session, struct lease_terms *terms,
                 bool *logged_in_here)
{
    const char *wrong = NULL;

    for (int tries = 0; tries < BATCH_TRIES; tries++) {
        CK_RV rv = ask_once(rt, session, terms, wrong, logged_in_here);

        if (!is_wrong_pin(rv))
            return rv;
        wrong = _("The PIN was wrong.");
    }
    log_warning("%d wrong PINs: the batch is refused", BATCH_TRIES);
    return CKR_FUNCTION_REJECTED;
}

static bool within_limits(const struct runtime *rt, const struct lease_terms *terms)
{
    if (terms->uses <= rt->config.module.batch_uses && terms->time_s <= rt->config.module.batch_time_s)
        return true;
    log_error(
        "a program asked for %lu uses in %lu s at once; the configuration allows %u in %u s (batch-uses, "
        "batch-time)",
        terms->uses, terms->time_s, rt->config.module.batch_uses, rt->config.module.batch_time_s);
    return false;
}

CK_RV batch_request(struct runtime *rt, CK_SESSION_HANDLE session, struct lease_terms *terms)
{
    struct lease_terms asked = *terms;
    struct decision decision = {.operation = "batch", .batch = &asked};
    bool logged_in_here = false;
    CK_RV answered, rv;

    rv = batch_session(rt, session, &decision.slot);
    if (rv != CKR_OK)
        return rv;
    if (!within_limits(rt, terms))
        return CKR_ARGUMENTS_BAD;
    asked.number = LEASE_GRACE;
    answered = ask(rt, session, &asked, &logged_in_here);
    if (answered == CKR_CRYPTOKI_NOT_INITIALIZED)
        return answered; /* there is nothing left to record with */
    rv = decision_record(rt, &decision, "asked", answered);
    if (logged_in_here)
        session_forget_facts(&rt->sessions);
    if (rv == CKR_OK) {
        terms->number = asked.number;
        return rv;
    }
    /* What is not granted, or cannot be recorded, leaves nothing behind: no batch, no login. */
    if (asked.number != LEASE_GRACE)
        (void)login_end_lease(&rt->logins, decision.slot, asked.number);
    if (logged_in_here) {
        (void)rt->backend.functions->C_Logout(session);
        login_forget(&rt->logins, decision.slot);
    }
    return rv;
}
