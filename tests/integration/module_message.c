/* Messages (PKCS#11 3.0, 5.11 and 5.14) with a protected key: each is agreed to for itself. And what C_SessionCancel
 * ends. On the backend that records, since it is as careless as a backend can be. */
#include <pthread.h>
#include <string.h>

#include "support/mock.h"
#include "support/p11_v3.h"
#include "support/pinentry_script.h"
#include "support/test.h"

#define PIN   "4711-pin"
#define RIGHT "pin " PIN "\n"

enum object { SECRET = 1, PRIVATE, ENFORCED, VENDOR };

static struct fixture fx;
static struct mock_backend *mock;
static CK_FUNCTION_LIST_3_0 *v3;
static CK_MECHANISM rsa = {CKM_RSA_PKCS, NULL, 0};
static CK_BYTE parameter[4];
static CK_BYTE result[64];
static CK_ULONG result_len;

static void start_with(const char *lines, CK_VERSION version_3)
{
    mock = mock_reset();
    mock->version_3 = version_3;
    mock->objects[SECRET] = (struct mock_object){.exists = true, .object_class = CKO_SECRET_KEY};
    mock->objects[PRIVATE] =
        (struct mock_object){.exists = true, .object_class = CKO_PRIVATE_KEY, .key_type = CKK_GOSTR3410};
    mock->objects[ENFORCED] = mock->objects[PRIVATE];
    mock->objects[ENFORCED].always_authenticate = CK_TRUE;
    mock->objects[VENDOR] = (struct mock_object){.exists = true, .object_class = CKO_VENDOR_DEFINED | 1};
    v3 = p11_v3_functions(&fx);
    mock_start(&fx, lines);
    script_set(&fx, "");
    assert_ok(fx.p11->C_Login(fx.session, CKU_USER, (CK_BYTE_PTR)PIN, strlen(PIN)));
}

static void start(const char *lines)
{
    start_with(lines, (CK_VERSION){3, 0});
}

static int stop(void **state)
{
    (void)state;
    fixture_stop(&fx);
    return 0;
}

static CK_RV sign(const char *data)
{
    result_len = sizeof result;
    return v3->C_SignMessage(fx.session, parameter, sizeof parameter, (CK_BYTE_PTR)data, strlen(data), result,
                             &result_len);
}

static CK_RV sign_part(const char *part, bool last)
{
    result_len = sizeof result;
    return v3->C_SignMessageNext(fx.session, parameter, sizeof parameter, (CK_BYTE_PTR)part, strlen(part),
                                 last ? result : NULL, last ? &result_len : NULL);
}

static CK_RV decrypt(const char *data)
{
    result_len = sizeof result;
    return v3->C_DecryptMessage(fx.session, parameter, sizeof parameter, (CK_BYTE_PTR) "ad", 2, (CK_BYTE_PTR)data,
                                strlen(data), result, &result_len);
}

static CK_RV decrypt_part(const char *part, CK_FLAGS flags)
{
    result_len = sizeof result;
    return v3->C_DecryptMessageNext(fx.session, parameter, sizeof parameter, (CK_BYTE_PTR)part, strlen(part), result,
                                    &result_len, flags);
}

/* The call was made this often, and nobody or somebody was asked. */
static void expect(enum p11_call call, unsigned calls, int asked)
{
    assert_int_equal(mock->calls[call], calls);
    assert_int_equal(script_asked(&fx), asked);
    mock->calls[call] = 0;
}

/* ------------------------------------------------------------------ one message, one consent */

