/* Whatever pinentry does, the use is denied with a clear answer, in time, and nothing is left behind in the
 * host. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/fixture.h"
#include "support/keys.h"
#include "support/pinentry_script.h"
#include "support/process_state.h"
#include "support/test.h"
#include "support/use.h"

#define RIGHT "pin " FIXTURE_PIN "\n"

static struct fixture fx;

static int stop(void **state)
{
    (void)state;
    fixture_stop(&fx);
    return 0;
}

/* One signature that must fail with rv and a line in the log, leaving no descriptor and no child behind. */
static void expect_denied(const char *answers, CK_RV expected, const char *line, int64_t at_most_ms)
{
    const CK_OBJECT_HANDLE key = key_private(fx.p11, fx.session, KEY_HIGH_RSA);
    const int descriptors = process_descriptors();
    const int64_t start_ms = process_now_ms();
    struct use_result signature;
    char *log;

    fixture_log_forget(&fx);
    script_set(&fx, answers);
    assert_rv(use_sign(&fx, fx.session, key, &signature), expected);
    assert_true(process_now_ms() - start_ms < at_most_ms);
    assert_true(use_result_is_untouched(&signature));
    assert_int_equal(process_descriptors(), descriptors);
    assert_false(process_has_child());
    log = fixture_log(&fx);
    assert_contains(log, line);
    assert_contains(log, "denied");
    free(log);

    script_set(&fx, RIGHT);
    assert_rv(use_sign_data(&fx, fx.session, &signature), CKR_OPERATION_NOT_INITIALIZED);
}

/* The next use is not harmed. */
static void expect_still_works(void)
{
    struct use_result signature;

    script_set(&fx, RIGHT);
    assert_ok(use_sign(&fx, fx.session, key_private(fx.p11, fx.session, KEY_HIGH_RSA), &signature));
    assert_true(use_signature_is_good(&fx, KEY_HIGH_RSA, &signature));
    assert_false(process_has_child());
}

static void no_answer_in_time(void **state)
{
    (void)state;
    fixture_start_logged_in(&fx, "prompt-timeout = 1s\n");
    expect_denied("hang\n", CKR_FUNCTION_REJECTED, "no answer in time", 3500);
    expect_still_works();
}

static void pinentry_says_timeout(void **state)
{
    (void)state;
    fixture_start_logged_in(&fx, "");
    expect_denied("timeout\n", CKR_FUNCTION_REJECTED, "no answer in time", 3500);
    expect_still_works();
}

static void pinentry_dies(void **state)
{
    (void)state;
    fixture_start_logged_in(&fx, "");
    expect_denied("die\n", CKR_FUNCTION_FAILED, "could not be asked for", 3500);
    expect_still_works();
}

static void pinentry_talks_garbage(void **state)
{
    (void)state;
    fixture_start_logged_in(&fx, "");
    expect_denied("garbage\n", CKR_FUNCTION_FAILED, "could not be asked for", 3500);
    expect_still_works();
}

static void pinentry_floods(void **state)
{
    (void)state;
    fixture_start_logged_in(&fx, "");
    expect_denied("flood\n", CKR_FUNCTION_FAILED, "longer than any PIN", 20000);
    expect_still_works();
}

static void user_cancels(void **state)
{
    (void)state;
    fixture_start_logged_in(&fx, "");
    expect_denied("cancel\n", CKR_FUNCTION_CANCELED, "Cancel", 3500);
    expect_still_works();
}

/* ------------------------------------------------------------------ programs that are no pinentry */

/* Configures a program in place of the scripted pinentry. */
static void start_with_program(const char *program)
{
    char *config;
    char *at;
    char text[4096];

    fixture_configure(&fx, "prompt-timeout = 2s\n");
    config = folder_read(fx.folder, "pinward.conf");
    at = strstr(config, "pinentry = ");
    *at = '\0';
    snprintf(text, sizeof text, "%spinentry = %s\nprompt-timeout = 2s\n", config, program);
    free(config);
    folder_write(fx.folder, "pinward.conf", text);
    assert_ok(fx.p11->C_Initialize(NULL));
    fx.session = fixture_session(&fx);
    assert_ok(fixture_login(&fx, FIXTURE_PIN));
}

