/* Levels medium and low; and a key that the backend itself protects stays high whatever the configuration
 * says. */
#include <stdlib.h>
#include <string.h>

#include "support/fixture.h"
#include "support/keys.h"
#include "support/pinentry_script.h"
#include "support/test.h"
#include "support/use.h"

#define RIGHT "pin " FIXTURE_PIN "\n"

static struct fixture fx;
static struct use_result signature;

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

static void start(const char *lines)
{
    fixture_start_logged_in(&fx, lines);
    script_set(&fx, "");
}

/* A throw-away pair of keys of the session. */
static CK_OBJECT_HANDLE make_session_key(void)
{
    struct key_wish wish = key_wish_new("passing");
    CK_OBJECT_HANDLE public_key, private_key;

    wish.on_token = false;
    assert_ok(key_make_ec(fx.p11, fx.session, &wish, &public_key, &private_key));
    return private_key;
}

/* ------------------------------------------------------------------ medium */

static void medium_is_confirmed_at_every_use(void **state)
{
    char *questions;

    (void)state;
    start("level = medium\n");
    script_set(&fx, "ok\n");
    assert_ok(use_sign(&fx, fx.session, key(KEY_PLAIN_RSA), &signature));
    assert_true(use_signature_is_good(&fx, KEY_PLAIN_RSA, &signature));
    questions = script_questions(&fx);
    assert_contains(questions, "CONFIRM\n");
    assert_contains(questions, "Key: " KEY_PLAIN_RSA);
    assert_not_contains(questions, "GETPIN");
    free(questions);
    script_set(&fx, "cancel\n");
    assert_rv(use_sign(&fx, fx.session, key(KEY_PLAIN_RSA), &signature), CKR_FUNCTION_REJECTED);
    assert_true(use_result_is_untouched(&signature));
    assert_int_equal(script_asked(&fx), 1);
    assert_rv(use_sign_data(&fx, fx.session, &signature), CKR_OPERATION_NOT_INITIALIZED);
}

/* A PIN is no answer to a yes or no. */
static void medium_takes_no_other_answer(void **state)
{
    (void)state;
    start("level = medium\n");
    script_set(&fx, RIGHT "die\ntimeout\n");
    assert_rv(use_sign(&fx, fx.session, key(KEY_PLAIN_RSA), &signature), CKR_FUNCTION_REJECTED);
    assert_rv(use_sign(&fx, fx.session, key(KEY_PLAIN_RSA), &signature), CKR_FUNCTION_FAILED);
    assert_rv(use_sign(&fx, fx.session, key(KEY_PLAIN_RSA), &signature), CKR_FUNCTION_REJECTED);
    assert_true(use_result_is_untouched(&signature));
}

static void medium_is_not_covered_by_a_login(void **state)
{
    (void)state;
    fixture_start(&fx, "level = medium\n");
    script_set(&fx, RIGHT "cancel\n");
    assert_ok(fx.p11->C_Login(fx.session, CKU_USER, NULL, 0));
    assert_rv(use_sign(&fx, fx.session, key(KEY_PLAIN_RSA), &signature), CKR_FUNCTION_REJECTED);
    assert_int_equal(script_asked(&fx), 2);
}

static void medium_confirms_deletion(void **state)
{
    CK_OBJECT_HANDLE passing;

    (void)state;
    start("level = medium\n");
    passing = make_session_key();
    script_set(&fx, "cancel\nok\n");
    assert_rv(fx.p11->C_DestroyObject(fx.session, passing), CKR_FUNCTION_REJECTED);
    assert_ok(fx.p11->C_DestroyObject(fx.session, passing));
    assert_int_equal(script_asked(&fx), 2);
}

static void medium_confirms_when_the_application_asks_for_pins(void **state)
{
    (void)state;
    start("level = medium\nprompt = application\n");
    script_set(&fx, "ok\n");
    assert_ok(use_sign(&fx, fx.session, key(KEY_PLAIN_RSA), &signature));
    assert_int_equal(script_asked(&fx), 1);
    assert_false(key_bool(fx.p11, fx.session, key(KEY_PLAIN_RSA), CKA_ALWAYS_AUTHENTICATE));
}

/* ------------------------------------------------------------------ low */

