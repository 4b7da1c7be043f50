/* A token that has no counter of its own: wrong PINs are counted for it, by every way in and across processes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/fixture.h"
#include "support/keys.h"
#include "support/lacks.h"
#include "support/pinentry_script.h"
#include "support/processes.h"
#include "support/test.h"
#include "support/use.h"

#define RIGHT       "pin " FIXTURE_PIN "\n"
#define WRONG       "pin 000000\n"
#define PIN_FLAGS   (CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY | CKF_USER_PIN_LOCKED)
#define APPLICATION "prompt = application\n"

static struct fixture fx;
static struct use_result signature;

static const char *const labels[] = {KEY_HIGH_RSA, KEY_PLAIN_RSA};

/* Every test begins with nothing counted. */
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

static CK_FLAGS pin_flags(void)
{
    CK_TOKEN_INFO info;

    assert_ok(fx.p11->C_GetTokenInfo(fx.slot, &info));
    return info.flags & PIN_FLAGS;
}

static CK_RV login_asking(void)
{
    return fx.p11->C_Login(fx.session, CKU_USER, NULL, 0);
}

static CK_RV context_login(const char *pin)
{
    return fx.p11->C_Login(fx.session, CKU_CONTEXT_SPECIFIC, (CK_BYTE_PTR)pin, strlen(pin));
}

static CK_RV set_pin(const char *old_pin, const char *new_pin)
{
    return fx.p11->C_SetPIN(fx.session, (CK_BYTE_PTR)old_pin, strlen(old_pin), (CK_BYTE_PTR)new_pin, strlen(new_pin));
}

static void wrong_logins(int count)
{
    for (int n = 0; n < count; n++)
        assert_rv(fixture_login(&fx, "000000"), CKR_PIN_INCORRECT);
}

static void expect_log(const char *part)
{
    char *log = fixture_log(&fx);

    assert_contains(log, part);
    free(log);
}

static void expect_question(const char *part)
{
    char *questions = script_questions(&fx);

    assert_contains(questions, part);
    free(questions);
}

static void reset_by_so(void)
{
    assert_ok(fx.p11->C_Login(fx.session, CKU_SO, (CK_BYTE_PTR)FIXTURE_SO_PIN, strlen(FIXTURE_SO_PIN)));
    assert_ok(fx.p11->C_InitPIN(fx.session, (CK_BYTE_PTR)FIXTURE_PIN, strlen(FIXTURE_PIN)));
    assert_ok(fx.p11->C_Logout(fx.session));
}

/* ------------------------------------------------------------------ the lock */

static void flags_count_down_to_the_lock(void **state)
{
    (void)state;
    fixture_start(&fx, APPLICATION "pin-tries = 3\n");
    assert_int_equal(pin_flags(), 0);
    wrong_logins(1);
    assert_int_equal(pin_flags(), CKF_USER_PIN_COUNT_LOW);
    wrong_logins(1);
    assert_int_equal(pin_flags(), CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY);
    wrong_logins(1);
    assert_int_equal(pin_flags(), CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_LOCKED);
    assert_rv(fixture_login(&fx, FIXTURE_PIN), CKR_PIN_LOCKED);
    assert_rv(fixture_login(&fx, "000000"), CKR_PIN_LOCKED);
    assert_rv(set_pin(FIXTURE_PIN, "123-new-pin"), CKR_PIN_LOCKED);
    expect_log("its security officer sets a new one");
}

static void lock_outlives_the_process_and_the_so_ends_it(void **state)
{
    (void)state;
    fixture_start(&fx, APPLICATION "pin-tries = 2\n");
    lacks_security_officer(&fx, __func__);
    wrong_logins(2);
    fixture_stop(&fx);
    fixture_start(&fx, APPLICATION "pin-tries = 2\n");
    assert_rv(fixture_login(&fx, FIXTURE_PIN), CKR_PIN_LOCKED);
    reset_by_so();
    assert_ok(fixture_login(&fx, FIXTURE_PIN));
    assert_int_equal(pin_flags(), 0);
}

