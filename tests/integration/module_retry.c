/* A token that has no counter of its own: wrong PINs are counted for it, by every way in. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/keys.h"
#include "support/lacks.h"
#include "support/pinentry_script.h"
#include "support/test.h"
#include "tries_world.h"

static const char *const labels[] = {KEY_HIGH_RSA, KEY_PLAIN_RSA};

/* ------------------------------------------------------------------ the lock */

static void flags_count_down_to_the_lock(void **state)
{
    (void)state;
    fixture_start(&fx, TRIES_APPLICATION "pin-tries = 3\n");
    assert_int_equal(tries_pin_flags(), 0);
    tries_wrong_logins(1);
    assert_int_equal(tries_pin_flags(), CKF_USER_PIN_COUNT_LOW);
    tries_wrong_logins(1);
    assert_int_equal(tries_pin_flags(), CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY);
    tries_wrong_logins(1);
    assert_int_equal(tries_pin_flags(), CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_LOCKED);
    assert_rv(fixture_login(&fx, FIXTURE_PIN), CKR_PIN_LOCKED);
    assert_rv(fixture_login(&fx, "000000"), CKR_PIN_LOCKED);
    assert_rv(tries_set_pin(FIXTURE_PIN, "123-new-pin"), CKR_PIN_LOCKED);
    tries_expect_log("its security officer sets a new one");
}

static void lock_outlives_the_process_and_the_so_ends_it(void **state)
{
    (void)state;
    fixture_start(&fx, TRIES_APPLICATION "pin-tries = 2\n");
    lacks_security_officer(&fx, __func__);
    tries_wrong_logins(2);
    fixture_stop(&fx);
    fixture_start(&fx, TRIES_APPLICATION "pin-tries = 2\n");
    assert_rv(fixture_login(&fx, FIXTURE_PIN), CKR_PIN_LOCKED);
    tries_reset_by_so();
    assert_ok(fixture_login(&fx, FIXTURE_PIN));
    assert_int_equal(tries_pin_flags(), 0);
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
    rv = tries_set_pin("000000", FIXTURE_SO_PIN);
    lacks_on(__func__, "C_SetPIN by the security officer with a wrong PIN", rv, CKR_GENERAL_ERROR);
    assert_rv(rv, CKR_PIN_INCORRECT);
    for (int n = 0; n < 2; n++)
        assert_rv(tries_set_pin("000000", FIXTURE_SO_PIN), CKR_PIN_INCORRECT);
    assert_ok(fx.p11->C_Logout(fx.session));
    script_set(&fx, "ok\n");
    assert_ok(fixture_login(&fx, FIXTURE_PIN));
}

static void right_pin_begins_anew(void **state)
{
    (void)state;
    fixture_start(&fx, TRIES_APPLICATION "pin-tries = 3\n");
    for (int n = 0; n < 3; n++) {
        tries_wrong_logins(2);
        assert_ok(fixture_login(&fx, FIXTURE_PIN));
        assert_int_equal(tries_pin_flags(), 0);
        assert_ok(fx.p11->C_Logout(fx.session));
    }
}

static void ten_unless_configured(void **state)
{
    (void)state;
    fixture_start(&fx, TRIES_APPLICATION);
    tries_wrong_logins(10);
    assert_rv(fixture_login(&fx, FIXTURE_PIN), CKR_PIN_LOCKED);
}

static void zero_switches_the_counter_off(void **state)
{
    char path[FOLDER_PATH_MAX];

    (void)state;
    fixture_start(&fx, TRIES_APPLICATION "pin-tries = 0\n");
    tries_wrong_logins(20);
    assert_ok(fixture_login(&fx, FIXTURE_PIN));
    assert_int_equal(access(folder_path(fx.folder, "state/pinward/retry", path), F_OK), -1);
}

/* ------------------------------------------------------------------ every way in */

/* A use is checked by the token or by the gate; both are counted, and together. */
static void context_logins_count(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(tries_start(NULL), 0);
        fixture_start_logged_in(&fx, TRIES_APPLICATION "pin-tries = 3\n");
        assert_ok(use_sign_init(&fx, fx.session, tries_key(labels[i])));
        assert_rv(tries_context_login("000000"), CKR_PIN_INCORRECT);
        assert_rv(tries_context_login("000000"), CKR_PIN_INCORRECT);
        assert_int_equal(tries_pin_flags(), CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY);
        assert_ok(tries_context_login(FIXTURE_PIN));
        assert_int_equal(tries_pin_flags(), 0);
        assert_ok(use_sign_data(&fx, fx.session, &tries_signature));
        assert_true(use_signature_is_good(&fx, labels[i], &tries_signature));

        assert_ok(use_sign_init(&fx, fx.session, tries_key(labels[i])));
        for (int n = 0; n < 2; n++)
            assert_rv(tries_context_login("000000"), CKR_PIN_INCORRECT);
        assert_rv(tries_context_login("000000"), CKR_FUNCTION_REJECTED); /* the third ends the operation too */
        assert_ok(use_sign_init(&fx, fx.session, tries_key(labels[i])));
        assert_rv(tries_context_login(FIXTURE_PIN), CKR_PIN_LOCKED);
        assert_rv(use_sign_data(&fx, fx.session, &tries_signature), CKR_USER_NOT_LOGGED_IN);
        assert_true(use_result_is_untouched(&tries_signature));
        assert_ok(fx.p11->C_Logout(fx.session)); /* a new login no longer helps */
        assert_rv(fixture_login(&fx, FIXTURE_PIN), CKR_PIN_LOCKED);
        fixture_stop(&fx);
    }
}