static void each_message_asks(void **state)
{
    static const enum object keys[] = {PRIVATE, ENFORCED};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        CK_SESSION_HANDLE beside;

        start("");
        script_set(&fx, RIGHT RIGHT RIGHT);
        assert_ok(v3->C_MessageSignInit(fx.session, &rsa, keys[i]));
        expect(CALL_C_MessageSignInit, 1, 0);
        beside = mock->arguments[CALL_C_MessageSignInit][0];
        assert_int_not_equal(beside, fx.session);
        for (int n = 0; n < 2; n++) {
            mock->calls[CALL_C_Login] = 0;
            assert_ok(sign("data"));
            expect(CALL_C_SignMessage, 1, 1);
            assert_int_equal(mock->arguments[CALL_C_SignMessage][0], beside);
            assert_int_not_equal(mock->arguments[CALL_C_SignMessage][1], (uintptr_t)parameter); /* a copy */
            assert_int_equal(mock->arguments[CALL_C_SignMessage][4], 4);
            /* The backend checks the PIN of a key that it protects itself, for each message. */
            assert_int_equal(mock->calls[CALL_C_Login], keys[i] == ENFORCED ? 1 : 0);
        }
        assert_ok(v3->C_MessageSignFinal(fx.session));
        assert_int_equal(mock->arguments[CALL_C_MessageSignFinal][0], beside);
        assert_int_equal(mock->arguments[CALL_C_CloseSession][0], beside);
        assert_rv(sign("data"), CKR_OPERATION_NOT_INITIALIZED);

        assert_ok(v3->C_MessageDecryptInit(fx.session, &rsa, keys[i]));
        assert_ok(decrypt("data"));
        expect(CALL_C_DecryptMessage, 1, 1);
        assert_int_equal(mock->arguments[CALL_C_DecryptMessage][4], 2);
        assert_rv(decrypt("data"), CKR_FUNCTION_CANCELED);
        expect(CALL_C_DecryptMessage, 0, 1);
        assert_ok(v3->C_MessageDecryptFinal(fx.session));
        fixture_stop(&fx);
    }
}

/* A message that was refused is over; the process is not, and asks again for the next one. */
static void refused_message_reaches_nobody(void **state)
{
    (void)state;
    start("");
    script_set(&fx, "cancel\ncancel\n" RIGHT);
    assert_ok(v3->C_MessageSignInit(fx.session, &rsa, PRIVATE));
    assert_rv(sign("data"), CKR_FUNCTION_CANCELED);
    expect(CALL_C_SignMessage, 0, 1);
    assert_rv(v3->C_SignMessageBegin(fx.session, parameter, sizeof parameter), CKR_FUNCTION_CANCELED);
    expect(CALL_C_SignMessageBegin, 0, 1);
    assert_rv(sign_part("data", true), CKR_OPERATION_NOT_INITIALIZED);
    expect(CALL_C_SignMessageNext, 0, 0);
    assert_ok(sign("data"));
    expect(CALL_C_SignMessage, 1, 1);
}

/* So is one that the backend could not sign. */
static void failed_message_is_over(void **state)
{
    (void)state;
    start("");
    script_set(&fx, RIGHT RIGHT);
    assert_ok(v3->C_MessageSignInit(fx.session, &rsa, PRIVATE));
    mock->answers[CALL_C_SignMessage] = CKR_DATA_LEN_RANGE;
    assert_rv(sign("data"), CKR_DATA_LEN_RANGE);
    mock->answers[CALL_C_SignMessage] = CKR_OK;
    assert_int_equal(script_asked(&fx), 1);
    assert_ok(sign("data"));
    assert_int_equal(script_asked(&fx), 1);
}

static void length_is_told_without_asking(void **state)
{
    CK_ULONG len = 0;

    (void)state;
    start("");
    script_set(&fx, RIGHT);
    assert_ok(v3->C_MessageSignInit(fx.session, &rsa, PRIVATE));
    assert_ok(v3->C_SignMessage(fx.session, NULL, 0, (CK_BYTE_PTR) "data", 4, NULL, &len));
    expect(CALL_C_SignMessage, 1, 0);
    assert_ok(sign("data"));
    expect(CALL_C_SignMessage, 1, 1);
}

static void consent_is_bound_to_its_message(void **state)
{
    (void)state;
    start("");
    script_set(&fx, RIGHT RIGHT RIGHT);
    mock->answers[CALL_C_SignMessage] = CKR_BUFFER_TOO_SMALL;
    assert_ok(v3->C_MessageSignInit(fx.session, &rsa, PRIVATE));
    assert_rv(sign("data"), CKR_BUFFER_TOO_SMALL);
    mock->answers[CALL_C_SignMessage] = CKR_OK;
    assert_ok(sign("data"));
    expect(CALL_C_SignMessage, 2, 1);

    /* Other data, in one part or in several, uses it up without being signed. */
    for (int parts = 0; parts < 2; parts++) {
        mock->answers[CALL_C_SignMessage] = CKR_BUFFER_TOO_SMALL;
        assert_rv(sign("data"), CKR_BUFFER_TOO_SMALL);
        mock->answers[CALL_C_SignMessage] = CKR_OK;
        expect(CALL_C_SignMessage, 1, 1);
        assert_rv(parts ? v3->C_SignMessageBegin(fx.session, NULL, 0) : sign("other"), CKR_FUNCTION_REJECTED);
        assert_int_equal(mock->calls[CALL_C_SignMessageBegin], 0);
        expect(CALL_C_SignMessage, 0, 0);
    }
    assert_rv(sign("data"), CKR_FUNCTION_CANCELED);
    expect(CALL_C_SignMessage, 0, 1);
}

