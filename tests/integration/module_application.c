/* prompt = application: the application asks and logs in with CKU_CONTEXT_SPECIFIC for every use. */
#include <stdlib.h>
#include <string.h>

#include "support/fixture.h"
#include "support/keys.h"
#include "support/lacks.h"
#include "support/pinentry_script.h"
#include "support/test.h"
#include "support/use.h"

/* A key that comes and goes. */
#define MADE    "made here"
#define RENAMED "made and renamed"

static struct fixture fx;
static struct use_result signature;

static const char *const labels[] = {KEY_HIGH_RSA, KEY_PLAIN_RSA};
#define LABELS (sizeof labels / sizeof labels[0])

static int start(void **state)
{
    (void)state;
    fixture_start_logged_in(&fx, "prompt = application\n");
    script_set(&fx, "pin " FIXTURE_PIN "\n");
    return 0;
}

/* Whatever happened, pinentry was never asked, but for what the test has counted. */
static int stop(void **state)
{
    (void)state;
    fixture_stop(&fx);
    return script_asked(&fx);
}

static CK_OBJECT_HANDLE key(const char *label)
{
    return key_private(fx.p11, fx.session, label);
}

static CK_RV context_login(CK_SESSION_HANDLE session, const char *pin)
{
    return fx.p11->C_Login(session, CKU_CONTEXT_SPECIFIC, (CK_BYTE_PTR)pin, strlen(pin));
}

static void without_context_login_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < LABELS; i++) {
        assert_rv(use_sign(&fx, fx.session, key(labels[i]), &signature), CKR_USER_NOT_LOGGED_IN);
        assert_true(use_result_is_untouched(&signature));
        assert_rv(use_sign_data(&fx, fx.session, &signature), CKR_OPERATION_NOT_INITIALIZED);
        assert_ok(use_sign_init(&fx, fx.session, key(labels[i])));
        assert_rv(fx.p11->C_SignUpdate(fx.session, (CK_BYTE_PTR)USE_DATA, USE_DATA_LEN),
                  CKR_USER_NOT_LOGGED_IN);
        assert_ok(use_sign_init(&fx, fx.session, key(labels[i])));
        use_result_init(&signature);
        assert_rv(fx.p11->C_SignFinal(fx.session, signature.bytes, &signature.len), CKR_USER_NOT_LOGGED_IN);
        assert_true(use_result_is_untouched(&signature));
    }
}

static void right_pin_serves_one_use(void **state)
{
    (void)state;
    for (size_t i = 0; i < LABELS; i++) {
        assert_ok(use_sign_init(&fx, fx.session, key(labels[i])));
        assert_ok(context_login(fx.session, FIXTURE_PIN));
        assert_ok(use_sign_data(&fx, fx.session, &signature));
        assert_true(use_signature_is_good(&fx, labels[i], &signature));
        assert_rv(use_sign(&fx, fx.session, key(labels[i]), &signature), CKR_USER_NOT_LOGGED_IN);
    }
}

static void multi_part_needs_one_login(void **state)
{
    (void)state;
    for (size_t i = 0; i < LABELS; i++) {
        assert_ok(use_sign_init(&fx, fx.session, key(labels[i])));
        assert_ok(context_login(fx.session, FIXTURE_PIN));
        assert_ok(fx.p11->C_SignUpdate(fx.session, (CK_BYTE_PTR)USE_DATA, 7));
        assert_ok(fx.p11->C_SignUpdate(fx.session, (CK_BYTE_PTR)USE_DATA + 7, USE_DATA_LEN - 7));
        use_result_init(&signature);
        assert_ok(fx.p11->C_SignFinal(fx.session, signature.bytes, &signature.len));
        assert_true(use_signature_is_good(&fx, labels[i], &signature));
    }
}