static void low_asks_nobody(void **state)
{
    CK_MECHANISM mechanism = {CKM_SHA256_RSA_PKCS, NULL, 0};
    struct use_result message, data;

    (void)state;
    start("level = low\n");
    assert_ok(use_sign(&fx, fx.session, key(KEY_PLAIN_RSA), &signature));
    assert_true(use_signature_is_good(&fx, KEY_PLAIN_RSA, &signature));
    assert_ok(fx.p11->C_SignInit(fx.session, &mechanism, key(KEY_PLAIN_RSA)));
    assert_ok(fx.p11->C_SignUpdate(fx.session, (CK_BYTE_PTR)USE_DATA, USE_DATA_LEN));
    use_result_init(&signature);
    assert_ok(fx.p11->C_SignFinal(fx.session, signature.bytes, &signature.len));
    assert_true(use_signature_is_good(&fx, KEY_PLAIN_RSA, &signature));
    use_encrypt(&fx, KEY_PLAIN_RSA, &message);
    assert_ok(use_decrypt_init(&fx, fx.session, key(KEY_PLAIN_RSA)));
    assert_ok(use_decrypt_data(&fx, fx.session, &message, &data));
    assert_true(use_data_is_right(&data));
    assert_ok(fx.p11->C_DestroyObject(fx.session, make_session_key()));
    assert_int_equal(script_asked(&fx), 0);
}

static void low_shows_no_pin_to_the_application(void **state)
{
    (void)state;
    start("level = low\nprompt = application\n");
    assert_false(key_bool(fx.p11, fx.session, key(KEY_PLAIN_RSA), CKA_ALWAYS_AUTHENTICATE));
    assert_true(key_bool(fx.p11, fx.session, key(KEY_HIGH_RSA), CKA_ALWAYS_AUTHENTICATE));
}

/* ------------------------------------------------------------------ a key that carries
 * CKA_ALWAYS_AUTHENTICATE */

static void enforced_key_stays_high(void **state)
{
    static const char *const lines[] = {"level = low\n", "level = medium\n"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        start(lines[i]);
        assert_rv(use_sign(&fx, fx.session, key(KEY_HIGH_RSA), &signature), CKR_FUNCTION_CANCELED);
        assert_true(use_result_is_untouched(&signature));
        assert_rv(fx.p11->C_DestroyObject(fx.session, key(KEY_HIGH_RSA)), CKR_FUNCTION_CANCELED);
        script_set(&fx, RIGHT);
        assert_ok(use_sign(&fx, fx.session, key(KEY_HIGH_RSA), &signature));
        assert_true(use_signature_is_good(&fx, KEY_HIGH_RSA, &signature));
        assert_int_equal(script_asked(&fx), 1);
        fixture_stop(&fx);
    }
}

/* An operation that needs no consent does not make room for one that does, nor the other way round. */
static void free_and_protected_operations_do_not_mix(void **state)
{
    CK_OBJECT_HANDLE plain, high;

    (void)state;
    start("level = low\n");
    plain = key(KEY_PLAIN_RSA);
    high = key(KEY_HIGH_RSA);
    assert_ok(use_sign_init(&fx, fx.session, plain));
    assert_rv(use_sign_init(&fx, fx.session, high), CKR_OPERATION_ACTIVE);
    assert_ok(use_sign_data(&fx, fx.session, &signature));
    assert_true(use_signature_is_good(&fx, KEY_PLAIN_RSA, &signature));
    assert_ok(use_sign_init(&fx, fx.session, high));
    assert_rv(use_sign_init(&fx, fx.session, plain), CKR_OPERATION_ACTIVE);
    assert_rv(use_sign_data(&fx, fx.session, &signature), CKR_FUNCTION_CANCELED);
    assert_true(use_result_is_untouched(&signature));
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
        TEST(medium_is_confirmed_at_every_use),
        TEST(medium_takes_no_other_answer),
        TEST(medium_is_not_covered_by_a_login),
        TEST(medium_confirms_deletion),
        TEST(medium_confirms_when_the_application_asks_for_pins),
        TEST(low_asks_nobody),
        TEST(low_shows_no_pin_to_the_application),
        TEST(enforced_key_stays_high),
        TEST(free_and_protected_operations_do_not_mix),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