/* ------------------------------------------------------------------ messages in parts */

static void parts_are_agreed_to_at_their_beginning(void **state)
{
    CK_ULONG len = 0;

    (void)state;
    start("");
    script_set(&fx, RIGHT RIGHT);
    assert_ok(v3->C_MessageSignInit(fx.session, &rsa, ENFORCED));
    assert_rv(sign_part("data", false), CKR_OPERATION_NOT_INITIALIZED);
    expect(CALL_C_SignMessageNext, 0, 0);
    assert_ok(v3->C_SignMessageBegin(fx.session, parameter, sizeof parameter));
    expect(CALL_C_SignMessageBegin, 1, 1);
    assert_ok(sign_part("one", false));
    assert_ok(sign_part("two", false));
    assert_ok(v3->C_SignMessageNext(fx.session, NULL, 0, NULL, 0, NULL, &len));
    /* In the middle of one message there is no other. */
    assert_rv(sign("data"), CKR_OPERATION_ACTIVE);
    assert_rv(v3->C_SignMessageBegin(fx.session, NULL, 0), CKR_OPERATION_ACTIVE);
    assert_int_equal(mock->calls[CALL_C_SignMessageBegin], 0);
    expect(CALL_C_SignMessage, 0, 0);
    assert_ok(sign_part("three", true));
    expect(CALL_C_SignMessageNext, 4, 0);

    assert_rv(sign_part("four", true), CKR_OPERATION_NOT_INITIALIZED);
    expect(CALL_C_SignMessageNext, 0, 0);
    assert_ok(sign("data"));
    expect(CALL_C_SignMessage, 1, 1);
    assert_rv(v3->C_SignMessageBegin(fx.session, NULL, 0), CKR_FUNCTION_CANCELED);
}

static void failed_part_ends_the_message(void **state)
{
    (void)state;
    start("");
    script_set(&fx, RIGHT RIGHT);
    assert_ok(v3->C_MessageSignInit(fx.session, &rsa, PRIVATE));
    for (int last = 0; last < 2; last++) {
        assert_ok(v3->C_SignMessageBegin(fx.session, NULL, 0));
        mock->answers[CALL_C_SignMessageNext] = CKR_DEVICE_ERROR;
        assert_rv(sign_part("data", last), CKR_DEVICE_ERROR);
        mock->answers[CALL_C_SignMessageNext] = CKR_OK;
        assert_rv(sign_part("data", true), CKR_OPERATION_NOT_INITIALIZED);
    }
    assert_rv(v3->C_SignMessageBegin(fx.session, NULL, 0), CKR_FUNCTION_CANCELED);
}

static void decryption_in_parts(void **state)
{
    (void)state;
    start("");
    script_set(&fx, RIGHT);
    assert_ok(v3->C_MessageDecryptInit(fx.session, &rsa, PRIVATE));
    assert_ok(v3->C_DecryptMessageBegin(fx.session, parameter, sizeof parameter, (CK_BYTE_PTR) "ad", 2));
    expect(CALL_C_DecryptMessageBegin, 1, 1);
    assert_ok(decrypt_part("one", 0));
    mock->answers[CALL_C_DecryptMessageNext] = CKR_BUFFER_TOO_SMALL;
    assert_rv(decrypt_part("two", 0), CKR_BUFFER_TOO_SMALL);
    assert_rv(decrypt_part("two", CKF_END_OF_MESSAGE), CKR_BUFFER_TOO_SMALL);
    mock->answers[CALL_C_DecryptMessageNext] = CKR_OK;
    assert_rv(decrypt("data"), CKR_OPERATION_ACTIVE);
    assert_ok(decrypt_part("two", CKF_END_OF_MESSAGE));
    assert_int_equal(mock->arguments[CALL_C_DecryptMessageNext][7], CKF_END_OF_MESSAGE);
    expect(CALL_C_DecryptMessageNext, 4, 0);
    assert_rv(decrypt_part("three", CKF_END_OF_MESSAGE), CKR_OPERATION_NOT_INITIALIZED);
    assert_rv(decrypt("data"), CKR_FUNCTION_CANCELED);
    expect(CALL_C_DecryptMessage, 0, 1);
}

