#include "fuzz/module_calls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/judge.h"
#include "fuzz/module_calls_internal.h"
#include "fuzz/module_token.h"
#include "include/pinward.h"
#include "pkcs11-module/entry_consent.h"

static CK_FUNCTION_LIST_3_0 *const p11 = &dispatch_list_3_0;

/* ------------------------------------------------------------------ sessions and logins */

static CK_RV call_open(struct arguments *a)
{
    CK_SESSION_HANDLE opened;
    const CK_FLAGS flags = CKF_SERIAL_SESSION | (fuzz_byte(a->input) & 1 ? 0 : CKF_RW_SESSION);
    CK_RV rv;

    judge_call_begin(0);
    rv = p11->C_OpenSession(0, flags, NULL, NULL, &opened);
    judge_call_end();
    if (rv == CKR_OK)
        application.sessions[application.next_session++ % APPLICATION_SESSIONS] = opened;
    return rv;
}

/* With its last session the application is logged out. */
static void note_sessions(void)
{
    if (token_sessions_of_application() == 0)
        judge_logged_out();
}

static CK_RV call_close(struct arguments *a)
{
    const CK_RV rv = p11->C_CloseSession(a->session);

    note_sessions();
    return rv;
}

static CK_RV call_close_all(struct arguments *a)
{
    const CK_RV rv = p11->C_CloseAllSessions(0);

    (void)a;
    note_sessions();
    fuzz_require(rv != CKR_OK || token_sessions() == 0, "no session of the gate's own is left when all are closed");
    return rv;
}

static CK_RV call_login(struct arguments *a)
{
    CK_ULONG len;
    bool right;
    CK_BYTE_PTR pin = take_pin(a, &len, &right);

    return p11->C_Login(a->session, CKU_USER, pin, len);
}

static CK_RV call_login_user(struct arguments *a)
{
    CK_UTF8CHAR name[] = "user";
    CK_ULONG len;
    bool right;
    CK_BYTE_PTR pin = take_pin(a, &len, &right);

    return p11->C_LoginUser(a->session, CKU_USER, pin, len, name, sizeof name - 1);
}

static CK_RV call_context_login(struct arguments *a)
{
    CK_ULONG len;
    bool right;
    CK_BYTE_PTR pin = take_pin(a, &len, &right);
    CK_RV rv = p11->C_Login(a->session, CKU_CONTEXT_SPECIFIC, pin, len);

    if (rv == CKR_OK && judge_rules()->application_asks) {
        fuzz_require(right && pin, "a context-specific login needs the right PIN");
        judge_presented();
    }
    return rv;
}

static CK_RV call_logout(struct arguments *a)
{
    const CK_RV rv = p11->C_Logout(a->session);

    if (rv == CKR_OK)
        judge_logged_out();
    return rv;
}

/* ------------------------------------------------------------------ batches */

static CK_RV call_request_batch(struct arguments *a)
{
    static const CK_UTF8CHAR purpose[] = "to sign all of it";
    const uint8_t byte = fuzz_byte(a->input);

    return entry_consent_list.request_batch(a->session, byte % 5, byte & 0x80 ? 7 : 120, purpose, sizeof purpose - 1,
                                            &application.batch);
}

static CK_RV call_revoke_batch(struct arguments *a)
{
    const CK_ULONG batch = fuzz_byte(a->input) & 1 ? PINWARD_ALL_BATCHES : application.batch;
    const CK_RV rv = entry_consent_list.revoke_batch(a->session, batch);

    if (rv == CKR_OK && batch == PINWARD_ALL_BATCHES)
        judge_batches_revoked();
    return rv;
}

static CK_RV call_list_batches(struct arguments *a)
{
    struct pinward_batch batches[2];
    CK_ULONG count = fuzz_byte(a->input) % 3;
    CK_RV rv = entry_consent_list.list_batches(a->session, batches, &count);

    for (CK_ULONG i = 0; rv == CKR_OK && i < count; i++)
        fuzz_require(batches[i].number != 0 && batches[i].uses_left <= 3 && batches[i].seconds_left <= 120,
                     "a batch is within its limits");
    return rv;
}

