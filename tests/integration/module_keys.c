/* Keys are born protected whatever the application asks for, and die only with their user's consent. */
#include <stdlib.h>
#include <string.h>

#include "support/backend_direct.h"
#include "support/fixture.h"
#include "support/keys.h"
#include "support/lacks.h"
#include "support/pinentry_script.h"
#include "support/test.h"
#include "support/use.h"

#define RIGHT "pin " FIXTURE_PIN "\n"

static struct fixture fx;

static int stop(void **state)
{
    (void)state;
    fixture_stop(&fx);
    return 0;
}

static void start(const char *lines)
{
    fixture_start_logged_in(&fx, lines);
    script_set(&fx, "");
}

/* ------------------------------------------------------------------ birth */

/* What is really on the token, seen without the gate. */
static void expect_protected_on_token(const char *label, bool always_authenticate)
{
    struct backend_direct direct;
    CK_SESSION_HANDLE session;
    CK_OBJECT_HANDLE key;

    fixture_stop(&fx);
    backend_direct_open(&direct);
    assert_ok(direct.p11->C_OpenSession(backend_slot(direct.p11, CK_TRUE), CKF_SERIAL_SESSION, NULL, NULL,
                                        &session));
    assert_int_equal(key_find(direct.p11, session, CKO_PRIVATE_KEY, label), CK_INVALID_HANDLE);
    assert_ok(direct.p11->C_Login(session, CKU_USER, (CK_BYTE_PTR)FIXTURE_PIN, strlen(FIXTURE_PIN)));
    key = key_private(direct.p11, session, label);
    assert_true(key_bool(direct.p11, session, key, CKA_PRIVATE));
    assert_true(key_bool(direct.p11, session, key, CKA_SENSITIVE));
    assert_false(key_bool(direct.p11, session, key, CKA_EXTRACTABLE));
    assert_int_equal(key_always_authenticates(direct.p11, session, key), always_authenticate);
    backend_direct_close(&direct);
}

static void make_carelessly(const char *label)
{
    struct key_wish wish = key_wish_new(label);
    CK_OBJECT_HANDLE public_key, private_key;

    wish.private_key = CK_FALSE;
    wish.sensitive = CK_FALSE;
    wish.extractable = CK_TRUE;
    assert_ok(key_make_ec(fx.p11, fx.session, &wish, &public_key, &private_key));
}

static void generated_key_is_protected(void **state)
{
    (void)state;
    start("");
    make_carelessly("careless high");
    expect_protected_on_token("careless high", true);
    start("prompt = application\n");
    make_carelessly("careless application");
    expect_protected_on_token("careless application", true);
    start("level = medium\n");
    make_carelessly("careless medium");
    expect_protected_on_token("careless medium", false);
    start("level = low\n");
    make_carelessly("careless low");
    expect_protected_on_token("careless low", false);
}

/* A private EC key in the clear: the scalar 1, and so on; any number below the order is a key. */
static CK_RV import_carelessly(const char *label, CK_OBJECT_HANDLE *key)
{
    static const char p256[] = "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07";
    CK_BYTE value[32] = {[31] = 7};
    CK_OBJECT_CLASS object_class = CKO_PRIVATE_KEY;
    CK_KEY_TYPE type = CKK_EC;
    CK_BBOOL yes = CK_TRUE;
    CK_BBOOL no = CK_FALSE;
    CK_ATTRIBUTE template[] = {
        {CKA_PRIVATE, &no, sizeof no},
        {CKA_SENSITIVE, &no, sizeof no},
        {CKA_EXTRACTABLE, &yes, sizeof yes},
        {CKA_ALWAYS_AUTHENTICATE, &no, sizeof no},
        {CKA_KEY_TYPE, &type, sizeof type},
        {CKA_TOKEN, &yes, sizeof yes},
        {CKA_SIGN, &yes, sizeof yes},
        {CKA_LABEL, (void *)label, strlen(label)},
        {CKA_EC_PARAMS, (void *)p256, sizeof p256 - 1},
        {CKA_VALUE, value, sizeof value},
        {CKA_CLASS, &object_class, sizeof object_class},
    };

    return fx.p11->C_CreateObject(fx.session, template, sizeof template / sizeof template[0], key);
}

static void imported_key_is_protected(void **state)
{
    struct use_result signature;
    CK_OBJECT_HANDLE key;
    CK_RV rv;

    (void)state;
    start("");
    rv = import_carelessly("imported", &key);
    lacks_on(__func__, "C_CreateObject of a private key", rv, CKR_ATTRIBUTE_VALUE_INVALID);
    assert_ok(rv);
    assert_rv(use_sign_ec(&fx, fx.session, key, &signature), CKR_FUNCTION_CANCELED);
    expect_protected_on_token("imported", true);
}

