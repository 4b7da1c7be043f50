/* NSS's softokn behind the gate: a backend of PKCS#11 3.0 with message functions, found through C_GetInterface. */
#include <stdlib.h>
#include <string.h>

#include "support/backend_direct.h"
#include "support/keys.h"
#include "support/p11_v3.h"
#include "support/pinentry_script.h"
#include "support/test.h"
#include "support/use.h"

#define KEY   KEY_PLAIN_RSA
#define RIGHT "pin " FIXTURE_PIN "\n"

static struct fixture fx;
static CK_FUNCTION_LIST_3_0 *v3;
static CK_BBOOL yes = CK_TRUE;

static int start(void **state)
{
    CK_C_INITIALIZE_ARGS args = {.flags = CKF_OS_LOCKING_OK};

    (void)state;
    v3 = p11_v3_functions(&fx);
    assert_ok(v3->C_Initialize(&args));
    fx.slot = backend_slot(fx.p11, CK_TRUE);
    fx.session = fixture_session(&fx);
    assert_ok(fixture_login(&fx, FIXTURE_PIN));
    script_set(&fx, "");
    return 0;
}

static int stop(void **state)
{
    (void)state;
    fixture_stop(&fx);
    return 0;
}

static CK_OBJECT_HANDLE key(void)
{
    return key_private(fx.p11, fx.session, KEY);
}

/* ------------------------------------------------------------------ tests */

static void it_is_a_backend_of_3_0(void **state)
{
    CK_INFO info;

    (void)state;
    assert_ok(v3->C_GetInfo(&info));
    assert_int_equal(info.cryptokiVersion.major, 3);
}

static void each_signature_asks(void **state)
{
    struct use_result signature;

    (void)state;
    script_set(&fx, RIGHT RIGHT);
    for (int n = 0; n < 2; n++) {
        assert_ok(use_sign(&fx, fx.session, key(), &signature));
        assert_int_equal(script_asked(&fx), 1);
        assert_true(use_signature_is_good(&fx, KEY, &signature));
    }
    assert_rv(use_sign(&fx, fx.session, key(), &signature), CKR_FUNCTION_CANCELED);
    assert_true(use_result_is_untouched(&signature));
}

static void wrong_pin_signs_nothing(void **state)
{
    struct use_result signature;

    (void)state;
    script_set(&fx, "pin wrong-one\ncancel\n");
    assert_rv(use_sign(&fx, fx.session, key(), &signature), CKR_FUNCTION_CANCELED);
    assert_int_equal(script_asked(&fx), 2);
    assert_true(use_result_is_untouched(&signature));
}

static void each_decryption_asks(void **state)
{
    struct use_result message, data;

    (void)state;
    use_encrypt(&fx, KEY, &message);
    script_set(&fx, RIGHT);
    assert_ok(use_decrypt_init(&fx, fx.session, key()));
    assert_ok(use_decrypt_data(&fx, fx.session, &message, &data));
    assert_true(use_data_is_right(&data));
    assert_int_equal(script_asked(&fx), 1);
}

/* It signs no messages; its own answer is passed on, and nothing is left behind. */
static void message_signing_is_its_own_answer(void **state)
{
    CK_MECHANISM rsa = {CKM_SHA256_RSA_PKCS, NULL, 0};
    CK_ULONG len = 0;

    (void)state;
    assert_rv(v3->C_MessageSignInit(fx.session, &rsa, key()), CKR_FUNCTION_NOT_SUPPORTED);
    assert_rv(v3->C_SignMessage(fx.session, NULL, 0, NULL, 0, NULL, &len), CKR_OPERATION_NOT_INITIALIZED);
    assert_int_equal(script_asked(&fx), 0);
}

static CK_OBJECT_HANDLE make_aes(void)
{
    CK_MECHANISM generate = {CKM_AES_KEY_GEN, NULL, 0};
    CK_ULONG key_len = 32;
    CK_ATTRIBUTE template[] = {{CKA_ENCRYPT, &yes, sizeof yes},
                               {CKA_DECRYPT, &yes, sizeof yes},
                               {CKA_VALUE_LEN, &key_len, sizeof key_len}};
    CK_OBJECT_HANDLE made;

    assert_ok(v3->C_GenerateKey(fx.session, &generate, template, 3, &made));
    return made;
}

/* Messages with a secret key are none of the gate's business, in one part and in several. */
static void messages_of_a_secret_key_pass(void **state)
{
    CK_MECHANISM gcm = {CKM_AES_GCM, NULL, 0};
    CK_BYTE iv[12] = {1, 2, 3}, tag[16], cipher[64], plain[64];
    CK_GCM_MESSAGE_PARAMS message = {.pIv = iv, .ulIvLen = 12, .ivGenerator = CKG_NO_GENERATE, .pTag = tag, .ulTagBits = 128};
    CK_ULONG cipher_len = sizeof cipher, plain_len = sizeof plain;
    const CK_OBJECT_HANDLE aes = make_aes();

    (void)state;
    assert_ok(v3->C_MessageEncryptInit(fx.session, &gcm, aes));
    assert_ok(v3->C_EncryptMessage(fx.session, &message, sizeof message, (CK_BYTE_PTR) "ad", 2, (CK_BYTE_PTR)USE_DATA,
                                   USE_DATA_LEN, cipher, &cipher_len));
    assert_int_equal(cipher_len, USE_DATA_LEN);
    assert_ok(v3->C_MessageEncryptFinal(fx.session));

    assert_ok(v3->C_MessageDecryptInit(fx.session, &gcm, aes));
    assert_ok(v3->C_DecryptMessage(fx.session, &message, sizeof message, (CK_BYTE_PTR) "ad", 2, cipher, cipher_len,
                                   plain, &plain_len));
    assert_int_equal(plain_len, USE_DATA_LEN);
    assert_memory_equal(plain, USE_DATA, USE_DATA_LEN);
    plain_len = sizeof plain;
    assert_int_not_equal(v3->C_DecryptMessage(fx.session, &message, sizeof message, (CK_BYTE_PTR) "xx", 2, cipher,
                                              cipher_len, plain, &plain_len),
                         CKR_OK);
    assert_ok(v3->C_MessageDecryptFinal(fx.session));
    assert_int_equal(script_asked(&fx), 0);
}