static void bad_arguments_reach_nobody(void **state)
{
    CK_ULONG len = sizeof result;

    (void)state;
    start("");
    script_set(&fx, RIGHT);
    assert_ok(v3->C_MessageDecryptInit(fx.session, &rsa, PRIVATE));
    assert_rv(v3->C_DecryptMessage(fx.session, NULL, 0, NULL, 0, NULL, 5, result, &len), CKR_ARGUMENTS_BAD);
    assert_rv(v3->C_DecryptMessage(fx.session, NULL, 0, NULL, 0, result, 5, result, NULL), CKR_ARGUMENTS_BAD);
    expect(CALL_C_DecryptMessage, 0, 0);
    assert_ok(v3->C_DecryptMessageBegin(fx.session, NULL, 0, NULL, 0));
    assert_rv(v3->C_DecryptMessageNext(fx.session, NULL, 0, NULL, 5, result, &len, 0), CKR_ARGUMENTS_BAD);
    expect(CALL_C_DecryptMessageNext, 0, 1);
    assert_rv(sign("data"), CKR_OPERATION_NOT_INITIALIZED);
    assert_rv(v3->C_MessageSignFinal(fx.session), CKR_OPERATION_NOT_INITIALIZED);
    assert_rv(v3->C_MessageSignInit(fx.session + 50, &rsa, PRIVATE), CKR_SESSION_HANDLE_INVALID);
    assert_rv(v3->C_MessageSignInit(fx.session, &rsa, VENDOR), CKR_KEY_TYPE_INCONSISTENT);
    assert_rv(v3->C_MessageSignInit(fx.session, &rsa, 15), CKR_KEY_HANDLE_INVALID);
    assert_rv(v3->C_MessageSignInit(fx.session, NULL, PRIVATE), CKR_ARGUMENTS_BAD);
    expect(CALL_C_MessageSignInit, 0, 0);
}

/* ------------------------------------------------------------------ who else there is */

static void secret_keys_are_forwarded(void **state)
{
    (void)state;
    start("");
    assert_ok(v3->C_MessageSignInit(fx.session, &rsa, SECRET));
    assert_int_equal(mock->arguments[CALL_C_MessageSignInit][0], fx.session);
    assert_ok(sign("data"));
    assert_int_equal(mock->arguments[CALL_C_SignMessage][0], fx.session);
    assert_ok(v3->C_SignMessageBegin(fx.session, parameter, 3));
    assert_ok(sign_part("data", false));
    assert_int_equal(mock->arguments[CALL_C_SignMessageNext][6], 0);
    assert_ok(sign_part("data", true));
    assert_ok(v3->C_MessageSignFinal(fx.session));
    assert_ok(v3->C_MessageDecryptInit(fx.session, &rsa, SECRET));
    assert_ok(decrypt("data"));
    assert_int_equal(mock->arguments[CALL_C_DecryptMessage][0], fx.session);
    assert_ok(v3->C_MessageDecryptFinal(fx.session));
    assert_int_equal(script_asked(&fx), 0);
}

/* prompt = application: a context-specific login for each message. */
static void application_logs_in_for_each_message(void **state)
{
    (void)state;
    start("prompt = application\n");
    assert_ok(v3->C_MessageSignInit(fx.session, &rsa, ENFORCED));
    assert_rv(sign("data"), CKR_USER_NOT_LOGGED_IN);
    for (int n = 0; n < 2; n++) {
        assert_ok(fx.p11->C_Login(fx.session, CKU_CONTEXT_SPECIFIC, (CK_BYTE_PTR)PIN, strlen(PIN)));
        assert_ok(n ? v3->C_SignMessageBegin(fx.session, NULL, 0) : sign("data"));
        if (n)
            assert_ok(sign_part("data", true));
        assert_rv(sign("data"), CKR_USER_NOT_LOGGED_IN);
        assert_rv(v3->C_SignMessageBegin(fx.session, NULL, 0), CKR_USER_NOT_LOGGED_IN);
    }
    assert_int_equal(mock->calls[CALL_C_SignMessage], 1);
    assert_int_equal(mock->calls[CALL_C_SignMessageBegin], 1);
    assert_int_equal(script_asked(&fx), 0);
}