/* A wrong PIN neither serves the operation nor ends it. */
static void wrong_pin_keeps_the_operation_waiting(void **state)
{
    (void)state;
    for (size_t i = 0; i < LABELS; i++) {
        assert_ok(use_sign_init(&fx, fx.session, key(labels[i])));
        assert_rv(context_login(fx.session, "000000"), CKR_PIN_INCORRECT);
        assert_rv(context_login(fx.session, "1"), CKR_PIN_INCORRECT);
        assert_ok(context_login(fx.session, FIXTURE_PIN));
        assert_ok(use_sign_data(&fx, fx.session, &signature));
        assert_true(use_signature_is_good(&fx, labels[i], &signature));

        assert_ok(use_sign_init(&fx, fx.session, key(labels[i])));
        assert_rv(context_login(fx.session, "000000"), CKR_PIN_INCORRECT);
        assert_rv(use_sign_data(&fx, fx.session, &signature), CKR_USER_NOT_LOGGED_IN);
        assert_true(use_result_is_untouched(&signature));
    }
}

/* As many as a user has in a window; then the operation is over, and the token has tries left. */
static void three_wrong_pins_end_the_operation(void **state)
{
    (void)state;
    for (size_t i = 0; i < LABELS; i++) {
        assert_ok(use_sign_init(&fx, fx.session, key(labels[i])));
        assert_rv(context_login(fx.session, "000000"), CKR_PIN_INCORRECT);
        assert_rv(context_login(fx.session, "000000"), CKR_PIN_INCORRECT);
        assert_rv(context_login(fx.session, "000000"), CKR_FUNCTION_REJECTED);
        assert_rv(use_sign_data(&fx, fx.session, &signature), CKR_OPERATION_NOT_INITIALIZED);
        assert_true(use_result_is_untouched(&signature));
        assert_ok(use_sign_init(&fx, fx.session, key(labels[i])));
        assert_rv(context_login(fx.session, "000000"), CKR_PIN_INCORRECT); /* counted anew */
        assert_ok(context_login(fx.session, FIXTURE_PIN));
        assert_ok(use_sign_data(&fx, fx.session, &signature));
    }
}

/* What a program brings that has no PIN must not lock the token, however often it tries. */
static void empty_pin_spends_no_try(void **state)
{
    CK_TOKEN_INFO token;

    (void)state;
    assert_ok(fx.p11->C_GetTokenInfo(fx.slot, &token));
    if (token.ulMinPinLen == 0)
        lacks_skip(__func__, "a token that may have an empty PIN");
    for (size_t i = 0; i < LABELS; i++) {
        for (int n = 0; n < 6; n++) {
            assert_ok(use_sign_init(&fx, fx.session, key(labels[i])));
            assert_rv(context_login(fx.session, ""), CKR_PIN_INCORRECT);
            assert_rv(context_login(fx.session, ""), CKR_PIN_INCORRECT);
            assert_rv(context_login(fx.session, ""), CKR_FUNCTION_REJECTED);
        }
        assert_ok(fx.p11->C_GetTokenInfo(fx.slot, &token));
        assert_int_equal(token.flags & (CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY | CKF_USER_PIN_LOCKED), 0);
        assert_ok(use_sign_init(&fx, fx.session, key(labels[i])));
        assert_ok(context_login(fx.session, FIXTURE_PIN));
        assert_ok(use_sign_data(&fx, fx.session, &signature));
        assert_true(use_signature_is_good(&fx, labels[i], &signature));
    }
}

static void context_login_before_an_operation_is_no_consent_to_it(void **state)
{
    CK_MECHANISM hmac = {CKM_SHA256_HMAC, NULL, 0};

    (void)state;
    assert_rv(context_login(fx.session, "000000"), CKR_PIN_INCORRECT);
    assert_ok(context_login(fx.session, FIXTURE_PIN)); /* it waits for a single call */
    assert_ok(use_sign_init(&fx, fx.session, key(KEY_PLAIN_RSA)));
    assert_rv(use_sign_data(&fx, fx.session, &signature), CKR_USER_NOT_LOGGED_IN);
    assert_ok(fx.p11->C_SignInit(fx.session, &hmac, key_secret(fx.p11, fx.session, KEY_HMAC)));
    assert_rv(context_login(99999, FIXTURE_PIN), CKR_SESSION_HANDLE_INVALID);
    assert_rv(fx.p11->C_Login(fx.session, CKU_CONTEXT_SPECIFIC, NULL, 0), CKR_OPERATION_NOT_INITIALIZED);
}

