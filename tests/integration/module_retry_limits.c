/* Wrong PINs that are counted for a token: what the user is told of them, many processes, and a state file that cannot be
 * relied on. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/keys.h"
#include "support/pinentry_script.h"
#include "support/processes.h"
#include "support/test.h"
#include "tries_world.h"

static const char *const labels[] = {KEY_HIGH_RSA, KEY_PLAIN_RSA};

/* ------------------------------------------------------------------ what the user is told */

static void prompt_says_how_many_tries_are_left(void **state)
{
    (void)state;
    fixture_start(&fx, "pin-tries = 3\nlogin-grace = 0\n");
    script_set(&fx, TRIES_RIGHT);
    assert_ok(tries_login_asking());
    {
        char *questions = script_questions(&fx);

        assert_not_contains(questions, "ries left");
        assert_not_contains(questions, "LAST");
        free(questions);
    }
    for (size_t i = 0; i < 2; i++) {
        script_set(&fx, TRIES_WRONG "cancel\n" TRIES_RIGHT);
        assert_rv(use_sign(&fx, fx.session, tries_key(labels[i]), &tries_signature), CKR_FUNCTION_CANCELED);
        tries_expect_question("Tries left until the PIN is locked: 2");
        assert_ok(use_sign(&fx, fx.session, tries_key(labels[i]), &tries_signature));
    }
    script_set(&fx, TRIES_WRONG TRIES_WRONG "cancel\n");
    assert_rv(use_sign(&fx, fx.session, tries_key(KEY_PLAIN_RSA), &tries_signature), CKR_FUNCTION_CANCELED);
    tries_expect_question("This is the LAST try");
    script_set(&fx, TRIES_RIGHT);
    assert_ok(fx.p11->C_Logout(fx.session));
    assert_ok(tries_login_asking());
    tries_expect_question("This is the LAST try");
}

/* An application's own PIN on the last try: the user is asked, and the answer decides. */
static void last_try_is_not_spent_unasked(void **state)
{
    (void)state;
    fixture_start(&fx, "pin-tries = 2\n");
    tries_lacks_public_set_pin(__func__);
    tries_wrong_logins(1);
    assert_int_equal(script_asked(&fx), 0);
    script_set(&fx, "cancel\nok\n");
    assert_rv(fixture_login(&fx, "000000"), CKR_FUNCTION_REJECTED);
    tries_expect_question("try a PIN of its own on your token");
    tries_expect_wrong_set_pin(__func__);
    assert_int_equal(script_asked(&fx), 2);
    assert_rv(fixture_login(&fx, FIXTURE_PIN), CKR_PIN_LOCKED);
    assert_int_equal(script_asked(&fx), 0);
}

/* ------------------------------------------------------------------ processes */

#define PROCESSES 8

/* A process of its own that logs in with wrong PINs until it is told that the PIN is locked; how many were wrong. */
static unsigned char guess_in_child(void)
{
    unsigned char wrong = 0;
    CK_RV rv;

    if (fx.p11->C_Initialize(NULL) != CKR_OK ||
        fx.p11->C_OpenSession(fx.slot, CKF_SERIAL_SESSION, NULL, NULL, &fx.session) != CKR_OK)
        return PROCESSES_FAILED;
    while ((rv = fixture_login(&fx, "000000")) == CKR_PIN_INCORRECT)
        wrong++;
    return rv == CKR_PIN_LOCKED ? wrong : PROCESSES_FAILED;
}

static void racing_processes_share_the_tries(void **state)
{
    (void)state;
    fixture_start(&fx, TRIES_APPLICATION);
    fixture_stop(&fx);
    assert_int_equal(processes_sum(PROCESSES, guess_in_child), 10);
    fixture_start(&fx, TRIES_APPLICATION);
    assert_rv(fixture_login(&fx, FIXTURE_PIN), CKR_PIN_LOCKED);
}

/* ------------------------------------------------------------------ a state file that cannot be relied on */

static void damaged_file_takes_no_pin(void **state)
{
    char command[2 * FOLDER_PATH_MAX];

    (void)state;
    fixture_start_logged_in(&fx, "login-grace = 0\n");
    snprintf(command, sizeof command, "for f in %s/state/pinward/retry/*; do echo junk >$f; done", fx.folder);
    assert_int_equal(system(command), 0);
    script_set(&fx, TRIES_RIGHT TRIES_RIGHT);
    assert_rv(use_sign(&fx, fx.session, tries_key(KEY_HIGH_RSA), &tries_signature), CKR_FUNCTION_FAILED);
    assert_rv(use_sign(&fx, fx.session, tries_key(KEY_PLAIN_RSA), &tries_signature), CKR_FUNCTION_FAILED);
    assert_true(use_result_is_untouched(&tries_signature));
    assert_rv(tries_set_pin(FIXTURE_PIN, "123-new-pin"), CKR_FUNCTION_FAILED);
    assert_ok(fx.p11->C_Logout(fx.session));
    assert_rv(fixture_login(&fx, FIXTURE_PIN), CKR_FUNCTION_FAILED);
    assert_rv(tries_login_asking(), CKR_FUNCTION_FAILED);
    assert_int_equal(script_asked(&fx), 0);
    assert_true(tries_pin_flags() & CKF_USER_PIN_LOCKED);
    tries_expect_log("/state/pinward/retry/");
    tries_expect_log("remove it");
    tries_expect_log("pin-tries = 0");
}

static void unwritable_folder_takes_no_pin(void **state)
{
    (void)state;
    folder_write(fx.folder, "state/pinward", ""); /* a file where the folder should be */
    fixture_start(&fx, "");
    assert_rv(fixture_login(&fx, FIXTURE_PIN), CKR_FUNCTION_FAILED);
    tries_expect_log("/state/pinward/retry/");
    fixture_stop(&fx);
    fixture_start(&fx, "pin-tries = 0\n[ledger]\nrequired = no\n"); /* the ledger would be there too */
    assert_ok(fixture_login(&fx, FIXTURE_PIN));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, tries_start, tries_stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(prompt_says_how_many_tries_are_left),
        TEST(last_try_is_not_spent_unasked),
        TEST(racing_processes_share_the_tries),
        TEST(damaged_file_takes_no_pin),
        TEST(unwritable_folder_takes_no_pin),
    };

    return cmocka_run_group_tests(tests, tries_begin, tries_end);
}
