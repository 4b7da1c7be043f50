/* Every use of a key at level high is agreed to by its user, once, and only that use: signing. */
#include <stdlib.h>
#include <string.h>

#include "support/fixture.h"
#include "support/isolated.h"
#include "support/keys.h"
#include "support/lacks.h"
#include "support/pinentry_script.h"
#include "support/test.h"
#include "support/use.h"

#define RIGHT "pin " FIXTURE_PIN "\n"
#define WRONG "pin 000000\n"

static struct fixture fx;

/* The key that the backend protects, and the one that only the gate does: the same is asked of both. */
static const char *const labels[] = {KEY_HIGH_RSA, KEY_PLAIN_RSA};
#define LABELS (sizeof labels / sizeof labels[0])

static int start(void **state)
{
    (void)state;
    fixture_start_logged_in(&fx, "");
    script_set(&fx, "");
    return 0;
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

static void every_signature_asks(void **state)
{
    struct use_result signature;

    (void)state;
    for (size_t i = 0; i < LABELS; i++) {
        for (int n = 0; n < 2; n++) {
            script_set(&fx, RIGHT);
            assert_ok(use_sign(&fx, fx.session, key(labels[i]), &signature));
            assert_int_equal(script_asked(&fx), 1);
            assert_true(use_signature_is_good(&fx, labels[i], &signature));
        }
    }
}

static void every_ec_signature_asks(void **state)
{
    static const char *const ec[] = {KEY_HIGH_EC, KEY_PLAIN_EC};
    struct use_result signature;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        script_set(&fx, RIGHT);
        assert_ok(use_sign_ec(&fx, fx.session, key(ec[i]), &signature));
        assert_int_equal(script_asked(&fx), 1);
        assert_true(use_ec_signature_is_good(&fx, ec[i], &signature));
        assert_rv(use_sign_ec(&fx, fx.session, key(ec[i]), &signature), CKR_FUNCTION_CANCELED);
        assert_true(use_result_is_untouched(&signature));
    }
}

static void init_alone_asks_nobody(void **state)
{
    (void)state;
    assert_ok(use_sign_init(&fx, fx.session, key(KEY_HIGH_RSA)));
    assert_int_equal(script_asked(&fx), 0);
}

static void length_query_asks_nobody(void **state)
{
    struct use_result signature;
    CK_ULONG len;

    (void)state;
    for (size_t i = 0; i < LABELS; i++) {
        script_set(&fx, RIGHT);
        assert_ok(use_sign_init(&fx, fx.session, key(labels[i])));
        for (int n = 0; n < 2; n++) {
            len = 0;
            assert_ok(fx.p11->C_Sign(fx.session, (CK_BYTE_PTR)USE_DATA, USE_DATA_LEN, NULL, &len));
            assert_int_equal(len, 256);
        }
        assert_int_equal(script_asked(&fx), 0);
        assert_ok(use_sign_data(&fx, fx.session, &signature));
        assert_int_equal(script_asked(&fx), 1);
        assert_true(use_signature_is_good(&fx, labels[i], &signature));
        assert_rv(use_sign_data(&fx, fx.session, &signature), CKR_OPERATION_NOT_INITIALIZED);
    }
}

/* PKCS#11 2.40, 5.2: the operation goes on, and the length is told. */
static void too_small_a_buffer_keeps_the_operation(void **state)
{
    struct use_result signature;

    (void)state;
    for (size_t i = 0; i < LABELS; i++) {
        script_set(&fx, RIGHT);
        assert_ok(use_sign_init(&fx, fx.session, key(labels[i])));
        use_result_init(&signature);
        signature.len = 255;
        assert_rv(
            fx.p11->C_Sign(fx.session, (CK_BYTE_PTR)USE_DATA, USE_DATA_LEN, signature.bytes, &signature.len),
            CKR_BUFFER_TOO_SMALL);
        assert_int_equal(signature.len, 256);
        assert_true(use_result_is_untouched(&signature));
        assert_int_equal(script_asked(&fx), 0);
        assert_ok(use_sign_data(&fx, fx.session, &signature));
        assert_int_equal(script_asked(&fx), 1);
        assert_true(use_signature_is_good(&fx, labels[i], &signature));
    }
}

