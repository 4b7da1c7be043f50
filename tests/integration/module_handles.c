/* Session handles that belong to somebody else: the gate's own sessions, whose numbers a program can guess,
 * and numbers that a backend gives again. Nobody gets anything through them. */
#include <pthread.h>
#include <string.h>

#include "support/mock.h"
#include "support/p11_make.h"
#include "support/p11_v3.h"
#include "support/pinentry_script.h"
#include "support/test.h"
#include "support/use.h"

enum object { SECRET = 1, PRIVATE };

static struct fixture fx;
static struct mock_backend *mock;
static bool backend_has_3;
static CK_MECHANISM rsa = {CKM_RSA_PKCS, NULL, 0};

static int stop(void **state)
{
    (void)state;
    fixture_stop(&fx);
    backend_has_3 = false;
    return 0;
}

static void start_mock(const char *lines)
{
    mock = mock_reset();
    mock->objects[SECRET] = (struct mock_object){.exists = true, .object_class = CKO_SECRET_KEY};
    mock->objects[PRIVATE] =
        (struct mock_object){.exists = true, .object_class = CKO_PRIVATE_KEY, .key_type = CKK_GOSTR3410};
    mock->reuses_sessions = true;
    mock->version_3 = (CK_VERSION){backend_has_3 ? 3 : 0, 0};
    mock_start(&fx, lines);
    assert_ok(fixture_login(&fx, FIXTURE_PIN));
    script_set(&fx, "");
}

/* Arguments for a guess: handles and numbers that lead as far as a call can get without a session of its own. */
static void guess(enum p11_call call, uintptr_t v[P11_CALL_PARAMETERS_MAX])
{
    for (size_t n = 1; n < P11_CALL_PARAMETERS_MAX; n++)
        v[n] = (uintptr_t)&rsa;
    v[2] = call == CALL_C_SignInit || call == CALL_C_SignRecoverInit || call == CALL_C_DecryptInit ||
                   call == CALL_C_EncryptInit
               ? PRIVATE
               : v[2];
    if (call == CALL_C_Login || call == CALL_C_LoginUser)
        v[1] = CKU_USER;
    if (call == CALL_C_CreateObject || call == CALL_C_CopyObject || call == CALL_C_SetAttributeValue ||
        call == CALL_C_UnwrapKey || call == CALL_C_DeriveKey || call == CALL_C_GenerateKeyPair ||
        call == CALL_C_GetAttributeValue || call == CALL_C_SetPIN || call == CALL_C_InitPIN)
        memset(v + 2, 0, (P11_CALL_PARAMETERS_MAX - 2) * sizeof *v);
    if (call == CALL_C_CopyObject)
        v[4] = (uintptr_t)&rsa;
    if (call == CALL_C_UnwrapKey) {
        v[3] = v[7] = (uintptr_t)&rsa;
        v[4] = 1;
    }
}

static bool takes_a_session(enum p11_call call)
{
    return call >= CALL_C_InitPIN && call != CALL_C_OpenSession && call != CALL_C_CloseAllSessions &&
           call != CALL_C_WaitForSlotEvent && call != CALL_C_GetInterfaceList && call != CALL_C_GetInterface;
}

/* The session beside the application's, on which a protected operation runs: with its number, guessed, no function
 * reaches it, whatever its row. */
static void sessions_beside_cannot_be_reached(void **state)
{
    CK_FUNCTION_LIST_3_0 *v3 = p11_v3_functions(&fx);
    uintptr_t v[P11_CALL_PARAMETERS_MAX] = {0};
    unsigned tried = 0;

    (void)state;
    backend_has_3 = true;
    start_mock("");
    assert_ok(fx.p11->C_SignInit(fx.session, &rsa, PRIVATE));
    v[0] = mock->arguments[CALL_C_SignInit][0];
    assert_int_not_equal(v[0], fx.session);
    for (enum p11_call call = 0; call < P11_CALL_COUNT_3_0; call++) {
        const unsigned before = mock->calls[call];

        if (!takes_a_session(call))
            continue;
        guess(call, v);
        if (p11_makers_3_0[call].make(v3, v) != CKR_SESSION_HANDLE_INVALID)
            fail_msg("%s can be called with it", p11_makers_3_0[call].name);
        assert_int_equal(mock->calls[call], before);
        tried++;
    }
    assert_int_equal(tried, P11_CALL_COUNT_3_0 - 15);
}