static void prompted_uses_count(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(tries_start(NULL), 0);
        fixture_start_logged_in(&fx, "pin-tries = 5\n");
        script_set(&fx, TRIES_WRONG TRIES_WRONG TRIES_WRONG TRIES_WRONG TRIES_WRONG TRIES_RIGHT);
        assert_rv(use_sign(&fx, fx.session, tries_key(labels[i]), &tries_signature), CKR_FUNCTION_REJECTED);
        assert_int_equal(script_asked(&fx), 3);
        assert_rv(use_sign(&fx, fx.session, tries_key(labels[i]), &tries_signature), CKR_PIN_LOCKED);
        assert_true(use_result_is_untouched(&tries_signature));
        assert_int_equal(script_asked(&fx), 2);
        assert_rv(use_sign(&fx, fx.session, tries_key(labels[i]), &tries_signature), CKR_PIN_LOCKED);
        assert_rv(fx.p11->C_DestroyObject(fx.session, tries_key(labels[i])), CKR_PIN_LOCKED);
        assert_int_equal(script_asked(&fx), 0); /* nobody is asked in vain */
        fixture_stop(&fx);
    }
}

static void lock_by_uses_ends_with_the_so(void **state)
{
    (void)state;
    fixture_start_logged_in(&fx, "pin-tries = 2\n");
    script_set(&fx, TRIES_WRONG TRIES_WRONG);
    assert_rv(use_sign(&fx, fx.session, tries_key(KEY_PLAIN_RSA), &tries_signature), CKR_PIN_LOCKED);
    assert_ok(fx.p11->C_Logout(fx.session));
    lacks_security_officer(&fx, __func__);
    tries_reset_by_so();
    assert_ok(fixture_login(&fx, FIXTURE_PIN));
}

static void prompted_logins_count(void **state)
{
    (void)state;
    fixture_start(&fx, "pin-tries = 4\n");
    script_set(&fx, TRIES_WRONG TRIES_WRONG TRIES_WRONG TRIES_WRONG TRIES_RIGHT);
    assert_rv(tries_login_asking(), CKR_PIN_INCORRECT);
    assert_int_equal(script_asked(&fx), 3);
    assert_rv(tries_login_asking(), CKR_PIN_LOCKED);
    assert_int_equal(script_asked(&fx), 1);
    assert_rv(tries_login_asking(), CKR_PIN_LOCKED);
    assert_int_equal(script_asked(&fx), 0);
}

/* Though the user no longer is. */
static void the_so_is_asked_at_a_lock(void **state)
{
    (void)state;
    fixture_start(&fx, "pin-tries = 2\n");
    lacks_security_officer(&fx, __func__);
    script_set(&fx, TRIES_WRONG TRIES_WRONG);
    assert_rv(tries_login_asking(), CKR_PIN_LOCKED);
    assert_int_equal(script_asked(&fx), 2);
    script_set(&fx, "pin " FIXTURE_SO_PIN "\nrepeat " FIXTURE_PIN "\n" TRIES_RIGHT);
    assert_ok(fx.p11->C_Login(fx.session, CKU_SO, NULL, 0));
    assert_ok(fx.p11->C_InitPIN(fx.session, NULL, 0));
    assert_ok(fx.p11->C_Logout(fx.session));
    assert_ok(tries_login_asking());
}

static void old_pin_of_a_change_counts(void **state)
{
    (void)state;
    fixture_start(&fx, TRIES_APPLICATION "pin-tries = 3\n");
    tries_lacks_public_set_pin(__func__);
    tries_expect_wrong_set_pin(__func__); /* public session: the user's */
    assert_rv(tries_set_pin(FIXTURE_PIN, "1"), CKR_PIN_LEN_RANGE);        /* the new one is at fault */
    assert_int_equal(tries_pin_flags(), CKF_USER_PIN_COUNT_LOW);
    assert_ok(tries_set_pin(FIXTURE_PIN, FIXTURE_PIN));
    assert_ok(fixture_login(&fx, FIXTURE_PIN));
    assert_int_equal(tries_pin_flags(), 0);
    for (int n = 0; n < 3; n++)
        assert_rv(tries_set_pin("000000", "123-new-pin"), CKR_PIN_INCORRECT);
    assert_rv(tries_set_pin(FIXTURE_PIN, "123-new-pin"), CKR_PIN_LOCKED);
    fixture_stop(&fx);

    fixture_start(&fx, "pin-tries = 3\n");
    script_set(&fx, TRIES_RIGHT);
    assert_rv(fx.p11->C_SetPIN(fx.session, NULL, 0, NULL, 0), CKR_PIN_LOCKED);
    assert_int_equal(script_asked(&fx), 0);
}

/* What is no wrong PIN. */
static void calls_in_vain_do_not_count(void **state)
{
    (void)state;
    fixture_start_logged_in(&fx, TRIES_APPLICATION "pin-tries = 2\n");
    for (int n = 0; n < 5; n++) {
        assert_rv(fixture_login(&fx, FIXTURE_PIN), CKR_USER_ALREADY_LOGGED_IN);
        assert_rv(fx.p11->C_Login(fx.session, CKU_USER, NULL, 0), CKR_USER_ALREADY_LOGGED_IN);
        assert_rv(fx.p11->C_Login(99999, CKU_USER, (CK_BYTE_PTR) "000000", 6), CKR_SESSION_HANDLE_INVALID);
        assert_rv(fx.p11->C_Login(fx.session, 7, (CK_BYTE_PTR) "000000", 6), CKR_USER_TYPE_INVALID);
    }
    assert_ok(fx.p11->C_Logout(fx.session));
    assert_ok(fixture_login(&fx, FIXTURE_PIN));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, tries_start, tries_stop)

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
    };

    return cmocka_run_group_tests(tests, tries_begin, tries_end);
}
