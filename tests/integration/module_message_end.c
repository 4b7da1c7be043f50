/* Messages (PKCS#11 3.0) and who else there is: other keys, applications that ask themselves, logouts, threads; and what
 * C_SessionCancel ends. */
#include <pthread.h>
#include <string.h>

#include "message_world.h"
#include "support/pinentry_script.h"
#include "support/test.h"

/* ------------------------------------------------------------------ who else there is */

static void secret_keys_are_forwarded(void **state)
{
    (void)state;
    message_start("");
    assert_ok(v3->C_MessageSignInit(fx.session, &rsa, MESSAGE_SECRET));
    assert_int_equal(mock->arguments[CALL_C_MessageSignInit][0], fx.session);
    assert_ok(message_sign("data"));
    assert_int_equal(mock->arguments[CALL_C_SignMessage][0], fx.session);
    assert_ok(v3->C_SignMessageBegin(fx.session, message_parameter, 3));
    assert_ok(message_sign_part("data", false));
    assert_int_equal(mock->arguments[CALL_C_SignMessageNext][6], 0);
    assert_ok(message_sign_part("data", true));
    assert_ok(v3->C_MessageSignFinal(fx.session));
    assert_ok(v3->C_MessageDecryptInit(fx.session, &rsa, MESSAGE_SECRET));
    assert_ok(message_decrypt("data"));
    assert_int_equal(mock->arguments[CALL_C_DecryptMessage][0], fx.session);
    assert_ok(v3->C_MessageDecryptFinal(fx.session));
    assert_int_equal(script_asked(&fx), 0);
}

/* prompt = application: a context-specific login for each message. */
static void application_logs_in_for_each_message(void **state)
{
    (void)state;
    message_start("prompt = application\n");
    assert_ok(v3->C_MessageSignInit(fx.session, &rsa, MESSAGE_ENFORCED));
    assert_rv(message_sign("data"), CKR_USER_NOT_LOGGED_IN);
    for (int n = 0; n < 2; n++) {
        assert_ok(fx.p11->C_Login(fx.session, CKU_CONTEXT_SPECIFIC, (CK_BYTE_PTR)MESSAGE_PIN, strlen(MESSAGE_PIN)));
        assert_ok(n ? v3->C_SignMessageBegin(fx.session, NULL, 0) : message_sign("data"));
        if (n)
            assert_ok(message_sign_part("data", true));
        assert_rv(message_sign("data"), CKR_USER_NOT_LOGGED_IN);
        assert_rv(v3->C_SignMessageBegin(fx.session, NULL, 0), CKR_USER_NOT_LOGGED_IN);
    }
    assert_int_equal(mock->calls[CALL_C_SignMessage], 1);
    assert_int_equal(mock->calls[CALL_C_SignMessageBegin], 1);
    assert_int_equal(script_asked(&fx), 0);
}

/* Somebody who mistypes once at each of many messages goes on; three wrong PINs for one end them all. */
static void wrong_pins_are_counted_for_each_message(void **state)
{
    (void)state;
    message_start("prompt = application\n");
    assert_ok(v3->C_MessageSignInit(fx.session, &rsa, MESSAGE_PRIVATE));
    for (int n = 0; n < 5; n++) {
        assert_rv(fx.p11->C_Login(fx.session, CKU_CONTEXT_SPECIFIC, (CK_BYTE_PTR) "000000", 6), CKR_PIN_INCORRECT);
        assert_ok(fx.p11->C_Login(fx.session, CKU_CONTEXT_SPECIFIC, (CK_BYTE_PTR)MESSAGE_PIN, strlen(MESSAGE_PIN)));
        assert_ok(message_sign("data"));
    }
    for (int n = 0; n < 3; n++)
        assert_rv(fx.p11->C_Login(fx.session, CKU_CONTEXT_SPECIFIC, (CK_BYTE_PTR) "000000", 6),
                  n < 2 ? CKR_PIN_INCORRECT : CKR_FUNCTION_REJECTED);
    assert_rv(message_sign("data"), CKR_OPERATION_NOT_INITIALIZED);
    assert_int_equal(mock->calls[CALL_C_SignMessage], 5);
}

static void logout_ends_the_process(void **state)
{
    (void)state;
    message_start("");
    script_set(&fx, MESSAGE_RIGHT);
    assert_ok(v3->C_MessageSignInit(fx.session, &rsa, MESSAGE_PRIVATE));
    assert_ok(v3->C_SignMessageBegin(fx.session, NULL, 0));
    assert_ok(fx.p11->C_Logout(fx.session));
    assert_rv(message_sign_part("data", true), CKR_OPERATION_NOT_INITIALIZED);
    assert_rv(message_sign("data"), CKR_OPERATION_NOT_INITIALIZED);
    assert_int_equal(mock->calls[CALL_C_SignMessageNext], 0);
}

