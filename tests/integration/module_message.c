/* Messages (PKCS#11 3.0, 5.11 and 5.14) with a protected key: each is agreed to for itself. On the backend that records,
 * since it is as careless as a backend can be. */
#include <string.h>

#include "message_world.h"
#include "support/pinentry_script.h"
#include "support/test.h"

/* ------------------------------------------------------------------ one message, one consent */

static void each_message_asks(void **state)
{
    static const enum message_object keys[] = {MESSAGE_PRIVATE, MESSAGE_ENFORCED};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        CK_SESSION_HANDLE beside;

        message_start("");
        script_set(&fx, MESSAGE_RIGHT MESSAGE_RIGHT MESSAGE_RIGHT);
        assert_ok(v3->C_MessageSignInit(fx.session, &rsa, keys[i]));
        message_expect(CALL_C_MessageSignInit, 1, 0);
        beside = mock->arguments[CALL_C_MessageSignInit][0];
        assert_int_not_equal(beside, fx.session);
        for (int n = 0; n < 2; n++) {
            mock->calls[CALL_C_Login] = 0;
            assert_ok(message_sign("data"));
            message_expect(CALL_C_SignMessage, 1, 1);
            assert_int_equal(mock->arguments[CALL_C_SignMessage][0], beside);
            assert_int_not_equal(mock->arguments[CALL_C_SignMessage][1], (uintptr_t)message_parameter); /* a copy */
            assert_int_equal(mock->arguments[CALL_C_SignMessage][4], 4);
            /* The backend checks the PIN of a key that it protects itself, for each message. */
            assert_int_equal(mock->calls[CALL_C_Login], keys[i] == MESSAGE_ENFORCED ? 1 : 0);
        }
        assert_ok(v3->C_MessageSignFinal(fx.session));
        assert_int_equal(mock->arguments[CALL_C_MessageSignFinal][0], beside);
        assert_int_equal(mock->arguments[CALL_C_CloseSession][0], beside);
        assert_rv(message_sign("data"), CKR_OPERATION_NOT_INITIALIZED);

        assert_ok(v3->C_MessageDecryptInit(fx.session, &rsa, keys[i]));
        assert_ok(message_decrypt("data"));
        message_expect(CALL_C_DecryptMessage, 1, 1);
        assert_int_equal(mock->arguments[CALL_C_DecryptMessage][4], 2);
        assert_rv(message_decrypt("data"), CKR_FUNCTION_CANCELED);
        message_expect(CALL_C_DecryptMessage, 0, 1);
        assert_ok(v3->C_MessageDecryptFinal(fx.session));
        fixture_stop(&fx);
    }
}

/* A message that was refused is over; the process is not, and asks again for the next one. */
static void refused_message_reaches_nobody(void **state)
{
    (void)state;
    message_start("");
    script_set(&fx, "cancel\ncancel\n" MESSAGE_RIGHT);
    assert_ok(v3->C_MessageSignInit(fx.session, &rsa, MESSAGE_PRIVATE));
    assert_rv(message_sign("data"), CKR_FUNCTION_CANCELED);
    message_expect(CALL_C_SignMessage, 0, 1);
    assert_rv(v3->C_SignMessageBegin(fx.session, message_parameter, sizeof message_parameter), CKR_FUNCTION_CANCELED);
    message_expect(CALL_C_SignMessageBegin, 0, 1);
    assert_rv(message_sign_part("data", true), CKR_OPERATION_NOT_INITIALIZED);
    message_expect(CALL_C_SignMessageNext, 0, 0);
    assert_ok(message_sign("data"));
    message_expect(CALL_C_SignMessage, 1, 1);
}

/* So is one that the backend could not sign. */
static void failed_message_is_over(void **state)
{
    (void)state;
    message_start("");
    script_set(&fx, MESSAGE_RIGHT MESSAGE_RIGHT);
    assert_ok(v3->C_MessageSignInit(fx.session, &rsa, MESSAGE_PRIVATE));
    mock->answers[CALL_C_SignMessage] = CKR_DATA_LEN_RANGE;
    assert_rv(message_sign("data"), CKR_DATA_LEN_RANGE);
    mock->answers[CALL_C_SignMessage] = CKR_OK;
    assert_int_equal(script_asked(&fx), 1);
    assert_ok(message_sign("data"));
    assert_int_equal(script_asked(&fx), 1);
}