static void logout_ends_the_process(void **state)
{
    (void)state;
    start("");
    script_set(&fx, RIGHT);
    assert_ok(v3->C_MessageSignInit(fx.session, &rsa, PRIVATE));
    assert_ok(v3->C_SignMessageBegin(fx.session, NULL, 0));
    assert_ok(fx.p11->C_Logout(fx.session));
    assert_rv(sign_part("data", true), CKR_OPERATION_NOT_INITIALIZED);
    assert_rv(sign("data"), CKR_OPERATION_NOT_INITIALIZED);
    assert_int_equal(mock->calls[CALL_C_SignMessageNext], 0);
}

static void *sign_on_thread(void *rv)
{
    *(CK_RV *)rv = sign("data");
    return NULL;
}

/* Consented to without its data being known, a message is still only one. */
static void one_consent_is_for_one_thread(void **state)
{
    pthread_t thread;
    CK_RV rv;

    (void)state;
    start("prompt = application\n");
    assert_ok(v3->C_MessageSignInit(fx.session, &rsa, PRIVATE));
    assert_ok(fx.p11->C_Login(fx.session, CKU_CONTEXT_SPECIFIC, (CK_BYTE_PTR)PIN, strlen(PIN)));
    mock->delay_ms[CALL_C_SignMessage] = 300;
    assert_int_equal(pthread_create(&thread, NULL, sign_on_thread, &rv), 0);
    while (mock->inside == 0)
        sched_yield();
    assert_rv(sign("other"), CKR_OPERATION_ACTIVE);
    assert_rv(v3->C_SignMessageBegin(fx.session, NULL, 0), CKR_OPERATION_ACTIVE);
    assert_rv(v3->C_MessageSignFinal(fx.session), CKR_OPERATION_ACTIVE);
    pthread_join(thread, NULL);
    assert_ok(rv);
    assert_int_equal(mock->calls[CALL_C_SignMessage], 1);
    assert_rv(sign("other"), CKR_USER_NOT_LOGGED_IN);
}

/* ------------------------------------------------------------------ cancelling */

static void cancel_ends_what_the_flags_name(void **state)
{
    CK_SESSION_HANDLE beside;

    (void)state;
    start("");
    assert_ok(v3->C_SignInit(fx.session, &rsa, PRIVATE));
    assert_ok(v3->C_MessageSignInit(fx.session, &rsa, PRIVATE));
    beside = mock->arguments[CALL_C_MessageSignInit][0];
    assert_ok(v3->C_SessionCancel(fx.session, 0));
    assert_ok(v3->C_SessionCancel(fx.session, CKF_MESSAGE_DECRYPT | CKF_DECRYPT));
    assert_ok(v3->C_SessionCancel(fx.session, CKF_MESSAGE_SIGN | CKF_SIGN_RECOVER));
    assert_int_equal(mock->arguments[CALL_C_CloseSession][0], beside);
    assert_rv(sign("data"), CKR_OPERATION_NOT_INITIALIZED);
    assert_rv(v3->C_SignInit(fx.session, &rsa, PRIVATE), CKR_OPERATION_ACTIVE);
    assert_ok(v3->C_SessionCancel(fx.session, CKF_SIGN));
    assert_ok(v3->C_SignInit(fx.session, &rsa, PRIVATE));
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
    start("");
    assert_ok(v3->C_SignInit(fx.session, &rsa, SECRET));
    assert_ok(v3->C_SessionCancel(fx.session, CKF_SIGN));
    assert_int_equal(mock->arguments[CALL_C_SessionCancel][0], fx.session);
    assert_int_equal(mock->arguments[CALL_C_SessionCancel][1], CKF_SIGN);
    assert_ok(v3->C_SignInit(fx.session, &rsa, PRIVATE));
}

static void cancel_with_a_backend_of_2_40(void **state)
{
    (void)state;
    start_with("", (CK_VERSION){0, 0});
    assert_ok(v3->C_SessionCancel(fx.session, 0));
    assert_ok(v3->C_SessionCancel(fx.session, CKF_SIGN));
    assert_ok(v3->C_SignInit(fx.session, &rsa, PRIVATE));
    assert_ok(v3->C_SessionCancel(fx.session, CKF_SIGN | CKF_DECRYPT));
    assert_ok(v3->C_SignInit(fx.session, &rsa, PRIVATE));
    assert_rv(v3->C_SessionCancel(fx.session, CKF_SIGN | CKF_DIGEST), CKR_OPERATION_CANCEL_FAILED);
    assert_rv(v3->C_SessionCancel(fx.session, CKF_DIGEST), CKR_FUNCTION_NOT_SUPPORTED);
    assert_ok(v3->C_SignInit(fx.session, &rsa, SECRET));
    assert_rv(v3->C_SessionCancel(fx.session, CKF_SIGN), CKR_FUNCTION_NOT_SUPPORTED);
}

