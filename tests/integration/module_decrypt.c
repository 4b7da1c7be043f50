/* Every use of a key at level high is agreed to by its user, once, and only that use: decrypting. */
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
static struct use_result message;
static struct use_result data;

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

/* C_DecryptInit with the key of that label, and a message to it. */
static void decrypt_begin(const char *label)
{
    use_encrypt(&fx, label, &message);
    assert_ok(use_decrypt_init(&fx, fx.session, key_private(fx.p11, fx.session, label)));
}

static void every_decryption_asks(void **state)
{
    (void)state;
    for (size_t i = 0; i < LABELS; i++) {
        for (int n = 0; n < 2; n++) {
            script_set(&fx, RIGHT);
            decrypt_begin(labels[i]);
            assert_int_equal(script_asked(&fx), 0);
            assert_ok(use_decrypt_data(&fx, fx.session, &message, &data));
            assert_int_equal(script_asked(&fx), 1);
            assert_true(use_data_is_right(&data));
        }
        decrypt_begin(labels[i]);
        assert_rv(use_decrypt_data(&fx, fx.session, &message, &data), CKR_FUNCTION_CANCELED);
        assert_true(use_result_is_untouched(&data));
        assert_rv(use_decrypt_data(&fx, fx.session, &message, &data), CKR_OPERATION_NOT_INITIALIZED);
    }
}

static void length_query_asks_nobody(void **state)
{
    (void)state;
    for (size_t i = 0; i < LABELS; i++) {
        CK_ULONG len = 0;

        script_set(&fx, RIGHT);
        decrypt_begin(labels[i]);
        assert_ok(fx.p11->C_Decrypt(fx.session, message.bytes, message.len, NULL, &len));
        assert_true(len >= USE_DATA_LEN);
        assert_int_equal(script_asked(&fx), 0);
        assert_ok(use_decrypt_data(&fx, fx.session, &message, &data));
        assert_int_equal(script_asked(&fx), 1);
        assert_true(use_data_is_right(&data));
    }
}

/* How long the data is shows only when it was decrypted: the buffer is found too small after the consent,
 * which then is good for the next try. */
static void too_small_a_buffer_keeps_the_consent(void **state)
{
    CK_RV rv;

    (void)state;
    for (size_t i = 0; i < LABELS; i++) {
        script_set(&fx, RIGHT);
        decrypt_begin(labels[i]);
        use_result_init(&data);
        data.len = 4;
        rv = fx.p11->C_Decrypt(fx.session, message.bytes, message.len, data.bytes, &data.len);
        lacks_on(__func__, "C_Decrypt into too small a buffer", rv, CKR_OK); /* softokn cuts the data off */
        assert_rv(rv, CKR_BUFFER_TOO_SMALL);
        assert_true(use_result_is_untouched(&data));
        assert_int_equal(script_asked(&fx), 1);
        assert_ok(use_decrypt_data(&fx, fx.session, &message, &data));
        assert_int_equal(script_asked(&fx), 0);
        assert_true(use_data_is_right(&data));
        assert_rv(use_decrypt_data(&fx, fx.session, &message, &data), CKR_OPERATION_NOT_INITIALIZED);
    }
}

static void wrong_pin_asks_again_and_three_refuse(void **state)
{
    (void)state;
    for (size_t i = 0; i < LABELS; i++) {
        script_set(&fx, WRONG RIGHT);
        decrypt_begin(labels[i]);
        assert_ok(use_decrypt_data(&fx, fx.session, &message, &data));
        assert_true(use_data_is_right(&data));
        assert_int_equal(script_asked(&fx), 2);

        script_set(&fx, WRONG WRONG WRONG);
        decrypt_begin(labels[i]);
        assert_rv(use_decrypt_data(&fx, fx.session, &message, &data), CKR_FUNCTION_REJECTED);
        assert_true(use_result_is_untouched(&data));
        assert_int_equal(script_asked(&fx), 3);
        assert_rv(use_decrypt_data(&fx, fx.session, &message, &data), CKR_OPERATION_NOT_INITIALIZED);
    }
}

/* The user agreed to decrypt one message: that it does not decrypt is no reason to try another. */
static void failed_decryption_ends_the_consent(void **state)
{
    (void)state;
    for (size_t i = 0; i < LABELS; i++) {
        script_set(&fx, RIGHT);
        decrypt_begin(labels[i]);
        use_result_init(&data);
        assert_int_not_equal(fx.p11->C_Decrypt(fx.session, message.bytes, 100, data.bytes, &data.len),
                             CKR_OK);
        assert_rv(use_decrypt_data(&fx, fx.session, &message, &data), CKR_OPERATION_NOT_INITIALIZED);
    }
}

/* CKM_RSA_PKCS has no multi-part form at this backend: whatever it answers, nobody's consent is spent on
 * another. */