/* It serves the operation that waits in its own session and no other. */
static void context_login_serves_its_session(void **state)
{
    const CK_SESSION_HANDLE other = fixture_session(&fx);

    (void)state;
    for (size_t i = 0; i < LABELS; i++) {
        assert_ok(use_sign_init(&fx, fx.session, key(labels[i])));
        assert_ok(use_sign_init(&fx, other, key(labels[i])));
        assert_ok(context_login(other, FIXTURE_PIN));
        assert_rv(use_sign_data(&fx, fx.session, &signature), CKR_USER_NOT_LOGGED_IN);
        assert_ok(use_sign_data(&fx, other, &signature));
        assert_true(use_signature_is_good(&fx, labels[i], &signature));
    }
}

/* Two kinds of operation in one session: two logins. */
static void two_operations_take_two_logins(void **state)
{
    struct use_result message, data;

    fixture_stop(&fx);
    lacks_login_for_one_operation(__func__);
    assert_int_equal(start(state), 0);
    use_encrypt(&fx, KEY_HIGH_RSA, &message);
    assert_ok(use_sign_init(&fx, fx.session, key(KEY_HIGH_RSA)));
    assert_ok(use_decrypt_init(&fx, fx.session, key(KEY_HIGH_RSA)));
    assert_ok(context_login(fx.session, FIXTURE_PIN));
    assert_ok(context_login(fx.session, FIXTURE_PIN));
    assert_ok(use_decrypt_data(&fx, fx.session, &message, &data));
    assert_true(use_data_is_right(&data));
    assert_ok(use_sign_data(&fx, fx.session, &signature));
}

static void context_login_serves_one_operation(void **state)
{
    struct use_result message, data;

    (void)state;
    use_encrypt(&fx, KEY_HIGH_RSA, &message);
    assert_ok(use_sign_init(&fx, fx.session, key(KEY_HIGH_RSA)));
    assert_ok(use_decrypt_init(&fx, fx.session, key(KEY_HIGH_RSA)));
    assert_ok(context_login(fx.session, FIXTURE_PIN));
    assert_ok(use_sign_data(&fx, fx.session, &signature));
    assert_rv(use_decrypt_data(&fx, fx.session, &message, &data), CKR_USER_NOT_LOGGED_IN);
    assert_true(use_result_is_untouched(&data));
}

static void length_query_needs_no_login(void **state)
{
    CK_ULONG len = 0;

    (void)state;
    for (size_t i = 0; i < LABELS; i++) {
        assert_ok(use_sign_init(&fx, fx.session, key(labels[i])));
        assert_ok(fx.p11->C_Sign(fx.session, (CK_BYTE_PTR)USE_DATA, USE_DATA_LEN, NULL, &len));
        assert_int_equal(len, 256);
        assert_ok(context_login(fx.session, FIXTURE_PIN));
        assert_ok(fx.p11->C_Sign(fx.session, (CK_BYTE_PTR)USE_DATA, USE_DATA_LEN, NULL, &len));
        assert_ok(use_sign_data(&fx, fx.session, &signature));
        assert_true(use_signature_is_good(&fx, labels[i], &signature));
    }
}

static void login_is_no_consent(void **state)
{
    (void)state;
    assert_ok(fx.p11->C_Logout(fx.session));
    assert_ok(fixture_login(&fx, FIXTURE_PIN));
    assert_rv(use_sign(&fx, fx.session, key(KEY_PLAIN_RSA), &signature), CKR_USER_NOT_LOGGED_IN);
}

static void null_pin_is_the_backends_business(void **state)
{
    (void)state;
    assert_ok(fx.p11->C_Logout(fx.session));
    assert_int_not_equal(fx.p11->C_Login(fx.session, CKU_USER, NULL, 0), CKR_OK);
}

static void make_key(void)
{
    const struct key_wish wish = key_wish_new(MADE);
    CK_OBJECT_HANDLE public_key, private_key;

    assert_ok(key_make_ec(fx.p11, fx.session, &wish, &public_key, &private_key));
    assert_ok(fx.p11->C_DestroyObject(fx.session, public_key));
}