/* ------------------------------------------------------------------ the world outside */

static CK_RV call_time(struct arguments *a)
{
    judge_time_passes((int64_t)fuzz_byte(a->input) * 1000);
    return CKR_OK;
}

static CK_RV call_failure(struct arguments *a)
{
    static const CK_RV failures[] = {CKR_DEVICE_ERROR, CKR_GENERAL_ERROR, CKR_DEVICE_REMOVED, CKR_HOST_MEMORY,
                                     CKR_BUFFER_TOO_SMALL, CKR_FUNCTION_FAILED, CKR_SESSION_HANDLE_INVALID,
                                     CKR_ARGUMENTS_BAD, CKR_USER_NOT_LOGGED_IN, CKR_PIN_INCORRECT};
    const unsigned calls = fuzz_byte(a->input) % 16;

    token_will_fail(calls, failures[fuzz_byte(a->input) % (sizeof failures / sizeof failures[0])]);
    return CKR_OK;
}

static CK_RV call_forget(struct arguments *a)
{
    (void)a;
    token_forgets_login();
    return CKR_OK;
}

static void require_nothing_secret(const struct arguments *a)
{
    fuzz_require(!fuzz_contains(a->out, sizeof a->out, FUZZ_SECRET), "no output holds the PIN");
    fuzz_require(!fuzz_contains(a->out, sizeof a->out, TOKEN_PRIVATE_VALUE), "no output holds a private value");
}

static CK_RV calls_other(struct arguments *a, uint8_t which)
{
    switch (which) {
    case 0: return call_close(a);
    case 1: return call_login(a);
    case 2: return call_context_login(a);
    case 3: return call_logout(a);
    case 4: return call_request_batch(a);
    case 5: return call_revoke_batch(a);
    case 6: return call_list_batches(a);
    case 7: return call_login_user(a);
    case 8: return call_time(a);
    case 9: return call_failure(a);
    case 10: return call_forget(a);
    default: return call_close_all(a);
    }
}

static CK_RV calls_dispatch(struct arguments *a, uint8_t which)
{
    if (which < CALLS_OF_OPERATIONS)
        return calls_operation(a, which);
    which -= CALLS_OF_OPERATIONS;
    return which < CALLS_OF_OBJECTS ? calls_object(a, which) : calls_other(a, which - CALLS_OF_OBJECTS);
}

void calls_make(struct fuzz_input *input, bool nested)
{
    struct arguments a = {.input = input};
    const uint8_t which = fuzz_byte(input) % 54;

    if (which == 52) {
        (void)call_open(&a);
    } else if (which == 53) {
        if (!nested) {
            calls_end();
            calls_begin();
        }
    } else {
        a.session = take_session(input);
        CK_RV rv;

        judge_call_begin(token_session_serial(a.session));
        rv = calls_dispatch(&a, which);
        if (getenv("PINWARD_FUZZ_TRACE"))
            fprintf(stderr, "%scall %u: number %u, session %lu: 0x%lx; made %lu\n", nested ? "  " : "", judge_call(), which,
                    a.session, rv, application.made);
        require_nothing_secret(&a);
        judge_call_end();
    }
    if (!nested)
        token_check();
}

void calls_begin(void)
{
    struct fuzz_input nothing = {0};
    struct arguments a = {.input = &nothing};
    CK_C_INITIALIZE_ARGS args = {.flags = CKF_OS_LOCKING_OK};

    memset(application.sessions, 0, sizeof application.sessions);
    application.next_session = 0;
    application.made = 0;
    fuzz_require(p11->C_Initialize(&args) == CKR_OK, "the module begins");
    for (int i = 0; i < 2; i++)
        (void)call_open(&a);
}

void calls_end(void)
{
    judge_call_begin(0);
    (void)p11->C_Finalize(NULL);
    judge_call_end();
    judge_logged_out();
}
