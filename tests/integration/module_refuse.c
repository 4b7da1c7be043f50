/* Calls that could use, export or weaken a private key and have no gate yet are refused for private keys,
 * whatever their level, and leave everything as it was; for other objects they are the backend's. */
#include <string.h>

#include "support/backend_direct.h"
#include "support/fixture.h"
#include "support/keys.h"
#include "support/pinentry_script.h"
#include "support/test.h"
#include "support/use.h"

/* What a careless application made before Pinward came: private, but neither sensitive nor unextractable. */
#define KEY_WEAK "weak rsa"

static struct fixture fx;
static CK_BBOOL yes = CK_TRUE;
static CK_BBOOL no = CK_FALSE;

static const char *const private_labels[] = {KEY_HIGH_RSA, KEY_PLAIN_RSA, KEY_PLAIN_EC, KEY_WEAK};
#define PRIVATE_LABELS (sizeof private_labels / sizeof private_labels[0])

static CK_OBJECT_HANDLE key(const char *label)
{
    return key_private(fx.p11, fx.session, label);
}

static CK_OBJECT_HANDLE secret(const char *label)
{
    return key_secret(fx.p11, fx.session, label);
}

/* At high, and at low: what has no gate is refused at every level. */
static int start_high(void **state)
{
    (void)state;
    fixture_start_logged_in(&fx, "");
    script_set(&fx, "pin " FIXTURE_PIN "\n");
    return 0;
}

static int start_low(void **state)
{
    (void)state;
    fixture_start_logged_in(&fx, "level = low\n");
    script_set(&fx, "pin " FIXTURE_PIN "\n");
    return 0;
}

/* A refusal asks nobody. */
static int stop(void **state)
{
    (void)state;
    fixture_stop(&fx);
    return script_asked(&fx);
}

static void attributes_stay(void **state)
{
    CK_ATTRIBUTE changes[] = {{CKA_LABEL, "renamed", 7},
                              {CKA_ID, "renamed", 7},
                              {CKA_SENSITIVE, &yes, sizeof yes},
                              {CKA_EXTRACTABLE, &no, sizeof no}};

    (void)state;
    for (size_t i = 0; i < PRIVATE_LABELS; i++) {
        for (size_t a = 0; a < sizeof changes / sizeof changes[0]; a++)
            assert_rv(fx.p11->C_SetAttributeValue(fx.session, key(private_labels[i]), &changes[a], 1),
                      CKR_ATTRIBUTE_READ_ONLY);
        (void)key(private_labels[i]);
    }
    assert_int_equal(key_find(fx.p11, fx.session, CKO_PRIVATE_KEY, "renamed"), CK_INVALID_HANDLE);
    assert_rv(fx.p11->C_SetAttributeValue(fx.session, 99999, changes, 1), CKR_OBJECT_HANDLE_INVALID);
    assert_ok(fx.p11->C_SetAttributeValue(fx.session, secret(KEY_AES), changes, 1));
    changes[0] = (CK_ATTRIBUTE){CKA_LABEL, KEY_AES, strlen(KEY_AES)};
    assert_ok(fx.p11->C_SetAttributeValue(fx.session, secret("renamed"), changes, 1));
}

static void nothing_is_copied(void **state)
{
    CK_ATTRIBUTE template[] = {{CKA_LABEL, "copy", 4}, {CKA_TOKEN, &no, sizeof no}};
    CK_OBJECT_HANDLE copy;

    (void)state;
    for (size_t i = 0; i < PRIVATE_LABELS; i++)
        assert_rv(fx.p11->C_CopyObject(fx.session, key(private_labels[i]), template, 2, &copy),
                  CKR_ACTION_PROHIBITED);
    assert_int_equal(key_find(fx.p11, fx.session, CKO_PRIVATE_KEY, "copy"), CK_INVALID_HANDLE);
    assert_rv(fx.p11->C_CopyObject(fx.session, 99999, template, 2, &copy), CKR_OBJECT_HANDLE_INVALID);
    assert_ok(fx.p11->C_CopyObject(fx.session, secret(KEY_AES), template, 2, &copy));
}

