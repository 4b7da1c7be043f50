#include "pkcs11-module/gate_once.h"

#include <time.h>

#include "common/log.h"
#include "pkcs11-module/answer.h"
#include "pkcs11-module/consent.h"
#include "pkcs11-module/decision.h"
#include "pkcs11-module/gate_session.h"

/* How long a presented PIN waits for its call. */
#define PRESENTED_MS 30000

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_BOOTTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

CK_RV gate_facts(struct runtime *rt, CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE object, CK_RV invalid,
                 struct key_facts *facts)
{
    struct session *session;
    CK_RV rv = gate_session(rt, handle, &session);

    if (rv != CKR_OK)
        return rv;
    rv = session_key_facts(&rt->sessions, rt->backend.functions, session, object, facts);
    session_put(&rt->sessions, session);
    return rv == CKR_OBJECT_HANDLE_INVALID ? invalid : rv;
}

/* ------------------------------------------------------------------ a PIN presented beforehand */

CK_RV gate_present_pin(struct runtime *rt, CK_SESSION_HANDLE handle, const void *pin, CK_ULONG pin_len)
{
    const struct key_facts none = {.object_class = CKO_PRIVATE_KEY};
    struct consent_request request = {.facts = &none, .on = CK_INVALID_HANDLE};
    struct session *session;
    CK_RV rv;

    if (rt->config.module.prompt != CONFIG_PROMPT_APPLICATION)
        return CKR_OPERATION_NOT_INITIALIZED;
    rv = gate_session(rt, handle, &session);
    if (rv != CKR_OK)
        return rv;
    request.session = handle;
    request.slot = session->slot;
    rv = consent_check_pin(rt, &request, pin, pin_len);
    if (rv == CKR_OK) {
        pthread_mutex_lock(&session->lock);
        session->presented_end_ms = session->closed ? 0 : now_ms() + PRESENTED_MS;
        pthread_mutex_unlock(&session->lock);
    } else {
        const struct decision decision = {.operation = "context login", .slot = session->slot};

        rv = decision_record(rt, &decision, "application's PIN", rv); /* a right one is told with the use that follows */
    }
    session_put(&rt->sessions, session);
    return rv;
}

/* Uses the presentation up, whether or not it is still in time. */
static bool take_presented(struct session *session)
{
    int64_t end_ms;

    pthread_mutex_lock(&session->lock);
    end_ms = session->presented_end_ms;
    session->presented_end_ms = 0;
    pthread_mutex_unlock(&session->lock);
    return now_ms() < end_ms;
}

/* ------------------------------------------------------------------ consent */

/* The state of the login, so that a logout during the question is noticed. */
static CK_RV session_state(struct runtime *rt, CK_SESSION_HANDLE handle, CK_STATE *state)
{
    CK_SESSION_INFO info;
    CK_RV rv = rt->backend.functions->C_GetSessionInfo(handle, &info);

    if (rv == CKR_OK)
        *state = info.state;
    return answer_inner(rv);
}

static CK_RV ask_once(struct runtime *rt, struct session *session, const struct consent_request *request)
{
    CK_STATE before = 0, after = 0;
    struct ask ask;
    CK_RV rv = session_state(rt, session->handle, &before);

    if (rv == CKR_OK)
        rv = ask_begin(&rt->asks, session->handle, session->slot, &ask);
    if (rv != CKR_OK)
        return rv;
    if (!gate_session_is_closed(session))
        rv = consent_obtain(rt, request, ask.cancel_fd);
    if (rv == CKR_OK && !gate_session_is_closed(session)) {
        rv = session_state(rt, session->handle, &after); /* fails when the card is gone */
        if (rv == CKR_OK && before != after)
            rv = CKR_USER_NOT_LOGGED_IN;
    }
    ask_end(&rt->asks, &ask);
    if (!runtime_get())
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    return gate_session_is_closed(session) ? CKR_SESSION_CLOSED : rv;
}

/* Handles are numbers, of some tokens addresses: a key that went while the user was asked (a session's, with its session)
 * may have left its own to another one. */
static CK_RV look_again(struct runtime *rt, struct session *session, CK_OBJECT_HANDLE key,
                        const struct consent_request *request)
{
    struct key_facts now;

    if (key == CK_INVALID_HANDLE)
        return CKR_OK;
    if (session_key_facts(&rt->sessions, rt->backend.functions, session, key, &now) == CKR_OK &&
        key_facts_are_of_one_key(&now, request->facts))
        return CKR_OK;
    log_warning("key \"%s\" went while its user was asked: the use is refused", request->facts->label);
    return decision_refuse(rt, session->handle, request->facts, policy_use_name(request->use), "another key than agreed",
                           CKR_FUNCTION_REJECTED);
}

CK_RV gate_agree_once(struct runtime *rt, CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE key, const struct key_facts *facts,
                      enum policy_use use, const void *data, CK_ULONG data_len)
{
    struct consent_request request = {.use = use,
                                      .session = handle,
                                      .on = CK_INVALID_HANDLE,
                                      .facts = facts,
                                      .data = data,
                                      .data_len = data_len,
                                      .whole = true};
    struct session *session;
    CK_RV rv;

    if (policy_is_free(facts))
        return CKR_OK;
    rv = gate_session(rt, handle, &session);
    if (rv != CKR_OK)
        return rv;
    request.slot = session->slot;
    if (rt->config.module.prompt == CONFIG_PROMPT_APPLICATION && take_presented(session))
        request.presented = policy_presentation_covers(use);
    rv = ask_once(rt, session, &request);
    if (rv == CKR_OK)
        rv = look_again(rt, session, key, &request);
    session_put(&rt->sessions, session);
    return rv;
}

CK_RV gate_enter_once(struct runtime *rt, int *cancel_state)
{
    return asks_enter(&rt->asks, cancel_state) ? CKR_OK : CKR_CRYPTOKI_NOT_INITIALIZED;
}

void gate_leave_once(struct runtime *rt, int cancel_state)
{
    asks_leave(&rt->asks, cancel_state);
}

CK_RV gate_refuse_private_key(struct runtime *rt, CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE object, CK_RV refusal,
                              CK_RV invalid)
{
    struct key_facts facts;
    CK_RV rv = gate_facts(rt, handle, object, invalid, &facts);

    if (rv != CKR_OK)
        return rv;
    if (!key_facts_is_private_key(&facts) && policy_is_free(&facts))
        return CKR_OK;
    log_warning("a call that is not meant for private keys was refused for key \"%s\"", facts.label);
    return decision_refuse(rt, handle, &facts, "other", "not for private keys", refusal);
}