static void private_key_encrypts_no_message(void **state)
{
    CK_MECHANISM rsa = {CKM_RSA_X_509, NULL, 0};

    (void)state;
    assert_rv(v3->C_MessageEncryptInit(fx.session, &rsa, key()), CKR_KEY_TYPE_INCONSISTENT);
}

static void cancel_ends_operations(void **state)
{
    CK_BYTE iv[16] = {0};
    CK_MECHANISM cbc = {CKM_AES_CBC, iv, sizeof iv};
    const CK_OBJECT_HANDLE aes = make_aes();
    struct use_result signature;

    (void)state;
    assert_ok(use_sign_init(&fx, fx.session, key()));
    assert_ok(v3->C_SessionCancel(fx.session, CKF_SIGN));
    assert_rv(use_sign_data(&fx, fx.session, &signature), CKR_OPERATION_NOT_INITIALIZED);
    assert_ok(use_sign_init(&fx, fx.session, key()));
    assert_ok(v3->C_SignInit(fx.session, NULL, 0));

    assert_ok(v3->C_EncryptInit(fx.session, &cbc, aes));
    assert_rv(v3->C_EncryptInit(fx.session, &cbc, aes), CKR_OPERATION_ACTIVE);
    assert_ok(v3->C_SessionCancel(fx.session, CKF_ENCRYPT));
    assert_ok(v3->C_EncryptInit(fx.session, &cbc, aes));
    assert_ok(v3->C_EncryptInit(fx.session, NULL, 0));
    assert_ok(v3->C_EncryptInit(fx.session, &cbc, aes));
}

/* Without a class in the template each object is looked at, in a real search too. */
static void everything_else_is_found(void **state)
{
    CK_ATTRIBUTE label = {CKA_LABEL, (void *)KEY, strlen(KEY)};
    CK_OBJECT_HANDLE found[8];
    CK_ULONG n = 0;

    (void)state;
    assert_ok(v3->C_FindObjectsInit(fx.session, &label, 1));
    assert_ok(v3->C_FindObjects(fx.session, found, 8, &n));
    assert_int_equal(n, 2);
    assert_ok(v3->C_FindObjectsFinal(fx.session));
}

/* The salt of HKDF may be a key (3.0, 2.62): softokn takes any that has a CKA_VALUE, a private one of EC too. */
static void private_key_is_no_salt(void **state)
{
    struct {
        CK_BBOOL extract, expand;
        CK_MECHANISM_TYPE prf;
        CK_ULONG salt_type;
        CK_BYTE_PTR salt;
        CK_ULONG salt_len;
        CK_OBJECT_HANDLE salt_key;
        CK_BYTE_PTR info;
        CK_ULONG info_len;
    } hkdf = {.extract = CK_TRUE, .prf = CKM_SHA256, .salt_type = 4};
    CK_MECHANISM mechanism = {0x402a, &hkdf, sizeof hkdf};
    CK_MECHANISM generate = {CKM_GENERIC_SECRET_KEY_GEN, NULL, 0};
    CK_ULONG len = 32;
    CK_OBJECT_CLASS secret = CKO_SECRET_KEY;
    CK_KEY_TYPE generic = CKK_GENERIC_SECRET;
    CK_ATTRIBUTE template[] = {{CKA_DERIVE, &yes, sizeof yes},
                               {CKA_VALUE_LEN, &len, sizeof len},
                               {CKA_CLASS, &secret, sizeof secret},
                               {CKA_KEY_TYPE, &generic, sizeof generic}};
    CK_OBJECT_HANDLE base, salt, made = 77;

    (void)state;
    assert_ok(v3->C_GenerateKey(fx.session, &generate, template, 2, &base));
    assert_ok(v3->C_GenerateKey(fx.session, &generate, template, 2, &salt));
    hkdf.salt_key = salt;
    assert_ok(v3->C_DeriveKey(fx.session, &mechanism, base, template, 4, &made));
    made = 77;
    hkdf.salt_key = key_private(fx.p11, fx.session, KEY_PLAIN_EC);
    assert_rv(v3->C_DeriveKey(fx.session, &mechanism, base, template, 4, &made), CKR_KEY_FUNCTION_NOT_PERMITTED);
    assert_int_equal(made, 77);
    assert_int_equal(script_asked(&fx), 0);
}

/* ------------------------------------------------------------------ set-up */

static int begin(void **state)
{
    (void)state;
    assert_int_equal(setenv("PINWARD_TEST_BACKEND", "softokn", 1), 0);
    fixture_begin(&fx, KEYS_PLAIN_RSA | KEYS_PLAIN_EC);
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
        TEST(it_is_a_backend_of_3_0),
        TEST(each_signature_asks),
        TEST(wrong_pin_signs_nothing),
        TEST(each_decryption_asks),
        TEST(message_signing_is_its_own_answer),
        TEST(messages_of_a_secret_key_pass),
        TEST(private_key_encrypts_no_message),
        TEST(cancel_ends_operations),
        TEST(private_key_is_no_salt),
        TEST(everything_else_is_found),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