static void nothing_is_wrapped(void **state)
{
    CK_MECHANISM wrap = {CKM_AES_KEY_WRAP_PAD, NULL, 0};
    struct use_result wrapped;

    (void)state;
    use_result_init(&wrapped);
    for (size_t i = 0; i < PRIVATE_LABELS; i++) {
        assert_rv(fx.p11->C_WrapKey(fx.session, &wrap, secret(KEY_AES), key(private_labels[i]), wrapped.bytes,
                                    &wrapped.len),
                  CKR_KEY_UNEXTRACTABLE);
        assert_rv(fx.p11->C_WrapKey(fx.session, &wrap, key(private_labels[i]), secret(KEY_HMAC),
                                    wrapped.bytes, &wrapped.len),
                  CKR_WRAPPING_KEY_TYPE_INCONSISTENT);
    }
    assert_true(use_result_is_untouched(&wrapped));
    assert_rv(fx.p11->C_WrapKey(fx.session, &wrap, secret(KEY_AES), 99999, NULL, &wrapped.len),
              CKR_KEY_HANDLE_INVALID);
    assert_rv(fx.p11->C_WrapKey(fx.session, &wrap, 99999, secret(KEY_HMAC), NULL, &wrapped.len),
              CKR_WRAPPING_KEY_HANDLE_INVALID);
}

static void nothing_private_is_unwrapped(void **state)
{
    CK_MECHANISM wrap = {CKM_AES_KEY_WRAP_PAD, NULL, 0};
    CK_MECHANISM rsa = {CKM_RSA_PKCS, NULL, 0};
    CK_OBJECT_CLASS private_class = CKO_PRIVATE_KEY;
    CK_OBJECT_CLASS secret_class = CKO_SECRET_KEY;
    CK_KEY_TYPE type = CKK_GENERIC_SECRET;
    CK_ATTRIBUTE to_private[] = {{CKA_CLASS, &private_class, sizeof private_class}};
    CK_ATTRIBUTE to_secret[] = {{CKA_CLASS, &secret_class, sizeof secret_class},
                                {CKA_KEY_TYPE, &type, sizeof type},
                                {CKA_TOKEN, &no, sizeof no}};
    CK_OBJECT_HANDLE made = 77;
    struct use_result wrapped;

    (void)state;
    use_result_init(&wrapped);
    assert_ok(
        fx.p11->C_WrapKey(fx.session, &wrap, secret(KEY_AES), secret(KEY_HMAC), wrapped.bytes, &wrapped.len));
    for (size_t i = 0; i < PRIVATE_LABELS; i++)
        assert_rv(fx.p11->C_UnwrapKey(fx.session, &rsa, key(private_labels[i]), wrapped.bytes, wrapped.len,
                                      to_secret, 3, &made),
                  CKR_KEY_FUNCTION_NOT_PERMITTED);
    assert_rv(fx.p11->C_UnwrapKey(fx.session, &wrap, secret(KEY_AES), wrapped.bytes, wrapped.len, to_private,
                                  1, &made),
              CKR_TEMPLATE_INCONSISTENT);
    assert_rv(fx.p11->C_UnwrapKey(fx.session, &wrap, 99999, wrapped.bytes, wrapped.len, to_secret, 3, &made),
              CKR_UNWRAPPING_KEY_HANDLE_INVALID);
    assert_int_equal(made, 77);
    assert_ok(fx.p11->C_UnwrapKey(fx.session, &wrap, secret(KEY_AES), wrapped.bytes, wrapped.len, to_secret,
                                  3, &made));
}

