/* Two threads with one session: what one has taken, and comes back to late, is over, and another operation stands in its
 * place. The module's own code, so that a thread can be stopped between any two steps of a call; on the backend that records.
 */
#include <string.h>

#include "pkcs11-module/dispatch.h"
#include "pkcs11-module/gate.h"
#include "pkcs11-module/runtime.h"
#include "support/mock.h"
#include "support/pinentry_script.h"
#include "support/test.h"

enum object { FIRST = 1, SECOND };

static struct fixture fx;
static CK_FUNCTION_LIST *loaded; /* the module's as a program loads it */
static struct mock_backend *mock;
static CK_MECHANISM rsa = {CKM_RSA_PKCS, NULL, 0};

static int start(void **state)
{
    (void)state;
    mock = mock_reset();
    mock->reuses_sessions = true; /* the session beside gets the number that the one before had */
    for (enum object key = FIRST; key <= SECOND; key++)
        mock->objects[key] =
            (struct mock_object){.exists = true, .object_class = CKO_PRIVATE_KEY, .key_type = CKK_GOSTR3410};
    mock_start(&fx, "level = medium\n");
    assert_ok(fixture_login(&fx, FIXTURE_PIN));
    return 0;
}

static int stop(void **state)
{
    (void)state;
    fixture_stop(&fx);
    return 0;
}

static CK_RV sign(const char *data)
{
    CK_BYTE signature[64];
    CK_ULONG len = sizeof signature;

    return fx.p11->C_Sign(fx.session, (CK_BYTE_PTR)data, strlen(data), signature, &len);
}

/* A consent that a buffer that was too small has left. */
static void sign_in_vain(const char *data)
{
    mock->answers[CALL_C_Sign] = CKR_BUFFER_TOO_SMALL;
    assert_rv(sign(data), CKR_BUFFER_TOO_SMALL);
    mock->answers[CALL_C_Sign] = CKR_OK;
}

/* The late thread asks for nothing: its window would name the first key, and the second would be used. */
static void late_thread_asks_for_nothing(void **state)
{
    struct gate_turn late;
    CK_RV rv;

    (void)state;
    script_set(&fx, "ok\nok\n");
    assert_ok(fx.p11->C_SignInit(fx.session, &rsa, FIRST));
    assert_ok(gate_take(runtime_get(), fx.session, OPERATION_SIGN, &late));
    assert_ok(sign("data"));
    assert_ok(fx.p11->C_SignInit(fx.session, &rsa, SECOND));
    rv = gate_agree(&late, "data", 4, true);
    gate_leave(&late, true);
    assert_rv(rv, CKR_USER_NOT_LOGGED_IN);
    assert_int_equal(script_asked(&fx), 1);
    assert_ok(sign("data")); /* the second one is still there, and asks for itself */
    assert_int_equal(script_asked(&fx), 1);
}

/* The consent to the second operation is not for the data of the first. */
static void late_thread_finds_no_consent(void **state)
{
    struct gate_turn late;
    CK_RV rv;

    (void)state;
    script_set(&fx, "ok\nok\n");
    assert_ok(fx.p11->C_SignInit(fx.session, &rsa, FIRST));
    sign_in_vain("data");
    assert_ok(gate_take(runtime_get(), fx.session, OPERATION_SIGN, &late));
    assert_ok(gate_agree(&late, "data", 4, true));
    assert_ok(sign("data"));
    assert_ok(fx.p11->C_SignInit(fx.session, &rsa, SECOND));
    sign_in_vain("other");
    rv = gate_enter(&late);
    gate_leave(&late, true);
    assert_rv(rv, CKR_USER_NOT_LOGGED_IN);
    assert_ok(sign("other"));
    assert_int_equal(script_asked(&fx), 2);
}

static int begin(void **state)
{
    (void)state;
    fixture_begin_bare(&fx);
    loaded = fx.p11;
    fx.p11 = &dispatch_list;
    return 0;
}

static int end(void **state)
{
    (void)state;
    fx.p11 = loaded;
    fixture_end(&fx);
    return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(late_thread_asks_for_nothing),
        TEST(late_thread_finds_no_consent),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
