/* [module] export on a real token: keys that can leave are made, and taken out under a key that the program knows, only
 * where the configuration allows it and the user agrees with the PIN, whatever the level. */
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "support/fixture.h"
#include "support/isolated.h"
#include "support/keys.h"
#include "support/once.h"
#include "support/pinentry_script.h"
#include "support/test.h"

#define RIGHT "pin " FIXTURE_PIN "\n"
#define ASK   "export = ask\n"

static struct fixture fx;
static struct blob exported;
static CK_BBOOL yes = CK_TRUE;
static CK_BBOOL no = CK_FALSE;
static CK_BYTE known[32] = "the program knows these 32 bytes";

static void expect_question(const char *word, const char *command)
{
    char *questions = script_questions(&fx);

    assert_contains(questions, word);
    assert_contains(questions, command);
    free(questions);
    assert_int_equal(script_asked(&fx), 1);
}

static CK_RV make_key(CK_OBJECT_HANDLE *key)
{
    struct key_wish wish = key_wish_new(ONCE_MADE);
    CK_OBJECT_HANDLE public_key;

    wish.extractable = CK_TRUE;
    return key_make_rsa(fx.p11, fx.session, &wish, &public_key, key);
}

/* Skips the case on a token that has no keys that can leave. */
static void lacks_exportable_keys(void)
{
    (void)key_private(fx.p11, fx.session, KEY_EXPORTABLE);
}

static void delete_key(CK_OBJECT_HANDLE key, const char *answer)
{
    script_set(&fx, answer);
    assert_ok(fx.p11->C_DestroyObject(fx.session, key));
    assert_ok(fx.p11->C_DestroyObject(fx.session, key_public(fx.p11, fx.session, ONCE_MADE)));
}

/* An AES key of a known value, for this session or on the token. */
static CK_OBJECT_HANDLE bring_carrier(CK_BBOOL on_token)
{
    CK_OBJECT_CLASS object_class = CKO_SECRET_KEY;
    CK_KEY_TYPE key_type = CKK_AES;
    CK_OBJECT_HANDLE carrier;
    CK_ATTRIBUTE template[] = {
        {CKA_CLASS, &object_class, sizeof object_class},
        {CKA_KEY_TYPE, &key_type, sizeof key_type},
        {CKA_TOKEN, &on_token, sizeof on_token},
        {CKA_WRAP, &yes, sizeof yes},
        {CKA_SENSITIVE, &no, sizeof no},
        {CKA_EXTRACTABLE, &yes, sizeof yes},
        {CKA_VALUE, known, sizeof known},
    };

    assert_ok(fx.p11->C_CreateObject(fx.session, template, sizeof template / sizeof template[0], &carrier));
    return carrier;
}

