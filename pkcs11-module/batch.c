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

/* A batch that is being asked for. */
struct request {
    struct runtime *rt;
    struct session *session;
    struct lease_terms terms; /* its number once it is granted */
    const char *how;          /* of the last question, for the ledger */
    bool logged_in_here;      /* by the PIN that was typed for it */
};

/* The session's slot, and whether the user is logged in now. CKR_SESSION_CLOSED: the session went while the
 * user was asked. */
static CK_RV look(const struct request *request, CK_SLOT_ID *slot, bool *logged_in)
{
    CK_SESSION_INFO info;
    CK_RV rv;

    if (gate_session_is_closed(request->session))
        return CKR_SESSION_CLOSED;
    rv = gate_session_info(request->rt, request->session->handle, &info);
    if (rv != CKR_OK)
        return rv == CKR_SESSION_HANDLE_INVALID ? CKR_SESSION_CLOSED : rv;
    if (info.state == CKS_RW_SO_FUNCTIONS)
        return CKR_USER_ANOTHER_ALREADY_LOGGED_IN;
    *slot = info.slotID;
    *logged_in = info.state == CKS_RO_USER_FUNCTIONS || info.state == CKS_RW_USER_FUNCTIONS;
    return CKR_OK;
}

/* Logs in with the PIN, as C_Login would, when nobody is; else compares it with the one that did. */
static CK_RV check_pin(struct request *request, CK_SLOT_ID slot, bool logged_in, const struct secret *pin)
{
    struct runtime *rt = request->rt;
    CK_RV rv = CKR_USER_ALREADY_LOGGED_IN;

    if (!logged_in)
        rv = pin_check_login(rt, slot, request->session->handle, CKU_USER, secret_bytes(pin),
                             secret_length(pin));
    if (rv == CKR_USER_ALREADY_LOGGED_IN)
        return pin_check_compare(rt, slot, secret_bytes(pin), secret_length(pin));
    if (rv != CKR_OK)
        return rv;
    request->logged_in_here = true;
    return login_remember(&rt->logins, slot, secret_bytes(pin), secret_length(pin), 0);
}

static bool is_wrong_pin(CK_RV rv)
{
    return rv == CKR_PIN_INCORRECT || rv == CKR_PIN_LEN_RANGE || rv == CKR_PIN_INVALID;
}

/* What happened to session and login while the user was asked comes before what the user answered. */
static CK_RV look_again(const struct request *request, bool logged_in_before, CK_RV answered, bool *logged_in)
{
    CK_SLOT_ID slot;
    CK_RV rv = look(request, &slot, logged_in);

    if (rv != CKR_OK)
        return rv;
    if (logged_in_before && !*logged_in)
        return CKR_USER_NOT_LOGGED_IN; /* that is no time to log in again */
    return answered;
}

/* One window and its answer. On CKR_OK the batch is granted. */
static CK_RV ask_once(struct request *request, const char *wrong)
{
    struct runtime *rt = request->rt;
    struct prompt_batch batch = {
        .uses = request->terms.uses, .time_s = request->terms.time_s, .purpose = request->terms.purpose};
    struct secret *pin = NULL;
    bool logged_in;
    CK_SLOT_ID slot;
    CK_RV rv = look(request, &slot, &logged_in);

    if (rv != CKR_OK)
        return rv;
    batch.logs_in = !logged_in;
    rv = pin_ask_for_batch(rt, request->session->handle, slot, &batch, wrong, &request->how, &pin);
    if (rv == CKR_CRYPTOKI_NOT_INITIALIZED)
        return rv;
    rv = look_again(request, !batch.logs_in, rv, &logged_in);
    if (rv == CKR_OK)
        rv = check_pin(request, slot, logged_in, pin);
    if (rv == CKR_OK)
        rv = login_grant(&rt->logins, slot, secret_bytes(pin), secret_length(pin), &request->terms);
    secret_free(&pin);
    return rv;
}

/* Asks until the PIN is right, the user has had enough, or the tries are used up. */
static CK_RV ask(struct request *request)
{
    const char *wrong = NULL;
    CK_RV rv = CKR_OK;

    for (int tries = 0; tries < BATCH_TRIES; tries++) {
        rv = ask_once(request, wrong);
        if (!is_wrong_pin(rv))
            return rv;
        wrong = _("The PIN was wrong.");
    }
    log_warning("%d wrong PINs: the batch is refused", BATCH_TRIES);
    return rv;
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

/* What is not granted, or cannot be recorded, leaves nothing behind: no batch, no login. */
static void take_back(struct request *request, CK_SLOT_ID slot)
{
    struct runtime *rt = request->rt;

    if (request->terms.number != LEASE_GRACE)
        (void)login_end_lease(&rt->logins, slot, request->terms.number);
    if (request->logged_in_here) {
        (void)rt->backend.functions->C_Logout(request->session->handle);
        login_forget(&rt->logins, slot);
    }
}

static CK_RV ask_and_record(struct request *request, CK_SLOT_ID slot)
{
    const struct decision decision = {.operation = "batch", .slot = slot, .batch = &request->terms};
    const CK_RV answered = ask(request);
    CK_RV rv;

    if (answered == CKR_CRYPTOKI_NOT_INITIALIZED)
        return answered; /* there is nothing left to record with */
    rv = decision_record(request->rt, &decision, request->how, answered);
    if (rv != CKR_OK)
        take_back(request, slot);
    if (request->logged_in_here)
        session_forget_facts(&request->rt->sessions);
    return rv;
}

CK_RV batch_request(struct runtime *rt, CK_SESSION_HANDLE session, struct lease_terms *terms)
{
    struct request request = {.rt = rt, .terms = *terms, .how = "asked"};
    int cancel_state;
    CK_SLOT_ID slot;
    CK_RV rv = batch_session(rt, session, &slot);

    if (rv != CKR_OK)
        return rv;
    if (!within_limits(rt, terms))
        return CKR_ARGUMENTS_BAD;
    if (!asks_enter(&rt->asks, &cancel_state)) /* from here to asks_leave the module is not finalized */
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    request.terms.number = LEASE_GRACE;
    rv = gate_session(rt, session, &request.session);
    if (rv == CKR_OK) {
        rv = ask_and_record(&request, slot);
        session_put(&rt->sessions, request.session);
    }
    if (rv == CKR_OK)
        terms->number = request.terms.number;
    asks_leave(&rt->asks, cancel_state);
    return rv;
}
