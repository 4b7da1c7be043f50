/* A new PIN that the module asks for is one that is not guessed at once: refused ones are explained and asked again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/fixture.h"
#include "support/isolated.h"
#include "support/lacks.h"
#include "support/pinentry_script.h"
#include "support/test.h"

#define RIGHT    "pin " FIXTURE_PIN "\n"
#define GOOD_PIN "84-Linden 5%+"
#define GOOD     "repeat " GOOD_PIN "\n"

static struct fixture fx;

static int stop(void **state)
{
    (void)state;
    fixture_stop(&fx);
    return 0;
}

static CK_RV set_pin(void)
{
    return fx.p11->C_SetPIN(fx.session, NULL, 0, NULL, 0);
}

static void set_back(void)
{
    assert_ok(fx.p11->C_SetPIN(fx.session, (CK_BYTE_PTR)GOOD_PIN, strlen(GOOD_PIN), (CK_BYTE_PTR)FIXTURE_PIN,
                               strlen(FIXTURE_PIN)));
}

/* Each is refused with its reason in the next question, and none reaches the token. */
static void weak_pins_are_explained(void **state)
{
    static const struct {
        const char *pin;
        const char *reason;
    } table[] = {
        {"7391", "The PIN is too short: it needs 6 characters."},
        {"777777", "The PIN repeats itself."},
        {"abcdefg", "The PIN is a row like 123456."},
        {"test TOKEN1", "The PIN is the token's label."},
        {FIXTURE_PIN, "That is the present PIN."},
    };

    (void)state;
    fixture_start_logged_in(&fx, "");
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        char answers[256];
        char *questions;

        snprintf(answers, sizeof answers, "%srepeat %s\n%s", RIGHT, table[i].pin, GOOD);
        script_set(&fx, answers);
        assert_ok(set_pin());
        assert_true(script_used_up(&fx));
        questions = script_questions(&fx);
        assert_contains(questions, "It needs 6 characters or more.");
        assert_contains(questions, table[i].reason);
        assert_not_contains(questions, GOOD_PIN);
        free(questions);
        set_back();
    }
}

static void weak_pins_are_refused_in_the_end(void **state)
{
    char *log;

    (void)state;
    fixture_start_logged_in(&fx, "");
    script_set(&fx, RIGHT "repeat 111111\nrepeat 222222\nrepeat 333333\nrepeat 444444\nrepeat 555555\n" GOOD);
    assert_rv(set_pin(), CKR_PIN_INVALID);
    assert_int_equal(script_asked(&fx), 6);
    log = fixture_log(&fx);
    assert_contains(log, "too easy to guess");
    assert_not_contains(log, "111111");
    free(log);
    assert_ok(fx.p11->C_Logout(fx.session));
    assert_ok(fixture_login(&fx, FIXTURE_PIN)); /* it is as before */
}

/* Of the first PIN of a user, and of a security officer. */
static void every_new_pin_is_judged(void **state)
{
    CK_UTF8CHAR label[33] = "Another token                   ";
    CK_ULONG count = 8;
    CK_SLOT_ID slots[8];

    (void)state;
    fixture_start(&fx, "");
    lacks_security_officer(&fx, __func__);
    lacks_empty_slot(&fx, __func__);
    assert_ok(fx.p11->C_Login(fx.session, CKU_SO, (CK_BYTE_PTR)FIXTURE_SO_PIN, strlen(FIXTURE_SO_PIN)));
    script_set(&fx, "repeat 654321\nrepeat " FIXTURE_PIN "\n");
    assert_ok(fx.p11->C_InitPIN(fx.session, NULL, 0));
    assert_int_equal(script_asked(&fx), 2);
    isolated_lacks(__func__, "p11-kit's protocol loses the label of a token whose PIN is asked for");
    assert_ok(fx.p11->C_GetSlotList(CK_TRUE, slots, &count));
    script_set(&fx, "repeat 121212\nrepeat " FIXTURE_SO_PIN "\n");
    assert_ok(fx.p11->C_InitToken(slots[count - 1], NULL, 0, label));
    assert_int_equal(script_asked(&fx), 2);
}

/* The configured minimum; less than the token's own is the token's own. */
static void minimum_is_configured(void **state)
{
    CK_TOKEN_INFO info;

    (void)state;
    fixture_start_logged_in(&fx, "pin-min-length = 12\n");
    script_set(&fx, RIGHT "repeat 84-Linden-5\n" GOOD);
    assert_ok(set_pin());
    assert_true(script_used_up(&fx));
    set_back();
    fixture_stop(&fx);
    fixture_start_logged_in(&fx, "pin-min-length = 0\n");
    assert_ok(fx.p11->C_GetTokenInfo(fx.slot, &info));
    if (info.ulMinPinLen != 4)
        lacks_skip(__func__, "the token's own minimum is %lu", info.ulMinPinLen);
    script_set(&fx, RIGHT "repeat 739\n" GOOD);
    assert_ok(set_pin());
    assert_true(script_used_up(&fx));
    set_back();
}

/* A pinentry with a bar asks for each new PIN, and only for those, how good it is. */
static void bar_is_answered(void **state)
{
    char *questions;

    (void)state;
    fixture_start_logged_in(&fx, "");
    script_set(&fx, RIGHT "repeat 123456\n" GOOD);
    assert_ok(set_pin());
    questions = script_questions(&fx);
    assert_contains(questions, "  QUALITY_BAR Quality:\n");
    assert_contains(questions, "  QUALITY -");
    assert_contains(questions, "  QUALITY 100\n");
    assert_true(strstr(questions, "QUALITY_BAR") > strstr(questions + 1, "GETPIN"));
    free(questions);
    set_back();
}

/* What an application brings is the token's affair. */
static void applications_pin_is_not_judged(void **state)
{
    (void)state;
    fixture_start_logged_in(&fx, "");
    assert_ok(fx.p11->C_SetPIN(fx.session, (CK_BYTE_PTR)FIXTURE_PIN, strlen(FIXTURE_PIN), (CK_BYTE_PTR) "111111", 6));
    assert_ok(fx.p11->C_SetPIN(fx.session, (CK_BYTE_PTR) "111111", 6, (CK_BYTE_PTR)FIXTURE_PIN, strlen(FIXTURE_PIN)));
}

static int begin(void **state)
{
    (void)state;
    fixture_begin(&fx, 0);
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
        TEST(weak_pins_are_explained), TEST(weak_pins_are_refused_in_the_end), TEST(every_new_pin_is_judged),
        TEST(minimum_is_configured),   TEST(bar_is_answered),                  TEST(applications_pin_is_not_judged),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