/* The length of what came out, or -1. */
static int unwrap_with(const EVP_CIPHER *cipher, unsigned char out[2048])
{
    EVP_CIPHER_CTX *unwrap = EVP_CIPHER_CTX_new();
    int len = -1;

    EVP_CIPHER_CTX_set_flags(unwrap, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
    assert_int_equal(EVP_DecryptInit_ex(unwrap, cipher, NULL, known, NULL), 1);
    if (EVP_DecryptUpdate(unwrap, out, &len, exported.bytes, (int)exported.len) != 1)
        len = -1;
    EVP_CIPHER_CTX_free(unwrap);
    return len;
}

/* What CKM_AES_KEY_WRAP_PAD gave: RFC 5649 or, from softokn, the padding of PKCS #7 under RFC 3394. */
static int open_exported(unsigned char out[2048])
{
    int len = unwrap_with(EVP_aes_256_wrap_pad(), out);

    if (len < 0) {
        len = unwrap_with(EVP_aes_256_wrap(), out);
        assert_in_range(len, 9, 2048);
        assert_in_range(out[len - 1], 1, 8);
        len -= out[len - 1];
    }
    return len;
}

/* Opens what C_WrapKey gave and compares the modulus with the token's. */
static void expect_export_of(CK_OBJECT_HANDLE key)
{
    unsigned char pkcs8[2048], modulus[256], token_modulus[256];
    CK_ATTRIBUTE attribute = {CKA_MODULUS, token_modulus, sizeof token_modulus};
    const unsigned char *at = pkcs8;
    BIGNUM *n = NULL;
    EVP_PKEY *opened;

    opened = d2i_AutoPrivateKey(NULL, &at, open_exported(pkcs8));
    assert_non_null(opened);
    assert_int_equal(EVP_PKEY_get_bn_param(opened, "n", &n), 1);
    assert_int_equal(BN_bn2binpad(n, modulus, sizeof modulus), sizeof modulus);
    assert_ok(fx.p11->C_GetAttributeValue(fx.session, key, &attribute, 1));
    assert_memory_equal(modulus, token_modulus, sizeof modulus);
    BN_free(n);
    EVP_PKEY_free(opened);
}

/* ------------------------------------------------------------------ birth */

static void never_is_the_default(void **state)
{
    CK_OBJECT_HANDLE key;

    (void)state;
    fixture_start_logged_in(&fx, "");
    script_set(&fx, "");
    assert_ok(make_key(&key));
    assert_int_equal(script_asked(&fx), 0);
    assert_false(key_bool(fx.p11, fx.session, key, CKA_EXTRACTABLE));
    delete_key(key, RIGHT);
}

static void birth_asks_at_every_level(void **state)
{
    static const char *const levels[] = {"", "level = medium\n", "level = low\n"};
    CK_OBJECT_HANDLE key;
    char lines[64];

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        snprintf(lines, sizeof lines, ASK "%s", levels[i]);
        fixture_start_logged_in(&fx, lines);
        lacks_exportable_keys();
        script_set(&fx, "cancel\n");
        assert_rv(make_key(&key), CKR_FUNCTION_CANCELED);
        expect_question("EXPORT", "GETPIN");
        assert_int_equal(key_find(fx.p11, fx.session, CKO_PRIVATE_KEY, ONCE_MADE), CK_INVALID_HANDLE);
        script_set(&fx, "pin wrong-1\n" RIGHT);
        assert_ok(make_key(&key));
        assert_int_equal(script_asked(&fx), 2);
        assert_true(key_bool(fx.p11, fx.session, key, CKA_EXTRACTABLE));
        assert_true(key_bool(fx.p11, fx.session, key, CKA_SENSITIVE));
        assert_true(key_bool(fx.p11, fx.session, key, CKA_PRIVATE));
        delete_key(key, i == 1 ? "ok\n" : RIGHT);
        fixture_stop(&fx);
    }
}

static void no_login_covers_birth_or_export(void **state)
{
    CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;

    (void)state;
    isolated_lacks(__func__, "p11-kit's protocol does not carry AES key wrap");
    fixture_start(&fx, ASK);
    script_set(&fx, RIGHT RIGHT RIGHT);
    assert_ok(fx.p11->C_Login(fx.session, CKU_USER, NULL, 0));
    lacks_exportable_keys();
    assert_ok(make_key(&key));
    assert_ok(once_wrap(fx.p11, fx.session, bring_carrier(CK_FALSE), key, &exported));
    assert_int_equal(script_asked(&fx), 3);
    delete_key(key, RIGHT);
}

static void nobody_else_makes_such_a_key(void **state)
{
    CK_ATTRIBUTE weaker = {CKA_EXTRACTABLE, &yes, sizeof yes};
    struct key_wish wish = key_wish_new(ONCE_MADE);
    CK_OBJECT_HANDLE keys[2];

    (void)state;
    isolated_lacks(__func__, "p11-kit's protocol does not carry AES key wrap");
    fixture_start_logged_in(&fx, ASK);
    lacks_exportable_keys();
    script_set(&fx, "");
    assert_ok(key_make_rsa(fx.p11, fx.session, &wish, &keys[0], &keys[1])); /* asks for none */
    assert_rv(fx.p11->C_SetAttributeValue(fx.session, keys[1], &weaker, 1), CKR_ATTRIBUTE_READ_ONLY);
    assert_rv(fx.p11->C_CopyObject(fx.session, keys[1], &weaker, 1, &keys[0]), CKR_TEMPLATE_INCONSISTENT);
    assert_false(key_bool(fx.p11, fx.session, keys[1], CKA_EXTRACTABLE));
    assert_rv(once_wrap(fx.p11, fx.session, bring_carrier(CK_FALSE), keys[1], &exported), CKR_KEY_UNEXTRACTABLE);
    assert_int_equal(script_asked(&fx), 0);
    delete_key(keys[1], RIGHT);
}