static void *sign_on_thread(void *rv)
{
    *(CK_RV *)rv = message_sign("data");
    return NULL;
}

/* Consented to without its data being known, a message is still only one. */
static void one_consent_is_for_one_thread(void **state)
{
    pthread_t thread;
    CK_RV rv;

    (void)state;
    message_start("prompt = application\n");
    assert_ok(v3->C_MessageSignInit(fx.session, &rsa, MESSAGE_PRIVATE));
    assert_ok(fx.p11->C_Login(fx.session, CKU_CONTEXT_SPECIFIC, (CK_BYTE_PTR)MESSAGE_PIN, strlen(MESSAGE_PIN)));
    mock->delay_ms[CALL_C_SignMessage] = 300;
    assert_int_equal(pthread_create(&thread, NULL, sign_on_thread, &rv), 0);
    while (mock->inside == 0)
        sched_yield();
    assert_rv(message_sign("other"), CKR_OPERATION_ACTIVE);
    assert_rv(v3->C_SignMessageBegin(fx.session, NULL, 0), CKR_OPERATION_ACTIVE);
    assert_rv(v3->C_MessageSignFinal(fx.session), CKR_OPERATION_ACTIVE);
    pthread_join(thread, NULL);
    assert_ok(rv);
    assert_int_equal(mock->calls[CALL_C_SignMessage], 1);
    assert_rv(message_sign("other"), CKR_USER_NOT_LOGGED_IN);
}

/* ------------------------------------------------------------------ cancelling */

static void cancel_ends_what_the_flags_name(void **state)
{
    CK_SESSION_HANDLE beside;

    (void)state;
    message_start("");
    assert_ok(v3->C_SignInit(fx.session, &rsa, MESSAGE_PRIVATE));
    assert_ok(v3->C_MessageSignInit(fx.session, &rsa, MESSAGE_PRIVATE));
    beside = mock->arguments[CALL_C_MessageSignInit][0];
    assert_ok(v3->C_SessionCancel(fx.session, 0));
    assert_ok(v3->C_SessionCancel(fx.session, CKF_MESSAGE_DECRYPT | CKF_DECRYPT));
    assert_ok(v3->C_SessionCancel(fx.session, CKF_MESSAGE_SIGN | CKF_SIGN_RECOVER));
    assert_int_equal(mock->arguments[CALL_C_CloseSession][0], beside);
    assert_rv(message_sign("data"), CKR_OPERATION_NOT_INITIALIZED);
    assert_rv(v3->C_SignInit(fx.session, &rsa, MESSAGE_PRIVATE), CKR_OPERATION_ACTIVE);
    assert_ok(v3->C_SessionCancel(fx.session, CKF_SIGN));
    assert_ok(v3->C_SignInit(fx.session, &rsa, MESSAGE_PRIVATE));
    assert_rv(v3->C_SessionCancel(mock->arguments[CALL_C_SignInit][0], CKF_VERIFY), CKR_SESSION_HANDLE_INVALID);
    /* None of this was the backend's. */
    assert_int_equal(mock->calls[CALL_C_SessionCancel], 0);

    /* What only the backend has. */
    mock->answers[CALL_C_SessionCancel] = CKR_OPERATION_CANCEL_FAILED;
    assert_rv(v3->C_SessionCancel(fx.session, CKF_SIGN | CKF_VERIFY | CKF_FIND_OBJECTS), CKR_OPERATION_CANCEL_FAILED);
    assert_int_equal(mock->arguments[CALL_C_SessionCancel][1], CKF_VERIFY | CKF_FIND_OBJECTS);
    assert_rv(v3->C_SessionCancel(fx.session + 50, CKF_SIGN), CKR_SESSION_HANDLE_INVALID);
    assert_int_equal(mock->calls[CALL_C_SessionCancel], 1);
}

static void cancel_tells_the_backend_of_free_operations(void **state)
{
    (void)state;
    message_start("");
    assert_ok(v3->C_SignInit(fx.session, &rsa, MESSAGE_SECRET));
    assert_ok(v3->C_SessionCancel(fx.session, CKF_SIGN));
    assert_int_equal(mock->arguments[CALL_C_SessionCancel][0], fx.session);
    assert_int_equal(mock->arguments[CALL_C_SessionCancel][1], CKF_SIGN);
    assert_ok(v3->C_SignInit(fx.session, &rsa, MESSAGE_PRIVATE));
}