static void wrong_so_pin_is_not_the_users(void **state)
{
    CK_RV rv;

    (void)state;
    fixture_start(&fx, "pin-tries = 1\n");
    lacks_security_officer(&fx, __func__);
    for (int n = 0; n < 3; n++)
        assert_rv(fx.p11->C_Login(fx.session, CKU_SO, (CK_BYTE_PTR) "000000", 6), CKR_PIN_INCORRECT);
    assert_ok(fx.p11->C_Login(fx.session, CKU_SO, (CK_BYTE_PTR)FIXTURE_SO_PIN, strlen(FIXTURE_SO_PIN)));
    rv = set_pin("000000", FIXTURE_SO_PIN);
    lacks_on(__func__, "C_SetPIN by the security officer with a wrong PIN", rv, CKR_GENERAL_ERROR);
    assert_rv(rv, CKR_PIN_INCORRECT);
    for (int n = 0; n < 2; n++)
        assert_rv(set_pin("000000", FIXTURE_SO_PIN), CKR_PIN_INCORRECT);
    assert_ok(fx.p11->C_Logout(fx.session));
    script_set(&fx, "ok\n");
    assert_ok(fixture_login(&fx, FIXTURE_PIN));
}

static void right_pin_begins_anew(void **state)
{
    (void)state;
    fixture_start(&fx, APPLICATION "pin-tries = 3\n");
    for (int n = 0; n < 3; n++) {
        wrong_logins(2);
        assert_ok(fixture_login(&fx, FIXTURE_PIN));
        assert_int_equal(pin_flags(), 0);
        assert_ok(fx.p11->C_Logout(fx.session));
    }
}

static void ten_unless_configured(void **state)
{
    (void)state;
    fixture_start(&fx, APPLICATION);
    wrong_logins(10);
    assert_rv(fixture_login(&fx, FIXTURE_PIN), CKR_PIN_LOCKED);
}

static void zero_switches_the_counter_off(void **state)
{
    char path[FOLDER_PATH_MAX];

    (void)state;
    fixture_start(&fx, APPLICATION "pin-tries = 0\n");
    wrong_logins(20);
    assert_ok(fixture_login(&fx, FIXTURE_PIN));
    assert_int_equal(access(folder_path(fx.folder, "state/pinward/retry", path), F_OK), -1);
}

/* ------------------------------------------------------------------ every way in */

/* A use is checked by the token or by the gate; both are counted, and together. */
static void context_logins_count(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(start(NULL), 0);
        fixture_start_logged_in(&fx, APPLICATION "pin-tries = 3\n");
        assert_ok(use_sign_init(&fx, fx.session, key(labels[i])));
        assert_rv(context_login("000000"), CKR_PIN_INCORRECT);
        assert_rv(context_login("000000"), CKR_PIN_INCORRECT);
        assert_int_equal(pin_flags(), CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY);
        assert_ok(context_login(FIXTURE_PIN));
        assert_int_equal(pin_flags(), 0);
        assert_ok(use_sign_data(&fx, fx.session, &signature));
        assert_true(use_signature_is_good(&fx, labels[i], &signature));

        assert_ok(use_sign_init(&fx, fx.session, key(labels[i])));
        for (int n = 0; n < 3; n++)
            assert_rv(context_login("000000"), CKR_PIN_INCORRECT);
        assert_rv(context_login(FIXTURE_PIN), CKR_PIN_LOCKED);
        assert_rv(use_sign_data(&fx, fx.session, &signature), CKR_USER_NOT_LOGGED_IN);
        assert_true(use_result_is_untouched(&signature));
        assert_ok(fx.p11->C_Logout(fx.session)); /* a new login no longer helps */
        assert_rv(fixture_login(&fx, FIXTURE_PIN), CKR_PIN_LOCKED);
        fixture_stop(&fx);
    }
}

static void prompted_uses_count(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(start(NULL), 0);
        fixture_start_logged_in(&fx, "pin-tries = 5\n");
        script_set(&fx, WRONG WRONG WRONG WRONG WRONG RIGHT);
        assert_rv(use_sign(&fx, fx.session, key(labels[i]), &signature), CKR_FUNCTION_REJECTED);
        assert_int_equal(script_asked(&fx), 3);
        assert_rv(use_sign(&fx, fx.session, key(labels[i]), &signature), CKR_PIN_LOCKED);
        assert_true(use_result_is_untouched(&signature));
        assert_int_equal(script_asked(&fx), 2);
        assert_rv(use_sign(&fx, fx.session, key(labels[i]), &signature), CKR_PIN_LOCKED);
        assert_rv(fx.p11->C_DestroyObject(fx.session, key(labels[i])), CKR_PIN_LOCKED);
        assert_int_equal(script_asked(&fx), 0); /* nobody is asked in vain */
        fixture_stop(&fx);
    }
}

static void lock_by_uses_ends_with_the_so(void **state)
{
    (void)state;
    fixture_start_logged_in(&fx, "pin-tries = 2\n");
    script_set(&fx, WRONG WRONG);
    assert_rv(use_sign(&fx, fx.session, key(KEY_PLAIN_RSA), &signature), CKR_PIN_LOCKED);
    assert_ok(fx.p11->C_Logout(fx.session));
    lacks_security_officer(&fx, __func__);
    reset_by_so();
    assert_ok(fixture_login(&fx, FIXTURE_PIN));
}