/* A template that says two things is not asked about: the key cannot leave. */
static void an_unclear_wish_is_none(void **state)
{
    CK_MECHANISM mechanism = {CKM_RSA_PKCS_KEY_PAIR_GEN, NULL, 0};
    CK_ULONG bits = 2048;
    CK_BYTE exponent[] = {1, 0, 1};
    CK_ATTRIBUTE public_template[] = {{CKA_MODULUS_BITS, &bits, sizeof bits},
                                      {CKA_PUBLIC_EXPONENT, exponent, sizeof exponent}};
    CK_ATTRIBUTE templates[][2] = {
        {{CKA_EXTRACTABLE, &yes, sizeof yes}, {CKA_EXTRACTABLE, &no, sizeof no}},
        {{CKA_EXTRACTABLE, &yes, sizeof yes}, {CKA_EXTRACTABLE, &yes, sizeof yes}},
        {{CKA_EXTRACTABLE, &bits, sizeof bits}, {CKA_SIGN, &yes, sizeof yes}},
        {{CKA_EXTRACTABLE, NULL, 0}, {CKA_SIGN, &yes, sizeof yes}},
    };
    CK_OBJECT_HANDLE keys[2];

    (void)state;
    isolated_lacks(__func__, "p11-kit's protocol does not carry AES key wrap");
    fixture_start_logged_in(&fx, ASK);
    script_set(&fx, RIGHT RIGHT RIGHT RIGHT);
    for (size_t i = 0; i < sizeof templates / sizeof templates[0]; i++) {
        assert_ok(fx.p11->C_GenerateKeyPair(fx.session, &mechanism, public_template, 2, templates[i], 2, &keys[0],
                                            &keys[1]));
        assert_false(key_bool(fx.p11, fx.session, keys[1], CKA_EXTRACTABLE));
    }
    assert_int_equal(script_asked(&fx), 0);
}

/* ------------------------------------------------------------------ export */

static void export_asks_at_every_level(void **state)
{
    static const char *const levels[] = {"", "level = medium\n", "level = low\n"};
    CK_OBJECT_HANDLE key;
    char lines[64];

    (void)state;
    isolated_lacks(__func__, "p11-kit's protocol does not carry AES key wrap");
    for (size_t i = 0; i < 3; i++) {
        snprintf(lines, sizeof lines, ASK "%s", levels[i]);
        fixture_start_logged_in(&fx, lines);
        key = key_private(fx.p11, fx.session, KEY_EXPORTABLE);
        script_set(&fx, "cancel\n");
        assert_rv(once_wrap(fx.p11, fx.session, bring_carrier(CK_FALSE), key, &exported), CKR_FUNCTION_CANCELED);
        assert_true(blob_is_empty(&exported));
        script_set(&fx, RIGHT);
        assert_ok(once_wrap(fx.p11, fx.session, bring_carrier(CK_FALSE), key, &exported));
        expect_question("whoever has the copy", "GETPIN");
        expect_export_of(key);
        fixture_stop(&fx);
    }
}

/* The token's own guard (CKA_ALWAYS_AUTHENTICATE) does not stand in the way of what was agreed to. */
static void a_key_born_so_is_exported(void **state)
{
    CK_OBJECT_HANDLE key;
    char *ledger;

    (void)state;
    isolated_lacks(__func__, "p11-kit's protocol does not carry AES key wrap");
    folder_unlink(fx.folder, "state/pinward/ledger.jsonl");
    folder_unlink(fx.folder, "state/pinward/ledger.jsonl.head");
    fixture_start_logged_in(&fx, ASK);
    lacks_exportable_keys();
    script_set(&fx, RIGHT RIGHT);
    assert_ok(make_key(&key));
    assert_ok(once_wrap(fx.p11, fx.session, bring_carrier(CK_FALSE), key, &exported));
    expect_export_of(key);
    ledger = folder_read(fx.folder, "state/pinward/ledger.jsonl");
    assert_contains(ledger, "\"operation\":\"create exportable\"");
    assert_contains(ledger, "\"operation\":\"export to program\"");
    free(ledger);
    fixture_stop(&fx);

    fixture_start_logged_in(&fx, "level = low\n"); /* it was born high, and stays so */
    delete_key(key_private(fx.p11, fx.session, ONCE_MADE), RIGHT);
    assert_int_equal(script_asked(&fx), 1);
}

