/* What is refused for private keys whatever their level and the user's wish, and leaves everything as it was: weakening
 * a key, giving it another role, taking it out under a key that somebody may know; and calls that are not meant for
 * private keys at all. */
#include <string.h>

#include "support/backend_direct.h"
#include "support/fixture.h"
#include "support/isolated.h"
#include "support/keys.h"
#include "support/lacks.h"
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

/* A change that would weaken a key or give it another role is refused whatever the user wishes. */
static void no_key_is_weakened(void **state)
{
    const CK_ATTRIBUTE changes[] = {{CKA_SENSITIVE, &no, sizeof no},    {CKA_PRIVATE, &no, sizeof no},
                                    {CKA_EXTRACTABLE, &yes, sizeof yes}, {CKA_ALWAYS_AUTHENTICATE, &no, sizeof no},
                                    {CKA_DECRYPT, &yes, sizeof yes},     {CKA_SIGN, &yes, sizeof yes},
                                    {CKA_UNWRAP, &yes, sizeof yes},      {CKA_DERIVE, &yes, sizeof yes}};
    CK_OBJECT_HANDLE copy = 77;

    (void)state;
    for (size_t i = 0; i < PRIVATE_LABELS; i++) {
        for (size_t a = 0; a < sizeof changes / sizeof changes[0]; a++) {
            CK_ATTRIBUTE template[] = {{CKA_LABEL, "renamed", 7}, changes[a]};

            assert_rv(fx.p11->C_SetAttributeValue(fx.session, key(private_labels[i]), template, 2),
                      CKR_ATTRIBUTE_READ_ONLY);
            assert_rv(fx.p11->C_CopyObject(fx.session, key(private_labels[i]), template, 2, &copy),
                      CKR_TEMPLATE_INCONSISTENT);
        }
    }
    assert_int_equal(copy, 77);
    assert_int_equal(key_find(fx.p11, fx.session, CKO_PRIVATE_KEY, "renamed"), CK_INVALID_HANDLE);
}

/* The roles of a secret key stay too: it may have carried a private key. Its name is its owner's affair. */
static void no_secret_key_changes_its_role(void **state)
{
    CK_ATTRIBUTE change = {CKA_DECRYPT, &yes, sizeof yes};
    CK_ATTRIBUTE name = {CKA_LABEL, "renamed", 7};
    CK_OBJECT_HANDLE copy;

    (void)state;
    assert_rv(fx.p11->C_SetAttributeValue(fx.session, secret(KEY_AES), &change, 1), CKR_ATTRIBUTE_READ_ONLY);
    assert_rv(fx.p11->C_CopyObject(fx.session, secret(KEY_AES), &change, 1, &copy), CKR_TEMPLATE_INCONSISTENT);
    assert_rv(fx.p11->C_SetAttributeValue(fx.session, 99999, &name, 1), CKR_OBJECT_HANDLE_INVALID);
    assert_rv(fx.p11->C_CopyObject(fx.session, 99999, &name, 1, &copy), CKR_OBJECT_HANDLE_INVALID);
    assert_ok(fx.p11->C_SetAttributeValue(fx.session, secret(KEY_AES), &name, 1));
    name = (CK_ATTRIBUTE){CKA_LABEL, KEY_AES, strlen(KEY_AES)};
    assert_ok(fx.p11->C_SetAttributeValue(fx.session, secret("renamed"), &name, 1));
}

/* KEY_AES both wraps and unwraps, and its value was known: no private key leaves under it, extractable or not. */
static void nothing_is_wrapped(void **state)
{
    CK_MECHANISM wrap = {CKM_AES_KEY_WRAP_PAD, NULL, 0};
    struct use_result wrapped;

    (void)state;
    isolated_lacks(__func__, "p11-kit's protocol does not carry AES key wrap");
    use_result_init(&wrapped);
    for (size_t i = 0; i < PRIVATE_LABELS; i++) {
        assert_rv(fx.p11->C_WrapKey(fx.session, &wrap, secret(KEY_AES), key(private_labels[i]), wrapped.bytes,
                                    &wrapped.len),
                  strcmp(private_labels[i], KEY_WEAK) == 0 ? CKR_KEY_NOT_WRAPPABLE : CKR_KEY_UNEXTRACTABLE);
        assert_rv(fx.p11->C_WrapKey(fx.session, &wrap, key(private_labels[i]), secret(KEY_HMAC), wrapped.bytes,
                                    &wrapped.len),
                  CKR_WRAPPING_KEY_TYPE_INCONSISTENT);
    }
    assert_true(use_result_is_untouched(&wrapped));
    assert_rv(fx.p11->C_WrapKey(fx.session, &wrap, secret(KEY_AES), 99999, NULL, &wrapped.len),
              CKR_KEY_HANDLE_INVALID);
    assert_rv(fx.p11->C_WrapKey(fx.session, &wrap, 99999, secret(KEY_HMAC), NULL, &wrapped.len),
              CKR_WRAPPING_KEY_HANDLE_INVALID);
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
}

/* A secret key is none of the gate's business: what the token gives out, it gives out. */
static void secret_value_is_read(void **state)
{
    struct use_result out;
    CK_ATTRIBUTE value = {CKA_VALUE, out.bytes, sizeof out.bytes};

    (void)state;
    lacks_bool(&fx, __func__, secret(KEY_HMAC), CKA_SENSITIVE, false,
               "CKA_SENSITIVE of a secret key that was made without");
    assert_ok(fx.p11->C_GetAttributeValue(fx.session, secret(KEY_HMAC), &value, 1));
    assert_int_equal(value.ulValueLen, 32);
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
    key_made(KEY_WEAK, key_make_rsa(direct.p11, session, &wish, &public_key, &private_key));
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
        HIGH(no_key_is_weakened),
        LOW(no_key_is_weakened),
        HIGH(no_secret_key_changes_its_role),
        LOW(no_secret_key_changes_its_role),
        HIGH(nothing_is_wrapped),
        LOW(nothing_is_wrapped),
        HIGH(no_other_operation_begins),
        LOW(no_other_operation_begins),
        HIGH(no_private_part_is_read),
        LOW(no_private_part_is_read),
        HIGH(secret_value_is_read),
        LOW(secret_value_is_read),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