static void program_is_missing(void **state)
{
    (void)state;
    start_with_program("/nonexistent/pinentry");
    expect_denied("", CKR_FUNCTION_FAILED, "/nonexistent/pinentry does not start", 3500);
}

static void program_is_a_folder(void **state)
{
    (void)state;
    start_with_program("/tmp");
    expect_denied("", CKR_FUNCTION_FAILED, "/tmp does not start", 3500);
}

static void program_leaves_at_once(void **state)
{
    (void)state;
    start_with_program("/bin/true");
    expect_denied("", CKR_FUNCTION_FAILED, "/bin/true failed", 3500);
}

/* It says nothing, echoes what it is told, and never leaves by itself. */
static void program_echoes(void **state)
{
    (void)state;
    start_with_program("/bin/cat");
    expect_denied("", CKR_FUNCTION_REJECTED, "no answer in time", 6000);
}

static void login_without_pinentry_fails(void **state)
{
    (void)state;
    start_with_program("/nonexistent/pinentry");
    assert_ok(fx.p11->C_Logout(fx.session));
    assert_rv(fx.p11->C_Login(fx.session, CKU_USER, NULL, 0), CKR_FUNCTION_FAILED);
}

/* ------------------------------------------------------------------ PINs that need escaping */

static void change_pin(const char *from, const char *to)
{
    assert_ok(fx.p11->C_SetPIN(fx.session, (CK_BYTE_PTR)from, strlen(from), (CK_BYTE_PTR)to, strlen(to)));
}

/* The PIN reaches the backend byte by byte: percent signs are Assuan's own escape, UTF-8 is two bytes and
 * more, a blank at the end is part of it. */
static void pin_with_special_characters(void **state)
{
    static const char *const pins[] = {
        "50%25 100% %0A", "\xc3\xa9\xe5\xaf\x86\xe7\xa2\xbc-\xf0\x9f\x94\x91", "a b\\\"' c ",
        "0123456789012345678901234567890123456789012345678901234567890123456789"};
    CK_OBJECT_HANDLE key;

    (void)state;
    fixture_start_logged_in(&fx, "");
    for (size_t i = 0; i < sizeof pins / sizeof pins[0]; i++) {
        struct use_result signature;
        char answers[256];

        change_pin(FIXTURE_PIN, pins[i]);
        snprintf(answers, sizeof answers, "pin %s\npin %s\n", pins[i], pins[i]);
        script_set(&fx, answers);
        key = key_private(fx.p11, fx.session, KEY_HIGH_RSA);
        assert_ok(use_sign(&fx, fx.session, key, &signature));
        assert_true(use_signature_is_good(&fx, KEY_HIGH_RSA, &signature));
        assert_ok(use_sign(&fx, fx.session, key_private(fx.p11, fx.session, KEY_PLAIN_RSA), &signature));
        assert_int_equal(script_asked(&fx), 2);
        change_pin(pins[i], FIXTURE_PIN);
    }
}

static int begin(void **state)
{
    (void)state;
    fixture_begin(&fx, KEYS_HIGH_RSA | KEYS_PLAIN_RSA);
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
        TEST(no_answer_in_time),
        TEST(pinentry_says_timeout),
        TEST(pinentry_dies),
        TEST(pinentry_talks_garbage),
        TEST(pinentry_floods),
        TEST(user_cancels),
        TEST(program_is_missing),
        TEST(program_is_a_folder),
        TEST(program_leaves_at_once),
        TEST(program_echoes),
        TEST(login_without_pinentry_fails),
        TEST(pin_with_special_characters),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