/* Objects that are no private keys are made as the application says. */
static void other_objects_are_made_as_asked(void **state)
{
    CK_OBJECT_CLASS object_class = CKO_SECRET_KEY;
    CK_KEY_TYPE type = CKK_GENERIC_SECRET;
    CK_BBOOL yes = CK_TRUE;
    CK_BBOOL no = CK_FALSE;
    CK_ATTRIBUTE template[] = {
        {CKA_CLASS, &object_class, sizeof object_class},
        {CKA_KEY_TYPE, &type, sizeof type},
        {CKA_SENSITIVE, &no, sizeof no},
        {CKA_EXTRACTABLE, &yes, sizeof yes},
        {CKA_PRIVATE, &no, sizeof no},
        {CKA_VALUE, "0123456789abcdef", 16},
    };
    CK_OBJECT_HANDLE key;
    CK_RV rv;

    (void)state;
    start("");
    rv = fx.p11->C_CreateObject(fx.session, template, 6, &key);
    lacks_on(__func__, "C_CreateObject of a secret key", rv, CKR_ATTRIBUTE_VALUE_INVALID);
    assert_ok(rv);
    assert_false(key_bool(fx.p11, fx.session, key, CKA_SENSITIVE));
    assert_true(key_bool(fx.p11, fx.session, key, CKA_EXTRACTABLE));
    assert_ok(fx.p11->C_DestroyObject(fx.session, key));
    assert_int_equal(script_asked(&fx), 0);
    assert_rv(fx.p11->C_CreateObject(fx.session, NULL, 2, &key), CKR_ARGUMENTS_BAD);
}

/* ------------------------------------------------------------------ death */

static CK_OBJECT_HANDLE make_session_key(void)
{
    struct key_wish wish = key_wish_new("passing");
    CK_OBJECT_HANDLE public_key, private_key;

    wish.on_token = false;
    assert_ok(key_make_ec(fx.p11, fx.session, &wish, &public_key, &private_key));
    return private_key;
}

static void deletion_asks(void **state)
{
    CK_OBJECT_HANDLE passing;

    (void)state;
    start("");
    passing = make_session_key();
    script_set(&fx, "cancel\ndie\npin 1111\npin 2222\npin 3333\n");
    assert_rv(fx.p11->C_DestroyObject(fx.session, passing), CKR_FUNCTION_CANCELED);
    assert_rv(fx.p11->C_DestroyObject(fx.session, passing), CKR_FUNCTION_FAILED);
    assert_rv(fx.p11->C_DestroyObject(fx.session, passing), CKR_FUNCTION_REJECTED);
    assert_int_equal(key_private(fx.p11, fx.session, "passing"), passing);
    script_set(&fx, RIGHT);
    assert_ok(fx.p11->C_DestroyObject(fx.session, passing));
}

static void agreed_deletion_deletes(void **state)
{
    CK_OBJECT_HANDLE passing;

    (void)state;
    start("");
    passing = make_session_key();
    script_set(&fx, "pin 1111\n" RIGHT);
    assert_ok(fx.p11->C_DestroyObject(fx.session, passing));
    assert_int_equal(script_asked(&fx), 2);
    assert_int_equal(key_find(fx.p11, fx.session, CKO_PRIVATE_KEY, "passing"), CK_INVALID_HANDLE);
    assert_rv(fx.p11->C_DestroyObject(fx.session, passing), CKR_OBJECT_HANDLE_INVALID);
    assert_int_equal(script_asked(&fx), 0);
}

/* What the gate knew of a key goes with it. */
static void deleted_key_is_gone_for_every_session(void **state)
{
    const CK_OBJECT_HANDLE none = CK_INVALID_HANDLE;
    struct use_result signature;
    CK_SESSION_HANDLE other;
    CK_OBJECT_HANDLE passing;
    CK_RV rv;

    (void)state;
    start("");
    other = fixture_session(&fx);
    passing = make_session_key();
    assert_rv(use_sign_ec(&fx, other, passing, &signature), CKR_FUNCTION_CANCELED);
    script_set(&fx, RIGHT);
    rv = fx.p11->C_DestroyObject(fx.session, passing);
    lacks_on(__func__, "C_DestroyObject of a key that a session began to use", rv, CKR_FUNCTION_FAILED);
    assert_ok(rv);
    assert_rv(use_sign_ec(&fx, other, passing, &signature), CKR_KEY_HANDLE_INVALID);
    assert_rv(fx.p11->C_DestroyObject(other, passing), CKR_OBJECT_HANDLE_INVALID);
    assert_rv(fx.p11->C_DestroyObject(other, none), CKR_OBJECT_HANDLE_INVALID);
}

static void logged_out_keys_are_unknown(void **state)
{
    struct use_result signature;
    CK_OBJECT_HANDLE key;

    (void)state;
    start("");
    key = key_private(fx.p11, fx.session, KEY_HIGH_RSA);
    assert_rv(use_sign(&fx, fx.session, key, &signature), CKR_FUNCTION_CANCELED);
    assert_ok(fx.p11->C_Logout(fx.session));
    assert_int_not_equal(use_sign(&fx, fx.session, key, &signature), CKR_OK);
    assert_int_not_equal(fx.p11->C_DestroyObject(fx.session, key), CKR_OK);
    assert_true(use_result_is_untouched(&signature));
}

static int begin(void **state)
{
    (void)state;
    fixture_begin(&fx, KEYS_HIGH_RSA);
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
        TEST(generated_key_is_protected),
        TEST(imported_key_is_protected),
        TEST(other_objects_are_made_as_asked),
        TEST(deletion_asks),
        TEST(agreed_deletion_deletes),
        TEST(deleted_key_is_gone_for_every_session),
        TEST(logged_out_keys_are_unknown),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