static void prompted_logins_count(void **state)
{
    (void)state;
    fixture_start(&fx, "pin-tries = 4\n");
    script_set(&fx, WRONG WRONG WRONG WRONG RIGHT);
    assert_rv(login_asking(), CKR_PIN_INCORRECT);
    assert_int_equal(script_asked(&fx), 3);
    assert_rv(login_asking(), CKR_PIN_LOCKED);
    assert_int_equal(script_asked(&fx), 1);
    assert_rv(login_asking(), CKR_PIN_LOCKED);
    assert_int_equal(script_asked(&fx), 0);
}

/* Though the user no longer is. */
static void the_so_is_asked_at_a_lock(void **state)
{
    (void)state;
    fixture_start(&fx, "pin-tries = 2\n");
    lacks_security_officer(&fx, __func__);
    script_set(&fx, WRONG WRONG);
    assert_rv(login_asking(), CKR_PIN_LOCKED);
    assert_int_equal(script_asked(&fx), 2);
    script_set(&fx, "pin " FIXTURE_SO_PIN "\nrepeat " FIXTURE_PIN "\n" RIGHT);
    assert_ok(fx.p11->C_Login(fx.session, CKU_SO, NULL, 0));
    assert_ok(fx.p11->C_InitPIN(fx.session, NULL, 0));
    assert_ok(fx.p11->C_Logout(fx.session));
    assert_ok(login_asking());
}

/* PKCS#11 2.40, 5.5: in a public R/W session C_SetPIN changes the user's PIN. */
static void lacks_public_set_pin(const char *name)
{
    lacks_on(name, "C_SetPIN in a public session", set_pin(FIXTURE_PIN, FIXTURE_PIN), CKR_USER_NOT_LOGGED_IN);
}

/* A wrong old PIN is one to the backend. */
static void expect_wrong_set_pin(const char *name)
{
    const CK_RV rv = set_pin("000000", "123-new-pin");

    lacks_on(name, "C_SetPIN in a public session with a wrong PIN", rv, CKR_OK);
    assert_rv(rv, CKR_PIN_INCORRECT);
}

static void old_pin_of_a_change_counts(void **state)
{
    (void)state;
    fixture_start(&fx, APPLICATION "pin-tries = 3\n");
    lacks_public_set_pin(__func__);
    expect_wrong_set_pin(__func__); /* public session: the user's */
    assert_rv(set_pin(FIXTURE_PIN, "1"), CKR_PIN_LEN_RANGE);        /* the new one is at fault */
    assert_int_equal(pin_flags(), CKF_USER_PIN_COUNT_LOW);
    assert_ok(set_pin(FIXTURE_PIN, FIXTURE_PIN));
    assert_ok(fixture_login(&fx, FIXTURE_PIN));
    assert_int_equal(pin_flags(), 0);
    for (int n = 0; n < 3; n++)
        assert_rv(set_pin("000000", "123-new-pin"), CKR_PIN_INCORRECT);
    assert_rv(set_pin(FIXTURE_PIN, "123-new-pin"), CKR_PIN_LOCKED);
    fixture_stop(&fx);

    fixture_start(&fx, "pin-tries = 3\n");
    script_set(&fx, RIGHT);
    assert_rv(fx.p11->C_SetPIN(fx.session, NULL, 0, NULL, 0), CKR_PIN_LOCKED);
    assert_int_equal(script_asked(&fx), 0);
}

/* What is no wrong PIN. */
static void calls_in_vain_do_not_count(void **state)
{
    (void)state;
    fixture_start_logged_in(&fx, APPLICATION "pin-tries = 2\n");
    for (int n = 0; n < 5; n++) {
        assert_rv(fixture_login(&fx, FIXTURE_PIN), CKR_USER_ALREADY_LOGGED_IN);
        assert_rv(fx.p11->C_Login(fx.session, CKU_USER, NULL, 0), CKR_USER_ALREADY_LOGGED_IN);
        assert_rv(fx.p11->C_Login(99999, CKU_USER, (CK_BYTE_PTR) "000000", 6), CKR_SESSION_HANDLE_INVALID);
        assert_rv(fx.p11->C_Login(fx.session, 7, (CK_BYTE_PTR) "000000", 6), CKR_USER_TYPE_INVALID);
    }
    assert_ok(fx.p11->C_Logout(fx.session));
    assert_ok(fixture_login(&fx, FIXTURE_PIN));
}