static void multi_part_asks_before_the_backend_sees_a_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i < LABELS; i++) {
        decrypt_begin(labels[i]);
        use_result_init(&data);
        assert_rv(fx.p11->C_DecryptUpdate(fx.session, message.bytes, message.len, data.bytes, &data.len),
                  CKR_FUNCTION_CANCELED);
        assert_int_equal(script_asked(&fx), 1);
        assert_true(use_result_is_untouched(&data));
        assert_rv(fx.p11->C_DecryptFinal(fx.session, data.bytes, &data.len), CKR_OPERATION_NOT_INITIALIZED);

        decrypt_begin(labels[i]);
        assert_rv(fx.p11->C_DecryptFinal(fx.session, data.bytes, &data.len), CKR_FUNCTION_CANCELED);
        assert_int_equal(script_asked(&fx), 1);
    }
}

static void multi_part_length_query_asks_nobody(void **state)
{
    CK_ULONG len = 0;

    (void)state;
    isolated_lacks(__func__, "p11-kit's client answers a NULL pointer by itself");
    for (size_t i = 0; i < LABELS; i++) {
        decrypt_begin(labels[i]);
        assert_ok(fx.p11->C_DecryptUpdate(fx.session, message.bytes, message.len, NULL, &len));
        assert_ok(fx.p11->C_DecryptFinal(fx.session, NULL, &len));
        assert_int_equal(script_asked(&fx), 0);
        assert_rv(fx.p11->C_DecryptUpdate(fx.session, message.bytes, message.len, NULL, NULL),
                  CKR_ARGUMENTS_BAD);
    }
}

static void bad_arguments_ask_nobody(void **state)
{
    const CK_OBJECT_HANDLE key = key_private(fx.p11, fx.session, KEY_HIGH_RSA);
    CK_ULONG len = 16;

    (void)state;
    isolated_lacks(__func__, "p11-kit's client answers a NULL pointer by itself");
    assert_rv(fx.p11->C_DecryptInit(fx.session, NULL, key), CKR_ARGUMENTS_BAD);
    assert_rv(use_decrypt_init(&fx, fx.session, 0), CKR_KEY_HANDLE_INVALID);
    assert_rv(use_decrypt_init(&fx, 99999, key), CKR_SESSION_HANDLE_INVALID);
    assert_rv(use_decrypt_data(&fx, fx.session, &message, &data), CKR_OPERATION_NOT_INITIALIZED);
    decrypt_begin(KEY_HIGH_RSA);
    assert_rv(fx.p11->C_Decrypt(fx.session, NULL, 5, data.bytes, &len), CKR_ARGUMENTS_BAD);
    decrypt_begin(KEY_HIGH_RSA);
    assert_rv(fx.p11->C_Decrypt(fx.session, message.bytes, message.len, data.bytes, NULL), CKR_ARGUMENTS_BAD);
    assert_int_equal(script_asked(&fx), 0);
}

/* A secret key is none of the gate's business: encrypted, decrypted, in one part and in several. */
static void aes_asks_nobody(void **state)
{
    CK_BYTE iv[16] = {0};
    CK_MECHANISM mechanism = {CKM_AES_CBC_PAD, iv, sizeof iv};
    const CK_OBJECT_HANDLE aes = key_secret(fx.p11, fx.session, KEY_AES);
    CK_ULONG len;

    (void)state;
    isolated_lacks(__func__, "p11-kit's protocol does not carry the parameters of AES-CBC");
    use_result_init(&message);
    assert_ok(fx.p11->C_EncryptInit(fx.session, &mechanism, aes));
    assert_ok(
        fx.p11->C_Encrypt(fx.session, (CK_BYTE_PTR)USE_DATA, USE_DATA_LEN, message.bytes, &message.len));
    assert_ok(fx.p11->C_DecryptInit(fx.session, &mechanism, aes));
    assert_ok(use_decrypt_data(&fx, fx.session, &message, &data));
    assert_true(use_data_is_right(&data));

    use_result_init(&data);
    assert_ok(fx.p11->C_DecryptInit(fx.session, &mechanism, aes));
    assert_ok(fx.p11->C_DecryptUpdate(fx.session, message.bytes, message.len, data.bytes, &data.len));
    len = sizeof data.bytes - data.len;
    assert_ok(fx.p11->C_DecryptFinal(fx.session, data.bytes + data.len, &len));
    data.len += len;
    assert_true(use_data_is_right(&data));
    assert_int_equal(script_asked(&fx), 0);
}

static int begin(void **state)
{
    (void)state;
    fixture_begin(&fx, KEYS_HIGH_RSA | KEYS_PLAIN_RSA | KEYS_AES);
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
        TEST(every_decryption_asks),
        TEST(length_query_asks_nobody),
        TEST(too_small_a_buffer_keeps_the_consent),
        TEST(wrong_pin_asks_again_and_three_refuse),
        TEST(failed_decryption_ends_the_consent),
        TEST(multi_part_asks_before_the_backend_sees_a_byte),
        TEST(multi_part_length_query_asks_nobody),
        TEST(bad_arguments_ask_nobody),
        TEST(aes_asks_nobody),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
