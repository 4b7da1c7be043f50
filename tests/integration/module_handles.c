/* Session handles that belong to somebody else: the gate's own sessions, whose numbers a program can guess,
 * and numbers that a backend gives again. Nobody gets anything through them. */
#include <string.h>

#include "pkcs11-module/dispatch.h"
#include "support/mock.h"
#include "support/p11_make.h"
#include "support/pinentry_script.h"
#include "support/test.h"
#include "support/use.h"

enum object { SECRET = 1, PRIVATE };

static struct fixture fx;
static struct mock_backend *mock;
static CK_MECHANISM rsa = {CKM_RSA_PKCS, NULL, 0};

static int stop(void **state)
{
    (void)state;
    fixture_stop(&fx);
    return 0;
}

static void start_mock(const char *lines)
{
    mock = mock_reset();
    mock->objects[SECRET] = (struct mock_object){.exists = true, .object_class = CKO_SECRET_KEY};
    mock->objects[PRIVATE] =
        (struct mock_object){.exists = true, .object_class = CKO_PRIVATE_KEY, .key_type = CKK_GOSTR3410};
    mock->reuses_sessions = true;
    mock_start(&fx, lines);
    assert_ok(fixture_login(&fx, FIXTURE_PIN));
    script_set(&fx, "");
}

static bool is_pass(const char *access)
{
    return strcmp(access, "pass") == 0;
}

static bool only_looks(enum p11_call call)
{
    return call == CALL_C_GetAttributeValue || call == CALL_C_FindObjectsInit || call == CALL_C_FindObjects;
}

/* The session beside the application's, on which a protected operation runs: with its number, guessed, no
 * function that Pinward gates or refuses can be called, nor one of its own that does more than look. (Those
 * that are passed on are not about private keys, and cost one read: dispatch.h.) */
static void sessions_beside_cannot_be_reached(void **state)
{
#define X(name, access) {CALL_##name, #access},
    static const struct {
        enum p11_call call;
        const char *access;
    } rows[] = {DISPATCH_ROWS(X)};
#undef X
    uintptr_t v[P11_CALL_PARAMETERS_MAX] = {0};
    unsigned tried = 0;

    (void)state;
    start_mock("");
    assert_ok(fx.p11->C_SignInit(fx.session, &rsa, PRIVATE));
    v[0] = mock->arguments[CALL_C_SignInit][0];
    assert_int_not_equal(v[0], fx.session);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const enum p11_call call = rows[i].call;
        unsigned before;

        if (call < CALL_C_InitPIN || call == CALL_C_OpenSession || call == CALL_C_CloseAllSessions ||
            only_looks(call) || is_pass(rows[i].access))
            continue;
        before = mock->calls[call];
        for (size_t n = 1; n < P11_CALL_PARAMETERS_MAX; n++)
            v[n] = (uintptr_t)&rsa;
        v[2] = call == CALL_C_SignInit || call == CALL_C_SignRecoverInit || call == CALL_C_DecryptInit ||
                       call == CALL_C_EncryptInit
                   ? PRIVATE
                   : v[2];
        if (call == CALL_C_Login)
            v[1] = CKU_USER;
        if (call == CALL_C_CreateObject || call == CALL_C_CopyObject || call == CALL_C_SetAttributeValue ||
            call == CALL_C_UnwrapKey || call == CALL_C_DeriveKey || call == CALL_C_GenerateKeyPair ||
            call == CALL_C_SetPIN || call == CALL_C_InitPIN)
            memset(v + 2, 0, sizeof v - 2 * sizeof *v);
        if (call == CALL_C_UnwrapKey)
            v[3] = v[7] = (uintptr_t)&rsa;
        if (p11_makers[call].make(fx.p11, v) != CKR_SESSION_HANDLE_INVALID)
            fail_msg("%s can be called with it", p11_makers[call].name);
        assert_int_equal(mock->calls[call], before);
        tried++;
    }
    assert_in_range(tried, 30, P11_CALL_COUNT);
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

/* The number of a session that was closed with an operation waiting in it. */
static void number_of_a_closed_session_comes_again(void **state)
{
    CK_SESSION_HANDLE session, again;

    (void)state;
    start_mock("level = medium\n");
    script_set(&fx, "ok\n");
    session = fixture_session(&fx);
    assert_ok(fx.p11->C_SignInit(session, &rsa, PRIVATE));
    assert_ok(fx.p11->C_SignUpdate(session, (CK_BYTE_PTR) "data", 4));
    assert_ok(fx.p11->C_CloseSession(session));
    again = fixture_session(&fx);
    assert_int_equal(again, session);
    assert_rv(use_sign_data(&fx, again, &(struct use_result){.len = 0}), CKR_OPERATION_NOT_INITIALIZED);
    assert_int_equal(mock->calls[CALL_C_Sign] + mock->calls[CALL_C_SignFinal], 0);
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
        TEST(number_of_a_session_beside_comes_again),
        TEST(number_of_a_closed_session_comes_again),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