static void cancel_with_a_backend_of_2_40(void **state)
{
    (void)state;
    message_start_with("", (CK_VERSION){0, 0});
    assert_ok(v3->C_SessionCancel(fx.session, 0));
    assert_ok(v3->C_SessionCancel(fx.session, CKF_SIGN));
    assert_ok(v3->C_SignInit(fx.session, &rsa, MESSAGE_PRIVATE));
    assert_ok(v3->C_SessionCancel(fx.session, CKF_SIGN | CKF_DECRYPT));
    assert_ok(v3->C_SignInit(fx.session, &rsa, MESSAGE_PRIVATE));
    assert_rv(v3->C_SessionCancel(fx.session, CKF_SIGN | CKF_DIGEST), CKR_OPERATION_CANCEL_FAILED);
    assert_rv(v3->C_SessionCancel(fx.session, CKF_DIGEST), CKR_FUNCTION_NOT_SUPPORTED);
    assert_ok(v3->C_SignInit(fx.session, &rsa, MESSAGE_SECRET));
    assert_rv(v3->C_SessionCancel(fx.session, CKF_SIGN), CKR_FUNCTION_NOT_SUPPORTED);
}

/* The question goes away, and the call that asked says why. */
static void cancel_withdraws_the_question(void **state)
{
    pthread_t thread;
    CK_RV rv;

    (void)state;
    message_start("");
    script_set(&fx, "hang\n");
    assert_ok(v3->C_MessageSignInit(fx.session, &rsa, MESSAGE_PRIVATE));
    assert_int_equal(pthread_create(&thread, NULL, sign_on_thread, &rv), 0);
    script_wait_question(&fx);
    assert_ok(v3->C_SessionCancel(fx.session, CKF_MESSAGE_SIGN));
    pthread_join(thread, NULL);
    assert_rv(rv, CKR_FUNCTION_CANCELED);
    assert_int_equal(mock->calls[CALL_C_SignMessage], 0);
    assert_rv(message_sign("data"), CKR_OPERATION_NOT_INITIALIZED);
    assert_ok(v3->C_MessageSignInit(fx.session, &rsa, MESSAGE_PRIVATE));
}

/* 3.0, 5.8 to 5.14: a NULL mechanism ends an operation; where there is none it is what it was in 2.40. */
static void init_without_mechanism_cancels(void **state)
{
    (void)state;
    message_start("");
    assert_rv(v3->C_SignInit(fx.session, NULL, MESSAGE_PRIVATE), CKR_ARGUMENTS_BAD);
    assert_rv(v3->C_DecryptInit(fx.session, NULL, 0), CKR_ARGUMENTS_BAD);
    assert_ok(v3->C_SignInit(fx.session, &rsa, MESSAGE_PRIVATE));
    assert_ok(v3->C_SignInit(fx.session, NULL, 0));
    assert_ok(v3->C_DecryptInit(fx.session, &rsa, MESSAGE_PRIVATE));
    assert_ok(v3->C_DecryptInit(fx.session, NULL, 0));
    assert_ok(v3->C_MessageSignInit(fx.session, &rsa, MESSAGE_PRIVATE));
    assert_ok(v3->C_MessageSignInit(fx.session, NULL, 0));
    assert_rv(message_sign("data"), CKR_OPERATION_NOT_INITIALIZED);
    assert_int_equal(mock->calls[CALL_C_SessionCancel], 0);
    assert_ok(v3->C_EncryptInit(fx.session, NULL, 0));
    assert_int_equal(mock->arguments[CALL_C_SessionCancel][1], CKF_ENCRYPT);
    assert_ok(v3->C_MessageEncryptInit(fx.session, NULL, 0));
    assert_int_equal(mock->arguments[CALL_C_SessionCancel][1], CKF_MESSAGE_ENCRYPT);
    assert_int_equal(mock->calls[CALL_C_EncryptInit] + mock->calls[CALL_C_MessageEncryptInit], 0);
    fixture_stop(&fx);
    message_start_with("", (CK_VERSION){0, 0});
    assert_rv(v3->C_EncryptInit(fx.session, NULL, 0), CKR_ARGUMENTS_BAD);
    assert_ok(v3->C_SignInit(fx.session, &rsa, MESSAGE_SECRET));
    assert_rv(v3->C_SignInit(fx.session, NULL, 0), CKR_ARGUMENTS_BAD);
}

#define TEST(f) cmocka_unit_test_teardown(f, message_stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(secret_keys_are_forwarded),
        TEST(application_logs_in_for_each_message),
        TEST(wrong_pins_are_counted_for_each_message),
        TEST(logout_ends_the_process),
        TEST(one_consent_is_for_one_thread),
        TEST(cancel_ends_what_the_flags_name),
        TEST(cancel_tells_the_backend_of_free_operations),
        TEST(cancel_with_a_backend_of_2_40),
        TEST(cancel_withdraws_the_question),
        TEST(init_without_mechanism_cancels),
    };

    return cmocka_run_group_tests(tests, message_begin, message_end);
}