static void nothing_is_derived(void **state)
{
    CK_BYTE block[32] = {1};
    CK_KEY_DERIVATION_STRING_DATA data = {block, sizeof block};
    CK_MECHANISM ecb = {CKM_AES_ECB_ENCRYPT_DATA, &data, sizeof data};
    CK_MECHANISM ecdh = {CKM_ECDH1_DERIVE, NULL, 0};
    CK_OBJECT_CLASS secret_class = CKO_SECRET_KEY;
    CK_OBJECT_CLASS private_class = CKO_PRIVATE_KEY;
    CK_KEY_TYPE type = CKK_GENERIC_SECRET;
    CK_ULONG len = 32;
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &secret_class, sizeof secret_class},
                               {CKA_KEY_TYPE, &type, sizeof type},
                               {CKA_TOKEN, &no, sizeof no},
                               {CKA_VALUE_LEN, &len, sizeof len}};
    CK_OBJECT_HANDLE made = 77;

    (void)state;
    for (size_t i = 0; i < PRIVATE_LABELS; i++)
        assert_rv(fx.p11->C_DeriveKey(fx.session, &ecdh, key(private_labels[i]), template, 4, &made),
                  CKR_KEY_FUNCTION_NOT_PERMITTED);
    template[0].pValue = &private_class;
    assert_rv(fx.p11->C_DeriveKey(fx.session, &ecb, secret(KEY_AES), template, 4, &made),
              CKR_TEMPLATE_INCONSISTENT);
    assert_int_equal(made, 77);
    template[0].pValue = &secret_class;
    assert_ok(fx.p11->C_DeriveKey(fx.session, &ecb, secret(KEY_AES), template, 4, &made));
}

static void no_other_operation_begins(void **state)
{
    CK_MECHANISM rsa = {CKM_RSA_PKCS, NULL, 0};
    CK_MECHANISM sha256 = {CKM_SHA256, NULL, 0};
    struct use_result out;

    (void)state;
    for (size_t i = 0; i < PRIVATE_LABELS; i++) {
        const CK_OBJECT_HANDLE private_key = key(private_labels[i]);

        use_result_init(&out);
        assert_rv(fx.p11->C_SignRecoverInit(fx.session, &rsa, private_key), CKR_KEY_FUNCTION_NOT_PERMITTED);
        assert_rv(fx.p11->C_SignRecover(fx.session, (CK_BYTE_PTR) "x", 1, out.bytes, &out.len),
                  CKR_OPERATION_NOT_INITIALIZED);
        assert_rv(fx.p11->C_EncryptInit(fx.session, &rsa, private_key), CKR_KEY_TYPE_INCONSISTENT);
        assert_rv(fx.p11->C_Encrypt(fx.session, (CK_BYTE_PTR) "x", 1, out.bytes, &out.len),
                  CKR_OPERATION_NOT_INITIALIZED);
        assert_ok(fx.p11->C_DigestInit(fx.session, &sha256));
        assert_rv(fx.p11->C_DigestKey(fx.session, private_key), CKR_KEY_INDIGESTIBLE);
        out.len = 32;
        assert_ok(fx.p11->C_DigestFinal(fx.session, out.bytes, &out.len));
        assert_rv(fx.p11->C_SetOperationState(fx.session, (CK_BYTE_PTR) "x", 1, private_key, 0),
                  CKR_FUNCTION_NOT_SUPPORTED);
        assert_rv(fx.p11->C_SetOperationState(fx.session, (CK_BYTE_PTR) "x", 1, 0, private_key),
                  CKR_FUNCTION_NOT_SUPPORTED);
    }
    use_result_init(&out);
    assert_ok(fx.p11->C_EncryptInit(fx.session, &rsa, key_public(fx.p11, fx.session, KEY_PLAIN_RSA)));
    assert_ok(fx.p11->C_Encrypt(fx.session, (CK_BYTE_PTR) "x", 1, out.bytes, &out.len));
}

/* One half of a dual operation may not be a private key's, whether or not it needs a consent. */
static void dual_operations_are_refused(void **state)
{
    const CK_OBJECT_HANDLE plain = key(KEY_PLAIN_RSA);
    CK_BYTE out[64];
    CK_ULONG len = sizeof out;

    (void)state;
    assert_rv(fx.p11->C_SignEncryptUpdate(fx.session, (CK_BYTE_PTR) "x", 1, out, &len),
              CKR_OPERATION_NOT_INITIALIZED);
    assert_rv(fx.p11->C_DecryptDigestUpdate(fx.session, (CK_BYTE_PTR) "x", 1, out, &len),
              CKR_OPERATION_NOT_INITIALIZED);
    assert_ok(use_sign_init(&fx, fx.session, plain));
    assert_rv(fx.p11->C_SignEncryptUpdate(fx.session, (CK_BYTE_PTR) "x", 1, out, &len),
              CKR_FUNCTION_NOT_SUPPORTED);
    fixture_stop(&fx);
    fixture_start_logged_in(&fx, "level = low\n");
    assert_ok(use_decrypt_init(&fx, fx.session, key(KEY_PLAIN_RSA)));
    assert_rv(fx.p11->C_DecryptDigestUpdate(fx.session, (CK_BYTE_PTR) "x", 1, out, &len),
              CKR_FUNCTION_NOT_SUPPORTED);
    assert_rv(fx.p11->C_DecryptVerifyUpdate(fx.session, (CK_BYTE_PTR) "x", 1, out, &len),
              CKR_FUNCTION_NOT_SUPPORTED);
}