/* ------------------------------------------------------------------ what the user is told */

static void prompt_says_how_many_tries_are_left(void **state)
{
    (void)state;
    fixture_start(&fx, "pin-tries = 3\nlogin-grace = 0\n");
    script_set(&fx, RIGHT);
    assert_ok(login_asking());
    {
        char *questions = script_questions(&fx);

        assert_not_contains(questions, "ries left");
        assert_not_contains(questions, "LAST");
        free(questions);
    }
    for (size_t i = 0; i < 2; i++) {
        script_set(&fx, WRONG "cancel\n" RIGHT);
        assert_rv(use_sign(&fx, fx.session, key(labels[i]), &signature), CKR_FUNCTION_CANCELED);
        expect_question("Tries left until the PIN is locked: 2");
        assert_ok(use_sign(&fx, fx.session, key(labels[i]), &signature));
    }
    script_set(&fx, WRONG WRONG "cancel\n");
    assert_rv(use_sign(&fx, fx.session, key(KEY_PLAIN_RSA), &signature), CKR_FUNCTION_CANCELED);
    expect_question("This is the LAST try");
    script_set(&fx, RIGHT);
    assert_ok(fx.p11->C_Logout(fx.session));
    assert_ok(login_asking());
    expect_question("This is the LAST try");
}

/* An application's own PIN on the last try: the user is asked, and the answer decides. */
static void last_try_is_not_spent_unasked(void **state)
{
    (void)state;
    fixture_start(&fx, "pin-tries = 2\n");
    lacks_public_set_pin(__func__);
    wrong_logins(1);
    assert_int_equal(script_asked(&fx), 0);
    script_set(&fx, "cancel\nok\n");
    assert_rv(fixture_login(&fx, "000000"), CKR_FUNCTION_REJECTED);
    expect_question("try a PIN of its own on your token");
    expect_wrong_set_pin(__func__);
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
    fixture_start(&fx, APPLICATION);
    fixture_stop(&fx);
    assert_int_equal(processes_sum(PROCESSES, guess_in_child), 10);
    fixture_start(&fx, APPLICATION);
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
    script_set(&fx, RIGHT RIGHT);
    assert_rv(use_sign(&fx, fx.session, key(KEY_HIGH_RSA), &signature), CKR_FUNCTION_FAILED);
    assert_rv(use_sign(&fx, fx.session, key(KEY_PLAIN_RSA), &signature), CKR_FUNCTION_FAILED);
    assert_true(use_result_is_untouched(&signature));
    assert_rv(set_pin(FIXTURE_PIN, "123-new-pin"), CKR_FUNCTION_FAILED);
    assert_ok(fx.p11->C_Logout(fx.session));
    assert_rv(fixture_login(&fx, FIXTURE_PIN), CKR_FUNCTION_FAILED);
    assert_rv(login_asking(), CKR_FUNCTION_FAILED);
    assert_int_equal(script_asked(&fx), 0);
    assert_true(pin_flags() & CKF_USER_PIN_LOCKED);
    expect_log("/state/pinward/retry/");
    expect_log("remove it");
    expect_log("pin-tries = 0");
}

static void unwritable_folder_takes_no_pin(void **state)
{
    (void)state;
    folder_write(fx.folder, "state/pinward", ""); /* a file where the folder should be */
    fixture_start(&fx, "");
    assert_rv(fixture_login(&fx, FIXTURE_PIN), CKR_FUNCTION_FAILED);
    expect_log("/state/pinward/retry/");
    fixture_stop(&fx);
    fixture_start(&fx, "pin-tries = 0\n[ledger]\nrequired = no\n"); /* the ledger would be there too */
    assert_ok(fixture_login(&fx, FIXTURE_PIN));
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
        TEST(flags_count_down_to_the_lock),
        TEST(lock_outlives_the_process_and_the_so_ends_it),
        TEST(wrong_so_pin_is_not_the_users),
        TEST(right_pin_begins_anew),
        TEST(ten_unless_configured),
        TEST(zero_switches_the_counter_off),
        TEST(context_logins_count),
        TEST(prompted_uses_count),
        TEST(lock_by_uses_ends_with_the_so),
        TEST(prompted_logins_count),
        TEST(the_so_is_asked_at_a_lock),
        TEST(old_pin_of_a_change_counts),
        TEST(calls_in_vain_do_not_count),
        TEST(prompt_says_how_many_tries_are_left),
        TEST(last_try_is_not_spent_unasked),
        TEST(racing_processes_share_the_tries),
        TEST(damaged_file_takes_no_pin),
        TEST(unwritable_folder_takes_no_pin),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