static void wrong_pin_asks_again(void **state)
{
    struct use_result signature;
    char *questions;

    (void)state;
    for (size_t i = 0; i < LABELS; i++) {
        script_set(&fx, WRONG RIGHT);
        assert_ok(use_sign(&fx, fx.session, key(labels[i]), &signature));
        questions = script_questions(&fx);
        assert_contains(questions, "ERROR The PIN was wrong.");
        free(questions);
        assert_int_equal(script_asked(&fx), 2);
        assert_true(use_signature_is_good(&fx, labels[i], &signature));
    }
}

/* Refused, the operation over, and a new one possible. */
static void three_wrong_pins_refuse(void **state)
{
    struct use_result signature;

    (void)state;
    for (size_t i = 0; i < LABELS; i++) {
        script_set(&fx, WRONG WRONG WRONG RIGHT);
        assert_rv(use_sign(&fx, fx.session, key(labels[i]), &signature), CKR_FUNCTION_REJECTED);
        assert_true(use_result_is_untouched(&signature));
        assert_int_equal(script_asked(&fx), 3);
        assert_rv(use_sign_data(&fx, fx.session, &signature), CKR_OPERATION_NOT_INITIALIZED);
        assert_int_equal(script_asked(&fx), 0);
        assert_ok(use_sign(&fx, fx.session, key(labels[i]), &signature));
        assert_true(use_signature_is_good(&fx, labels[i], &signature));
    }
}

static void cancel_refuses(void **state)
{
    struct use_result signature;

    (void)state;
    for (size_t i = 0; i < LABELS; i++) {
        script_set(&fx, "cancel\n" RIGHT);
        assert_rv(use_sign(&fx, fx.session, key(labels[i]), &signature), CKR_FUNCTION_CANCELED);
        assert_true(use_result_is_untouched(&signature));
        assert_rv(use_sign_data(&fx, fx.session, &signature), CKR_OPERATION_NOT_INITIALIZED);
        assert_ok(use_sign(&fx, fx.session, key(labels[i]), &signature));
    }
}

static void empty_pin_is_a_wrong_pin(void **state)
{
    struct use_result signature;

    (void)state;
    for (size_t i = 0; i < LABELS; i++) {
        script_set(&fx, "empty\n" RIGHT);
        assert_ok(use_sign(&fx, fx.session, key(labels[i]), &signature));
        assert_int_equal(script_asked(&fx), 2);
    }
}

/* An operation that has its consent gives none to another session, key or kind, and none to the next. */
static void consent_serves_nothing_else(void **state)
{
    const CK_SESSION_HANDLE other = fixture_session(&fx);
    struct use_result signature, message, data;

    (void)state;
    use_encrypt(&fx, KEY_HIGH_RSA, &message);
    script_set(&fx, RIGHT);
    assert_ok(use_sign_init(&fx, fx.session, key(KEY_HIGH_RSA)));
    assert_ok(use_decrypt_init(&fx, fx.session, key(KEY_HIGH_RSA)));
    assert_ok(use_sign_init(&fx, other, key(KEY_HIGH_RSA)));
    assert_ok(fx.p11->C_SignUpdate(fx.session, (CK_BYTE_PTR)USE_DATA, USE_DATA_LEN));
    assert_int_equal(script_asked(&fx), 1);

    assert_rv(use_sign_data(&fx, other, &signature), CKR_FUNCTION_CANCELED);
    assert_rv(use_decrypt_data(&fx, fx.session, &message, &data), CKR_FUNCTION_CANCELED);
    assert_true(use_result_is_untouched(&data));
    assert_rv(use_sign(&fx, other, key(KEY_PLAIN_RSA), &signature), CKR_FUNCTION_CANCELED);
    assert_int_equal(script_asked(&fx), 3);

    use_result_init(&signature);
    assert_ok(fx.p11->C_SignFinal(fx.session, signature.bytes, &signature.len));
    assert_true(use_signature_is_good(&fx, KEY_HIGH_RSA, &signature));
    assert_rv(use_sign(&fx, fx.session, key(KEY_HIGH_RSA), &signature), CKR_FUNCTION_CANCELED);
}