static void length_is_told_without_asking(void **state)
{
    CK_ULONG len = 0;

    (void)state;
    message_start("");
    script_set(&fx, MESSAGE_RIGHT);
    assert_ok(v3->C_MessageSignInit(fx.session, &rsa, MESSAGE_PRIVATE));
    assert_ok(v3->C_SignMessage(fx.session, NULL, 0, (CK_BYTE_PTR) "data", 4, NULL, &len));
    message_expect(CALL_C_SignMessage, 1, 0);
    assert_ok(message_sign("data"));
    message_expect(CALL_C_SignMessage, 1, 1);
}

static void consent_is_bound_to_its_message(void **state)
{
    (void)state;
    message_start("");
    script_set(&fx, MESSAGE_RIGHT MESSAGE_RIGHT MESSAGE_RIGHT);
    mock->answers[CALL_C_SignMessage] = CKR_BUFFER_TOO_SMALL;
    assert_ok(v3->C_MessageSignInit(fx.session, &rsa, MESSAGE_PRIVATE));
    assert_rv(message_sign("data"), CKR_BUFFER_TOO_SMALL);
    mock->answers[CALL_C_SignMessage] = CKR_OK;
    assert_ok(message_sign("data"));
    message_expect(CALL_C_SignMessage, 2, 1);

    /* Other data, in one part or in several, uses it up without being signed. */
    for (int parts = 0; parts < 2; parts++) {
        mock->answers[CALL_C_SignMessage] = CKR_BUFFER_TOO_SMALL;
        assert_rv(message_sign("data"), CKR_BUFFER_TOO_SMALL);
        mock->answers[CALL_C_SignMessage] = CKR_OK;
        message_expect(CALL_C_SignMessage, 1, 1);
        assert_rv(parts ? v3->C_SignMessageBegin(fx.session, NULL, 0) : message_sign("other"), CKR_FUNCTION_REJECTED);
        assert_int_equal(mock->calls[CALL_C_SignMessageBegin], 0);
        message_expect(CALL_C_SignMessage, 0, 0);
    }
    assert_rv(message_sign("data"), CKR_FUNCTION_CANCELED);
    message_expect(CALL_C_SignMessage, 0, 1);
}

/* ------------------------------------------------------------------ messages in parts */

static void parts_are_agreed_to_at_their_beginning(void **state)
{
    CK_ULONG len = 0;

    (void)state;
    message_start("");
    script_set(&fx, MESSAGE_RIGHT MESSAGE_RIGHT);
    assert_ok(v3->C_MessageSignInit(fx.session, &rsa, MESSAGE_ENFORCED));
    assert_rv(message_sign_part("data", false), CKR_OPERATION_NOT_INITIALIZED);
    message_expect(CALL_C_SignMessageNext, 0, 0);
    assert_ok(v3->C_SignMessageBegin(fx.session, message_parameter, sizeof message_parameter));
    message_expect(CALL_C_SignMessageBegin, 1, 1);
    assert_ok(message_sign_part("one", false));
    assert_ok(message_sign_part("two", false));
    assert_ok(v3->C_SignMessageNext(fx.session, NULL, 0, NULL, 0, NULL, &len));
    /* In the middle of one message there is no other. */
    assert_rv(message_sign("data"), CKR_OPERATION_ACTIVE);
    assert_rv(v3->C_SignMessageBegin(fx.session, NULL, 0), CKR_OPERATION_ACTIVE);
    assert_int_equal(mock->calls[CALL_C_SignMessageBegin], 0);
    message_expect(CALL_C_SignMessage, 0, 0);
    assert_ok(message_sign_part("three", true));
    message_expect(CALL_C_SignMessageNext, 4, 0);

    assert_rv(message_sign_part("four", true), CKR_OPERATION_NOT_INITIALIZED);
    message_expect(CALL_C_SignMessageNext, 0, 0);
    assert_ok(message_sign("data"));
    message_expect(CALL_C_SignMessage, 1, 1);
    assert_rv(v3->C_SignMessageBegin(fx.session, NULL, 0), CKR_FUNCTION_CANCELED);
}

static void failed_part_ends_the_message(void **state)
{
    (void)state;
    message_start("");
    script_set(&fx, MESSAGE_RIGHT MESSAGE_RIGHT);
    assert_ok(v3->C_MessageSignInit(fx.session, &rsa, MESSAGE_PRIVATE));
    for (int last = 0; last < 2; last++) {
        assert_ok(v3->C_SignMessageBegin(fx.session, NULL, 0));
        mock->answers[CALL_C_SignMessageNext] = CKR_DEVICE_ERROR;
        assert_rv(message_sign_part("data", last), CKR_DEVICE_ERROR);
        mock->answers[CALL_C_SignMessageNext] = CKR_OK;
        assert_rv(message_sign_part("data", true), CKR_OPERATION_NOT_INITIALIZED);
    }
    assert_rv(v3->C_SignMessageBegin(fx.session, NULL, 0), CKR_FUNCTION_CANCELED);
}

