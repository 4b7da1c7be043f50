/* Two questions in a row that nobody answered, and then none for a while. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "support/fixture.h"
#include "support/keys.h"
#include "support/pinentry_script.h"
#include "support/process_state.h"
#include "support/test.h"
#include "support/use.h"

#define RIGHT "pin " FIXTURE_PIN "\n"

static struct fixture fx;
static struct use_result signature;

static const char *const labels[] = {KEY_HIGH_RSA, KEY_PLAIN_RSA};

/* Every test begins without a row. */
static int start(void **state)
{
    char path[FOLDER_PATH_MAX];

    (void)state;
    folder_remove(folder_path(fx.folder, "state", path));
    fixture_log_forget(&fx);
    script_set(&fx, "");
    return mkdir(path, 0700);
}

static int stop(void **state)
{
    (void)state;
    fixture_stop(&fx);
    return 0;
}

static CK_OBJECT_HANDLE key(const char *label)
{
    return key_private(fx.p11, fx.session, label);
}

static CK_RV login_asking(void)
{
    return fx.p11->C_Login(fx.session, CKU_USER, NULL, 0);
}

static void expect_log(const char *part)
{
    char *log = fixture_log(&fx);

    assert_contains(log, part);
    free(log);
}

static void two_unanswered_questions_are_enough(void **state)
{
    (void)state;
    fixture_start_logged_in(&fx, "cool-down = 1s\n");
    script_set(&fx, "timeout\ntimeout\n" RIGHT);
    for (int n = 0; n < 2; n++)
        assert_rv(use_sign(&fx, fx.session, key(labels[n]), &signature), CKR_FUNCTION_REJECTED);
    assert_int_equal(script_asked(&fx), 2);
    assert_rv(use_sign(&fx, fx.session, key(KEY_HIGH_RSA), &signature), CKR_FUNCTION_REJECTED);
    assert_rv(fx.p11->C_DestroyObject(fx.session, key(KEY_HIGH_RSA)), CKR_FUNCTION_REJECTED);
    assert_ok(fx.p11->C_Logout(fx.session));
    assert_rv(login_asking(), CKR_FUNCTION_REJECTED);
    assert_int_equal(script_asked(&fx), 0);
    expect_log("nobody answered the last 2 questions");
    fixture_stop(&fx);

    fixture_start_logged_in(&fx, "cool-down = 1s\n"); /* another process fares no better */
    assert_rv(use_sign(&fx, fx.session, key(KEY_HIGH_RSA), &signature), CKR_FUNCTION_REJECTED);
    assert_int_equal(script_asked(&fx), 0);
    process_sleep_ms(1100);
    assert_ok(use_sign(&fx, fx.session, key(KEY_HIGH_RSA), &signature));
    assert_int_equal(script_asked(&fx), 1);
}

static void answer_ends_the_row(void **state)
{
    static const char *const answers[] = {"cancel\n", RIGHT};

    (void)state;
    fixture_start_logged_in(&fx, "");
    for (size_t i = 0; i < 2; i++) {
        char script[64];

        snprintf(script, sizeof script, "timeout\n%stimeout\n%s", answers[i], RIGHT);
        script_set(&fx, script);
        for (int n = 0; n < 3; n++)
            (void)use_sign(&fx, fx.session, key(KEY_HIGH_RSA), &signature);
        assert_ok(use_sign(&fx, fx.session, key(KEY_HIGH_RSA), &signature));
        assert_int_equal(script_asked(&fx), 4);
    }
}

static void *sign_in_thread(void *session)
{
    struct use_result ignored;

    (void)use_sign(&fx, *(CK_SESSION_HANDLE *)session, key(KEY_HIGH_RSA), &ignored);
    return NULL;
}

/* A question that the application itself took off the screen was not ignored by anybody. */
static void withdrawn_questions_are_no_row(void **state)
{
    (void)state;
    fixture_start_logged_in(&fx, "");
    for (int n = 0; n < 2; n++) {
        CK_SESSION_HANDLE session = fixture_session(&fx);
        pthread_t thread;

        script_set(&fx, "hang\n");
        assert_int_equal(pthread_create(&thread, NULL, sign_in_thread, &session), 0);
        script_wait_question(&fx);
        assert_ok(fx.p11->C_CloseSession(session));
        assert_int_equal(pthread_join(thread, NULL), 0);
    }
    script_set(&fx, RIGHT);
    assert_ok(use_sign(&fx, fx.session, key(KEY_HIGH_RSA), &signature));
    assert_int_equal(script_asked(&fx), 1);
}

static void cool_down_of_0_asks_on(void **state)
{
    (void)state;
    fixture_start_logged_in(&fx, "cool-down = 0\n");
    script_set(&fx, "timeout\ntimeout\ntimeout\n" RIGHT);
    for (int n = 0; n < 3; n++)
        assert_rv(use_sign(&fx, fx.session, key(KEY_HIGH_RSA), &signature), CKR_FUNCTION_REJECTED);
    assert_ok(use_sign(&fx, fx.session, key(KEY_HIGH_RSA), &signature));
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

#define TEST(f) cmocka_unit_test_setup_teardown(f, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(two_unanswered_questions_are_enough),
        TEST(answer_ends_the_row),
        TEST(withdrawn_questions_are_no_row),
        TEST(cool_down_of_0_asks_on),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
