/* What the ledger says of logins and of questions that were not put: who answered, and whether anybody was asked. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/fixture.h"
#include "support/keys.h"
#include "support/lacks.h"
#include "support/pinentry_script.h"
#include "support/test.h"
#include "support/use.h"

#define RIGHT     "pin " FIXTURE_PIN "\n"
#define WRONG_PIN "271828-wrong"
#define LEDGER    "state/pinward/ledger.jsonl"

static struct fixture fx;

static void begin(const char *lines)
{
    folder_unlink(fx.folder, LEDGER);
    folder_unlink(fx.folder, LEDGER ".head");
    folder_unlink(fx.folder, "state/pinward/cool-down");
    fixture_start(&fx, lines);
}

static int stop(void **state)
{
    (void)state;
    fixture_stop(&fx);
    return 0;
}

/* The ledger has so many lines, and the last says this. */
static void told(unsigned lines, const char *operation, const char *verdict, const char *how, CK_RV rv)
{
    char *ledger = folder_read(fx.folder, LEDGER);
    char expected[256];
    unsigned count = 0;
    char *last = ledger;

    for (char *c = ledger; *c; c++)
        if (*c == '\n' && ++count < lines)
            last = c + 1;
    assert_int_equal(count, lines);
    snprintf(expected, sizeof expected, "\"operation\":\"%s\",", operation);
    assert_contains(last, expected);
    snprintf(expected, sizeof expected, "\"verdict\":\"%s\",\"how\":\"%s\",\"rv\":\"0x%08lx\",", verdict, how, rv);
    assert_contains(last, expected);
    assert_not_contains(ledger, FIXTURE_PIN);
    assert_not_contains(ledger, WRONG_PIN);
    free(ledger);
}

static void applications_login_is_told(void **state)
{
    (void)state;
    begin("");
    assert_rv(fixture_login(&fx, WRONG_PIN), CKR_PIN_INCORRECT);
    told(1, "login", "denied", "application's PIN", CKR_PIN_INCORRECT);
    assert_ok(fixture_login(&fx, FIXTURE_PIN));
    told(2, "login", "allowed", "application's PIN", CKR_OK);
    assert_rv(fixture_login(&fx, FIXTURE_PIN), CKR_USER_ALREADY_LOGGED_IN);
    told(2, "login", "allowed", "application's PIN", CKR_OK);
}

static void begin_with_an_officer(const char *name)
{
    begin("");
    lacks_security_officer(&fx, name);
    fixture_stop(&fx);
    begin("");
}

static void officers_login_is_told(void **state)
{
    (void)state;
    begin_with_an_officer(__func__);
    assert_ok(fx.p11->C_Login(fx.session, CKU_SO, (CK_BYTE_PTR)FIXTURE_SO_PIN, strlen(FIXTURE_SO_PIN)));
    told(1, "SO login", "allowed", "application's PIN", CKR_OK);
}

/* prompt = application: a PIN that comes before a single call, and is wrong. */
static void wrong_presented_pin_is_told(void **state)
{
    (void)state;
    begin("prompt = application\n");
    assert_ok(fixture_login(&fx, FIXTURE_PIN));
    assert_rv(fx.p11->C_Login(fx.session, CKU_CONTEXT_SPECIFIC, (CK_BYTE_PTR)WRONG_PIN, strlen(WRONG_PIN)),
              CKR_PIN_INCORRECT);
    told(2, "context login", "denied", "application's PIN", CKR_PIN_INCORRECT);
}

/* "asked" stands only where somebody was. */
static void cool_down_is_told(void **state)
{
    CK_OBJECT_HANDLE key;
    struct use_result signature;

    (void)state;
    begin("");
    assert_ok(fixture_login(&fx, FIXTURE_PIN));
    key = key_private(fx.p11, fx.session, KEY_PLAIN_RSA);
    for (unsigned i = 0; i < 2; i++) {
        script_set(&fx, "timeout\n");
        assert_rv(use_sign(&fx, fx.session, key, &signature), CKR_FUNCTION_REJECTED);
        told(2 + i, "sign", "denied", "asked", CKR_FUNCTION_REJECTED);
    }
    script_set(&fx, RIGHT);
    assert_rv(use_sign(&fx, fx.session, key, &signature), CKR_FUNCTION_REJECTED);
    told(4, "sign", "denied", "cool-down", CKR_FUNCTION_REJECTED);
    assert_ok(fx.p11->C_Logout(fx.session));
    assert_rv(fx.p11->C_Login(fx.session, CKU_USER, NULL, 0), CKR_FUNCTION_REJECTED);
    told(5, "login", "denied", "cool-down", CKR_FUNCTION_REJECTED);
    assert_int_equal(script_asked(&fx), 0);
}

static void locked_pin_is_told(void **state)
{
    (void)state;
    begin("pin-tries = 1\n");
    script_set(&fx, "ok\n"); /* the only try is the last: the user agrees to it */
    assert_rv(fixture_login(&fx, WRONG_PIN), CKR_PIN_INCORRECT);
    script_set(&fx, RIGHT);
    assert_rv(fx.p11->C_Login(fx.session, CKU_USER, NULL, 0), CKR_PIN_LOCKED);
    told(2, "login", "denied", "PIN locked", CKR_PIN_LOCKED);
    assert_int_equal(script_asked(&fx), 0);
    fixture_stop(&fx);
    fixture_start(&fx, "");
    assert_ok(fixture_login(&fx, FIXTURE_PIN)); /* which takes the count back */
}

/* 2.40, 5.6, C_Login: the security officer is not asked for a PIN that would be refused. */
static void officer_is_not_asked_in_vain(void **state)
{
    CK_SESSION_HANDLE read_only;

    (void)state;
    begin_with_an_officer(__func__);
    script_set(&fx, "pin " FIXTURE_SO_PIN "\n");
    assert_ok(fx.p11->C_OpenSession(fx.slot, CKF_SERIAL_SESSION, NULL, NULL, &read_only));
    assert_rv(fx.p11->C_Login(fx.session, CKU_SO, NULL, 0), CKR_SESSION_READ_ONLY_EXISTS);
    assert_rv(fx.p11->C_Login(read_only, CKU_SO, NULL, 0), CKR_SESSION_READ_ONLY_EXISTS);
    assert_int_equal(script_asked(&fx), 0);
    assert_ok(fx.p11->C_CloseSession(read_only));
    assert_ok(fx.p11->C_Login(fx.session, CKU_SO, NULL, 0));
    assert_int_equal(script_asked(&fx), 1);
    told(1, "SO login", "allowed", "asked", CKR_OK);
}

static int begin_group(void **state)
{
    (void)state;
    fixture_begin(&fx, KEYS_PLAIN_RSA);
    return 0;
}

static int end_group(void **state)
{
    (void)state;
    fixture_end(&fx);
    return 0;
}

#define TEST(f) cmocka_unit_test_teardown(f, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(applications_login_is_told), TEST(officers_login_is_told), TEST(wrong_presented_pin_is_told),
        TEST(cool_down_is_told),          TEST(locked_pin_is_told),     TEST(officer_is_not_asked_in_vain),
    };

    return cmocka_run_group_tests(tests, begin_group, end_group);
}