/* The question goes away, and the call that asked says why. */
static void cancel_withdraws_the_question(void **state)
{
    pthread_t thread;
    CK_RV rv;

    (void)state;
    start("");
    script_set(&fx, "hang\n");
    assert_ok(v3->C_MessageSignInit(fx.session, &rsa, PRIVATE));
    assert_int_equal(pthread_create(&thread, NULL, sign_on_thread, &rv), 0);
    script_wait_question(&fx);
    assert_ok(v3->C_SessionCancel(fx.session, CKF_MESSAGE_SIGN));
    pthread_join(thread, NULL);
    assert_rv(rv, CKR_FUNCTION_CANCELED);
    assert_int_equal(mock->calls[CALL_C_SignMessage], 0);
    assert_rv(sign("data"), CKR_OPERATION_NOT_INITIALIZED);
    assert_ok(v3->C_MessageSignInit(fx.session, &rsa, PRIVATE));
}

/* 3.0, 5.8 to 5.14: a NULL mechanism ends an operation; where there is none it is what it was in 2.40. */
static void init_without_mechanism_cancels(void **state)
{
    (void)state;
    start("");
    assert_rv(v3->C_SignInit(fx.session, NULL, PRIVATE), CKR_ARGUMENTS_BAD);
    assert_rv(v3->C_DecryptInit(fx.session, NULL, 0), CKR_ARGUMENTS_BAD);
    assert_ok(v3->C_SignInit(fx.session, &rsa, PRIVATE));
    assert_ok(v3->C_SignInit(fx.session, NULL, 0));
    assert_ok(v3->C_DecryptInit(fx.session, &rsa, PRIVATE));
    assert_ok(v3->C_DecryptInit(fx.session, NULL, 0));
    assert_ok(v3->C_MessageSignInit(fx.session, &rsa, PRIVATE));
    assert_ok(v3->C_MessageSignInit(fx.session, NULL, 0));
    assert_rv(sign("data"), CKR_OPERATION_NOT_INITIALIZED);
    assert_int_equal(mock->calls[CALL_C_SessionCancel], 0);
    assert_ok(v3->C_EncryptInit(fx.session, NULL, 0));
    assert_int_equal(mock->arguments[CALL_C_SessionCancel][1], CKF_ENCRYPT);
    assert_ok(v3->C_MessageEncryptInit(fx.session, NULL, 0));
    assert_int_equal(mock->arguments[CALL_C_SessionCancel][1], CKF_MESSAGE_ENCRYPT);
    assert_int_equal(mock->calls[CALL_C_EncryptInit] + mock->calls[CALL_C_MessageEncryptInit], 0);
    fixture_stop(&fx);
    start_with("", (CK_VERSION){0, 0});
    assert_rv(v3->C_EncryptInit(fx.session, NULL, 0), CKR_ARGUMENTS_BAD);
    assert_ok(v3->C_SignInit(fx.session, &rsa, SECRET));
    assert_rv(v3->C_SignInit(fx.session, NULL, 0), CKR_ARGUMENTS_BAD);
}

static int begin(void **state)
{
    (void)state;
    fixture_begin_bare(&fx);
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
        TEST(each_message_asks),
        TEST(refused_message_reaches_nobody),
        TEST(failed_message_is_over),
        TEST(length_is_told_without_asking),
        TEST(consent_is_bound_to_its_message),
        TEST(parts_are_agreed_to_at_their_beginning),
        TEST(failed_part_ends_the_message),
        TEST(decryption_in_parts),
        TEST(bad_arguments_reach_nobody),
        TEST(secret_keys_are_forwarded),
        TEST(application_logs_in_for_each_message),
        TEST(logout_ends_the_process),
        TEST(one_consent_is_for_one_thread),
        TEST(cancel_ends_what_the_flags_name),
        TEST(cancel_tells_the_backend_of_free_operations),
        TEST(cancel_with_a_backend_of_2_40),
        TEST(cancel_withdraws_the_question),
        TEST(init_without_mechanism_cancels),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