/* To read a private part is to export the key, also where the token would give it out. */
static void no_private_part_is_read(void **state)
{
    static const CK_ATTRIBUTE_TYPE parts[] = {CKA_PRIVATE_EXPONENT, CKA_PRIME_1,    CKA_PRIME_2,
                                              CKA_EXPONENT_1,       CKA_EXPONENT_2, CKA_COEFFICIENT};
    struct use_result out;
    CK_ATTRIBUTE attributes[] = {{CKA_MODULUS, NULL, 0}, {0, out.bytes, sizeof out.bytes}};

    (void)state;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        use_result_init(&out);
        attributes[1] = (CK_ATTRIBUTE){parts[i], out.bytes, sizeof out.bytes};
        assert_rv(fx.p11->C_GetAttributeValue(fx.session, key(KEY_WEAK), attributes, 2),
                  CKR_ATTRIBUTE_SENSITIVE);
        assert_int_equal(attributes[0].ulValueLen, 256);
        assert_int_equal(attributes[1].ulValueLen, CK_UNAVAILABLE_INFORMATION);
        assert_true(use_result_is_untouched(&out));
    }
    attributes[1] = (CK_ATTRIBUTE){CKA_VALUE, out.bytes, sizeof out.bytes};
    assert_ok(fx.p11->C_GetAttributeValue(fx.session, secret(KEY_HMAC), &attributes[1], 1));
    assert_int_equal(attributes[1].ulValueLen, 32);
}

static void make_weak_key(void)
{
    struct key_wish wish = key_wish_new(KEY_WEAK);
    CK_OBJECT_HANDLE public_key, private_key;
    struct backend_direct direct;
    CK_SESSION_HANDLE session;

    wish.sensitive = CK_FALSE;
    wish.extractable = CK_TRUE;
    backend_direct_open(&direct);
    assert_ok(direct.p11->C_OpenSession(backend_slot(direct.p11, CK_TRUE),
                                        CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session));
    assert_ok(direct.p11->C_Login(session, CKU_USER, (CK_BYTE_PTR)FIXTURE_PIN, strlen(FIXTURE_PIN)));
    assert_ok(key_make_rsa(direct.p11, session, &wish, &public_key, &private_key));
    backend_direct_close(&direct);
}

static int begin(void **state)
{
    (void)state;
    fixture_begin(&fx, KEYS_HIGH_RSA | KEYS_PLAIN_RSA | KEYS_PLAIN_EC | KEYS_AES | KEYS_HMAC);
    make_weak_key();
    return 0;
}

static int end(void **state)
{
    (void)state;
    fixture_end(&fx);
    return 0;
}

#define HIGH(f)                                                                                              \
    {                                                                                                        \
#f " at high", f, start_high, stop, NULL                                                             \
    }
#define LOW(f)                                                                                               \
    {                                                                                                        \
#f " at low", f, start_low, stop, NULL                                                               \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        HIGH(attributes_stay),
        LOW(attributes_stay),
        HIGH(nothing_is_copied),
        LOW(nothing_is_copied),
        HIGH(nothing_is_wrapped),
        LOW(nothing_is_wrapped),
        HIGH(nothing_private_is_unwrapped),
        LOW(nothing_private_is_unwrapped),
        HIGH(nothing_is_derived),
        LOW(nothing_is_derived),
        HIGH(no_other_operation_begins),
        LOW(no_other_operation_begins),
        HIGH(dual_operations_are_refused),
        HIGH(no_private_part_is_read),
        LOW(no_private_part_is_read),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