static CK_RV rename_key(const char *label, const char *name)
{
    CK_ATTRIBUTE template[] = {{CKA_LABEL, (void *)name, strlen(name)}};

    return fx.p11->C_SetAttributeValue(fx.session, key(label), template, 1);
}

static CK_RV delete_key(const char *label)
{
    return fx.p11->C_DestroyObject(fx.session, key(label));
}

static void expect_question(const char *word)
{
    char *questions = script_questions(&fx);

    assert_contains(questions, word);
    free(questions);
    assert_int_equal(script_asked(&fx), 1);
}

/* The standard has a context-specific login for signing and decrypting (PKCS#11 2.40, 4.9: CKA_ALWAYS_AUTHENTICATE),
 * none for what is done to a key: no application would bring a PIN for that, so the module asks. */
static void what_has_no_login_is_asked_for(void **state)
{
    (void)state;
    make_key();
    script_set(&fx, "cancel\n");
    assert_rv(rename_key(MADE, RENAMED), CKR_FUNCTION_CANCELED);
    expect_question("CHANGE");
    script_set(&fx, "pin " FIXTURE_PIN "\n");
    assert_ok(rename_key(MADE, RENAMED));
    expect_question("CHANGE");
    script_set(&fx, "cancel\n");
    assert_rv(delete_key(RENAMED), CKR_FUNCTION_CANCELED);
    expect_question("DELETE");
    script_set(&fx, "pin " FIXTURE_PIN "\n");
    assert_ok(delete_key(RENAMED));
    expect_question("DELETE");
    assert_int_equal(key_find(fx.p11, fx.session, CKO_PRIVATE_KEY, RENAMED), CK_INVALID_HANDLE);
}

/* An application that knows Pinward may bring it all the same. */
static void what_has_no_login_takes_one(void **state)
{
    (void)state;
    make_key();
    assert_ok(context_login(fx.session, FIXTURE_PIN));
    assert_ok(rename_key(MADE, RENAMED));
    assert_ok(context_login(fx.session, FIXTURE_PIN));
    assert_ok(delete_key(RENAMED));
    assert_int_equal(key_find(fx.p11, fx.session, CKO_PRIVATE_KEY, RENAMED), CK_INVALID_HANDLE);
}

static void keys_show_that_they_want_a_pin(void **state)
{
    CK_BBOOL value = 2;
    CK_ATTRIBUTE template[] = {{CKA_ALWAYS_AUTHENTICATE, &value, sizeof value},
                               {CKA_ALWAYS_AUTHENTICATE, NULL, 0}};
    CK_TOKEN_INFO info;

    (void)state;
    for (size_t i = 0; i < LABELS; i++) {
        value = 2;
        assert_ok(fx.p11->C_GetAttributeValue(fx.session, key(labels[i]), template, 2));
        assert_int_equal(value, CK_TRUE);
        assert_int_equal(template[1].ulValueLen, sizeof value);
    }
    assert_ok(fx.p11->C_GetTokenInfo(fx.slot, &info));
    assert_false(info.flags & CKF_PROTECTED_AUTHENTICATION_PATH);
}

static int begin(void **state)
{
    (void)state;
    fixture_begin(&fx, KEYS_HIGH_RSA | KEYS_PLAIN_RSA | KEYS_HMAC);
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
        TEST(without_context_login_is_refused),
        TEST(right_pin_serves_one_use),
        TEST(multi_part_needs_one_login),
        TEST(wrong_pin_keeps_the_operation_waiting),
        TEST(three_wrong_pins_end_the_operation),
        TEST(empty_pin_spends_no_try),
        TEST(context_login_before_an_operation_is_no_consent_to_it),
        TEST(context_login_serves_its_session),
        TEST(two_operations_take_two_logins),
        TEST(context_login_serves_one_operation),
        TEST(length_query_needs_no_login),
        TEST(login_is_no_consent),
        TEST(null_pin_is_the_backends_business),
        TEST(what_has_no_login_is_asked_for),
        TEST(what_has_no_login_takes_one),
        TEST(keys_show_that_they_want_a_pin),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