static void decryption_in_parts(void **state)
{
    (void)state;
    message_start("");
    script_set(&fx, MESSAGE_RIGHT);
    assert_ok(v3->C_MessageDecryptInit(fx.session, &rsa, MESSAGE_PRIVATE));
    assert_ok(v3->C_DecryptMessageBegin(fx.session, message_parameter, sizeof message_parameter, (CK_BYTE_PTR) "ad", 2));
    message_expect(CALL_C_DecryptMessageBegin, 1, 1);
    assert_ok(message_decrypt_part("one", 0));
    mock->answers[CALL_C_DecryptMessageNext] = CKR_BUFFER_TOO_SMALL;
    assert_rv(message_decrypt_part("two", 0), CKR_BUFFER_TOO_SMALL);
    assert_rv(message_decrypt_part("two", CKF_END_OF_MESSAGE), CKR_BUFFER_TOO_SMALL);
    mock->answers[CALL_C_DecryptMessageNext] = CKR_OK;
    assert_rv(message_decrypt("data"), CKR_OPERATION_ACTIVE);
    assert_ok(message_decrypt_part("two", CKF_END_OF_MESSAGE));
    assert_int_equal(mock->arguments[CALL_C_DecryptMessageNext][7], CKF_END_OF_MESSAGE);
    message_expect(CALL_C_DecryptMessageNext, 4, 0);
    assert_rv(message_decrypt_part("three", CKF_END_OF_MESSAGE), CKR_OPERATION_NOT_INITIALIZED);
    assert_rv(message_decrypt("data"), CKR_FUNCTION_CANCELED);
    message_expect(CALL_C_DecryptMessage, 0, 1);
}

static void bad_arguments_reach_nobody(void **state)
{
    CK_ULONG len = sizeof message_result;

    (void)state;
    message_start("");
    script_set(&fx, MESSAGE_RIGHT);
    assert_ok(v3->C_MessageDecryptInit(fx.session, &rsa, MESSAGE_PRIVATE));
    assert_rv(v3->C_DecryptMessage(fx.session, NULL, 0, NULL, 0, NULL, 5, message_result, &len), CKR_ARGUMENTS_BAD);
    assert_rv(v3->C_DecryptMessage(fx.session, NULL, 0, NULL, 0, message_result, 5, message_result, NULL), CKR_ARGUMENTS_BAD);
    message_expect(CALL_C_DecryptMessage, 0, 0);
    assert_ok(v3->C_DecryptMessageBegin(fx.session, NULL, 0, NULL, 0));
    assert_rv(v3->C_DecryptMessageNext(fx.session, NULL, 0, NULL, 5, message_result, &len, 0), CKR_ARGUMENTS_BAD);
    message_expect(CALL_C_DecryptMessageNext, 0, 1);
    assert_rv(message_sign("data"), CKR_OPERATION_NOT_INITIALIZED);
    assert_rv(v3->C_MessageSignFinal(fx.session), CKR_OPERATION_NOT_INITIALIZED);
    assert_rv(v3->C_MessageSignInit(fx.session + 50, &rsa, MESSAGE_PRIVATE), CKR_SESSION_HANDLE_INVALID);
    assert_rv(v3->C_MessageSignInit(fx.session, &rsa, MESSAGE_VENDOR), CKR_KEY_TYPE_INCONSISTENT);
    assert_rv(v3->C_MessageSignInit(fx.session, &rsa, 15), CKR_KEY_HANDLE_INVALID);
    assert_rv(v3->C_MessageSignInit(fx.session, NULL, MESSAGE_PRIVATE), CKR_ARGUMENTS_BAD);
    message_expect(CALL_C_MessageSignInit, 0, 0);
}

#define TEST(f) cmocka_unit_test_teardown(f, message_stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_message_asks),
        TEST(refused_message_reaches_nobody),
        TEST(failed_message_is_over),
        TEST(length_is_told_without_asking),
        TEST(consent_is_bound_to_its_message),
        TEST(parts_are_agreed_to_at_their_beginning),
        TEST(failed_part_ends_the_message),
        TEST(decryption_in_parts),
        TEST(bad_arguments_reach_nobody),
    };

    return cmocka_run_group_tests(tests, message_begin, message_end);
}