/* An operation cannot be replaced by another whose consent would then be this one's. */
static void second_init_is_refused(void **state)
{
    struct use_result signature;

    (void)state;
    script_set(&fx, RIGHT);
    assert_ok(use_sign_init(&fx, fx.session, key(KEY_HIGH_RSA)));
    assert_rv(use_sign_init(&fx, fx.session, key(KEY_PLAIN_RSA)), CKR_OPERATION_ACTIVE);
    assert_rv(use_sign_init(&fx, fx.session, key(KEY_HIGH_RSA)), CKR_OPERATION_ACTIVE);
    assert_ok(use_sign_data(&fx, fx.session, &signature));
    assert_true(use_signature_is_good(&fx, KEY_HIGH_RSA, &signature));
}

static void read_only_session_asks(void **state)
{
    CK_SESSION_HANDLE session;
    struct use_result signature;

    (void)state;
    assert_ok(fx.p11->C_OpenSession(fx.slot, CKF_SERIAL_SESSION, NULL, NULL, &session));
    for (size_t i = 0; i < LABELS; i++) {
        assert_rv(use_sign(&fx, session, key(labels[i]), &signature), CKR_FUNCTION_CANCELED);
        assert_true(use_result_is_untouched(&signature));
        script_set(&fx, RIGHT);
        assert_ok(use_sign(&fx, session, key(labels[i]), &signature));
        assert_true(use_signature_is_good(&fx, labels[i], &signature));
    }
}

static void wrong_mechanism_asks_nobody(void **state)
{
    CK_MECHANISM wrong = {CKM_AES_CBC, NULL, 0};
    const CK_RV rv = fx.p11->C_SignInit(fx.session, &wrong, key(KEY_HIGH_RSA));

    (void)state;
    lacks_on(__func__, "C_SignInit of an RSA key with CKM_AES_CBC", rv, CKR_OK);
    assert_rv(rv, CKR_MECHANISM_INVALID);
    assert_int_equal(script_asked(&fx), 0);
}

static void bad_arguments_ask_nobody(void **state)
{
    struct use_result signature;
    CK_ULONG len = 256;

    (void)state;
    isolated_lacks(__func__, "p11-kit's client answers a NULL pointer by itself");
    assert_rv(fx.p11->C_SignInit(fx.session, NULL, key(KEY_HIGH_RSA)), CKR_ARGUMENTS_BAD);
    assert_rv(use_sign_init(&fx, fx.session, 0), CKR_KEY_HANDLE_INVALID);
    assert_rv(use_sign_init(&fx, fx.session, 99999), CKR_KEY_HANDLE_INVALID);
    assert_rv(use_sign_init(&fx, 99999, key(KEY_HIGH_RSA)), CKR_SESSION_HANDLE_INVALID);
    assert_rv(use_sign_data(&fx, 99999, &signature), CKR_SESSION_HANDLE_INVALID);
    assert_rv(use_sign_data(&fx, fx.session, &signature), CKR_OPERATION_NOT_INITIALIZED);
    assert_rv(fx.p11->C_SignUpdate(fx.session, (CK_BYTE_PTR) "x", 1), CKR_OPERATION_NOT_INITIALIZED);

    assert_ok(use_sign_init(&fx, fx.session, key(KEY_HIGH_RSA)));
    assert_rv(fx.p11->C_Sign(fx.session, NULL, 5, signature.bytes, &len), CKR_ARGUMENTS_BAD);
    assert_ok(use_sign_init(&fx, fx.session, key(KEY_HIGH_RSA)));
    assert_rv(fx.p11->C_Sign(fx.session, (CK_BYTE_PTR) "x", 1, signature.bytes, NULL), CKR_ARGUMENTS_BAD);
    assert_ok(use_sign_init(&fx, fx.session, key(KEY_HIGH_RSA)));
    assert_rv(fx.p11->C_SignUpdate(fx.session, NULL, 5), CKR_ARGUMENTS_BAD);
    assert_int_equal(script_asked(&fx), 0);
}