/* Keys on the token that somebody may know, or that open what they wrapped, and public keys. */
static void other_carriers_stay_refused(void **state)
{
    CK_OBJECT_HANDLE key, on_token;

    (void)state;
    isolated_lacks(__func__, "p11-kit's protocol does not carry AES key wrap");
    fixture_start_logged_in(&fx, ASK);
    key = key_private(fx.p11, fx.session, KEY_EXPORTABLE);
    on_token = bring_carrier(CK_TRUE);
    script_set(&fx, RIGHT);
    for (size_t i = 0; once_bad_carriers[i]; i++)
        assert_rv(once_wrap(fx.p11, fx.session, key_secret(fx.p11, fx.session, once_bad_carriers[i]), key, &exported),
                  CKR_KEY_NOT_WRAPPABLE);
    assert_rv(once_wrap(fx.p11, fx.session, on_token, key, &exported), CKR_KEY_NOT_WRAPPABLE);
    assert_rv(once_wrap(fx.p11, fx.session, key_public(fx.p11, fx.session, KEY_PLAIN_RSA), key, &exported),
              CKR_KEY_NOT_WRAPPABLE);
    assert_true(blob_is_empty(&exported));
    assert_int_equal(script_asked(&fx), 0);
    assert_ok(fx.p11->C_DestroyObject(fx.session, on_token));
}

static void without_the_setting_no_program_takes_a_key(void **state)
{
    (void)state;
    isolated_lacks(__func__, "p11-kit's protocol does not carry AES key wrap");
    fixture_start_logged_in(&fx, "");
    script_set(&fx, RIGHT);
    assert_rv(once_wrap(fx.p11, fx.session, bring_carrier(CK_FALSE), key_private(fx.p11, fx.session, KEY_EXPORTABLE),
                        &exported),
              CKR_KEY_NOT_WRAPPABLE);
    assert_true(blob_is_empty(&exported));
    assert_int_equal(script_asked(&fx), 0);
}

/* prompt = application: no application knows a login for this, so the module asks; one for a use of a key is none. */
static void the_module_asks_whoever_prompts(void **state)
{
    CK_OBJECT_HANDLE key;

    (void)state;
    isolated_lacks(__func__, "p11-kit's protocol does not carry AES key wrap");
    fixture_start_logged_in(&fx, ASK "prompt = application\n");
    lacks_exportable_keys();
    assert_ok(fx.p11->C_Login(fx.session, CKU_CONTEXT_SPECIFIC, (CK_BYTE_PTR)FIXTURE_PIN, strlen(FIXTURE_PIN)));
    script_set(&fx, "cancel\n");
    assert_rv(make_key(&key), CKR_FUNCTION_CANCELED);
    assert_int_equal(key_find(fx.p11, fx.session, CKO_PRIVATE_KEY, ONCE_MADE), CK_INVALID_HANDLE);
    script_set(&fx, RIGHT);
    assert_ok(make_key(&key));
    expect_question("EXPORT", "GETPIN");
    script_set(&fx, RIGHT);
    assert_ok(once_wrap(fx.p11, fx.session, bring_carrier(CK_FALSE), key, &exported));
    expect_question("EXPORT", "GETPIN");
    expect_export_of(key);
}

static int begin(void **state)
{
    (void)state;
    fixture_begin(&fx, KEYS_PLAIN_RSA | KEYS_AES);
    once_make_keys(&exported);
    return 0;
}

static int end(void **state)
{
    (void)state;
    fixture_end(&fx);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    fixture_stop(&fx);
    return 0;
}

#define TEST(f) cmocka_unit_test_teardown(f, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(never_is_the_default),
        TEST(birth_asks_at_every_level),
        TEST(no_login_covers_birth_or_export),
        TEST(nobody_else_makes_such_a_key),
        TEST(an_unclear_wish_is_none),
        TEST(export_asks_at_every_level),
        TEST(a_key_born_so_is_exported),
        TEST(other_carriers_stay_refused),
        TEST(without_the_setting_no_program_takes_a_key),
        TEST(the_module_asks_whoever_prompts),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