/* What C_GetOperationState saves is the state of the application's own session, where no protected operation runs. */
static void saved_state_holds_no_protected_operation(void **state)
{
    CK_BYTE saved[64];
    CK_ULONG saved_len = sizeof saved;

    (void)state;
    start_mock("");
    assert_ok(fx.p11->C_SignInit(fx.session, &rsa, PRIVATE));
    mock->answers[CALL_C_GetOperationState] = CKR_OPERATION_NOT_INITIALIZED;
    assert_rv(fx.p11->C_GetOperationState(fx.session, saved, &saved_len), CKR_OPERATION_NOT_INITIALIZED);
    assert_int_equal(mock->calls[CALL_C_GetOperationState], 1);
    assert_int_equal(mock->arguments[CALL_C_GetOperationState][0], fx.session);
    assert_int_not_equal(mock->arguments[CALL_C_SignInit][0], fx.session);
}

/* A number that was a session's beside becomes an application's: it is one, and nothing of the other's is
 * left. */
static void number_of_a_session_beside_comes_again(void **state)
{
    CK_SESSION_HANDLE beside, again;

    (void)state;
    start_mock("level = medium\n");
    script_set(&fx, "ok\nok\n");
    assert_ok(fx.p11->C_SignInit(fx.session, &rsa, PRIVATE));
    beside = mock->arguments[CALL_C_SignInit][0];
    assert_ok(use_sign_data(&fx, fx.session, &(struct use_result){.len = 0}));
    again = fixture_session(&fx);
    assert_int_equal(again, beside);
    assert_rv(use_sign_data(&fx, again, &(struct use_result){.len = 0}), CKR_OPERATION_NOT_INITIALIZED);
    assert_ok(fx.p11->C_SignInit(again, &rsa, PRIVATE));
    assert_ok(use_sign_data(&fx, again, &(struct use_result){.len = 0}));
    assert_int_equal(script_asked(&fx), 2);
}

/* The number of a session that was closed with an operation waiting in it, which is closed with it: with its last session
 * the application is logged out (2.40, 5.6), and what the gate has beside it must not stand in the way. */
static void number_of_a_closed_session_comes_again(void **state)
{
    CK_SESSION_HANDLE session, beside, again;

    (void)state;
    start_mock("level = medium\n");
    script_set(&fx, "ok\n");
    session = fixture_session(&fx);
    assert_ok(fx.p11->C_SignInit(session, &rsa, PRIVATE));
    beside = mock->arguments[CALL_C_SignInit][0];
    assert_in_range(beside, 1, MOCK_SESSIONS - 1);
    assert_ok(fx.p11->C_SignUpdate(session, (CK_BYTE_PTR) "data", 4));
    assert_true(mock->session_open[beside]);
    assert_ok(fx.p11->C_CloseSession(session));
    assert_false(mock->session_open[beside]);
    again = fixture_session(&fx);
    assert_int_equal(again, session);
    assert_rv(use_sign_data(&fx, again, &(struct use_result){.len = 0}), CKR_OPERATION_NOT_INITIALIZED);
    assert_int_equal(mock->calls[CALL_C_Sign] + mock->calls[CALL_C_SignFinal], 0);
}

static void *begin_and_end_operations(void *data)
{
    CK_RV *rv = data;

    for (int n = 0; n < 5 && *rv == CKR_OK; n++) {
        const CK_SESSION_HANDLE session = fixture_session(&fx);

        *rv = fx.p11->C_SignInit(session, &rsa, PRIVATE);
        if (*rv == CKR_OK)
            *rv = fx.p11->C_CloseSession(session);
    }
    return NULL;
}

/* tpm2-pkcs11 gives one number to two threads that open a session at once. Most sessions are the gate's own, and would be
 * what brings that about. */
static void sessions_are_opened_and_closed_one_at_a_time(void **state)
{
    pthread_t threads[3];
    CK_RV rvs[3] = {CKR_OK, CKR_OK, CKR_OK};

    (void)state;
    start_mock("");
    mock->delay_ms[CALL_C_OpenSession] = mock->delay_ms[CALL_C_CloseSession] = 2;
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, begin_and_end_operations, &rvs[i]), 0);
    for (size_t i = 0; i < 3; i++) {
        pthread_join(threads[i], NULL);
        assert_rv(rvs[i], CKR_OK);
    }
    assert_in_range(mock->calls[CALL_C_OpenSession], 30, 40);
    assert_int_equal(mock->inside_most, 1);
}

static int begin(void **state)
{
    (void)state;
    fixture_begin_bare(&fx);
    return 0;
}

static int end(void **state)
{
    (void)state;
    fixture_end(&fx);
    return 0;
}

#define TEST(f) cmocka_unit_test_teardown(f, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(sessions_beside_cannot_be_reached),
        TEST(saved_state_holds_no_protected_operation),
        TEST(number_of_a_session_beside_comes_again),
        TEST(number_of_a_closed_session_comes_again),
        TEST(sessions_are_opened_and_closed_one_at_a_time),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