/* A secret key is none of the gate's business. */
static void hmac_asks_nobody(void **state)
{
    CK_MECHANISM mechanism = {CKM_SHA256_HMAC, NULL, 0};
    const CK_OBJECT_HANDLE hmac = key_secret(fx.p11, fx.session, KEY_HMAC);
    CK_BYTE mac[64];
    CK_ULONG len = sizeof mac;

    (void)state;
    assert_ok(fx.p11->C_SignInit(fx.session, &mechanism, hmac));
    assert_ok(fx.p11->C_Sign(fx.session, (CK_BYTE_PTR)USE_DATA, USE_DATA_LEN, NULL, &len));
    assert_int_equal(len, 32);
    assert_ok(fx.p11->C_Sign(fx.session, (CK_BYTE_PTR)USE_DATA, USE_DATA_LEN, mac, &len));
    assert_ok(fx.p11->C_VerifyInit(fx.session, &mechanism, hmac));
    assert_ok(fx.p11->C_Verify(fx.session, (CK_BYTE_PTR)USE_DATA, USE_DATA_LEN, mac, len));
    assert_ok(fx.p11->C_SignInit(fx.session, &mechanism, hmac));
    assert_ok(fx.p11->C_SignUpdate(fx.session, (CK_BYTE_PTR)USE_DATA, USE_DATA_LEN));
    assert_ok(fx.p11->C_SignFinal(fx.session, mac, &len));
    assert_int_equal(script_asked(&fx), 0);
}

/* A key of the session's own is a private key like any other; so is one that is visible to everybody. */
static void session_key_asks(void **state)
{
    struct key_wish wish = key_wish_new("of the session");
    CK_OBJECT_HANDLE public_key, private_key;
    struct use_result signature;

    (void)state;
    wish.on_token = false;
    assert_ok(key_make_ec(fx.p11, fx.session, &wish, &public_key, &private_key));
    assert_rv(use_sign_ec(&fx, fx.session, private_key, &signature), CKR_FUNCTION_CANCELED);
    script_set(&fx, RIGHT);
    assert_ok(use_sign_ec(&fx, fx.session, private_key, &signature));
    assert_int_equal(script_asked(&fx), 1);
    assert_true(use_ec_signature_is_good(&fx, "of the session", &signature));
}

static void key_that_is_not_private_asks(void **state)
{
    struct use_result signature;

    (void)state;
    assert_rv(use_sign(&fx, fx.session, key(KEY_PUBLIC_RSA), &signature), CKR_FUNCTION_CANCELED);
    script_set(&fx, RIGHT);
    assert_ok(use_sign(&fx, fx.session, key(KEY_PUBLIC_RSA), &signature));
    assert_int_equal(script_asked(&fx), 1);
    assert_true(use_signature_is_good(&fx, KEY_PUBLIC_RSA, &signature));
}

/* Without a login there is no PIN to compare with: denied, however right the PIN. */
static void key_that_is_not_private_wants_a_login(void **state)
{
    struct use_result signature;

    (void)state;
    lacks_bool(&fx, __func__, key(KEY_PUBLIC_RSA), CKA_PRIVATE, false, "CKA_PRIVATE of a private key that was made without");
    assert_ok(fx.p11->C_Logout(fx.session));
    script_set(&fx, RIGHT);
    assert_rv(use_sign(&fx, fx.session, key(KEY_PUBLIC_RSA), &signature), CKR_USER_NOT_LOGGED_IN);
    assert_true(use_result_is_untouched(&signature));
}

static int begin(void **state)
{
    (void)state;
    fixture_begin(&fx, KEYS_HIGH_RSA | KEYS_HIGH_EC | KEYS_PLAIN_RSA | KEYS_PLAIN_EC | KEYS_PUBLIC_RSA |
                           KEYS_HMAC);
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
        TEST(every_signature_asks),
        TEST(every_ec_signature_asks),
        TEST(init_alone_asks_nobody),
        TEST(length_query_asks_nobody),
        TEST(too_small_a_buffer_keeps_the_operation),
        TEST(wrong_pin_asks_again),
        TEST(three_wrong_pins_refuse),
        TEST(cancel_refuses),
        TEST(empty_pin_is_a_wrong_pin),
        TEST(consent_serves_nothing_else),
        TEST(second_init_is_refused),
        TEST(read_only_session_asks),
        TEST(wrong_mechanism_asks_nobody),
        TEST(bad_arguments_ask_nobody),
        TEST(hmac_asks_nobody),
        TEST(session_key_asks),
        TEST(key_that_is_not_private_asks),
        TEST(key_that_is_not_private_wants_a_login),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
