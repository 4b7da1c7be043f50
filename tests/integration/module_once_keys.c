/* A key taken out, copied, changed, on a real token: each asks, none is covered by a login; what would weaken
 * a key or show it to somebody is not to be had at all. And the levels of all uses that are one call. */
#include <stdlib.h>
#include <string.h>

#include "support/fixture.h"
#include "support/isolated.h"
#include "support/keys.h"
#include "support/lacks.h"
#include "support/once.h"
#include "support/pinentry_script.h"
#include "support/test.h"
#include "support/use.h"

#define RIGHT "pin " FIXTURE_PIN "\n"

static struct fixture fx;
static struct blob exported;
static CK_BBOOL yes = CK_TRUE;
static CK_BBOOL no = CK_FALSE;

static CK_OBJECT_HANDLE key(const char *label)
{
    return key_private(fx.p11, fx.session, label);
}

static void expect_question(const char *word)
{
    char *questions = script_questions(&fx);

    assert_contains(questions, word);
    free(questions);
    assert_int_equal(script_asked(&fx), 1);
}

static void expect_nothing_made(void)
{
    assert_int_equal(key_find(fx.p11, fx.session, CKO_SECRET_KEY, ONCE_MADE), CK_INVALID_HANDLE);
    assert_int_equal(key_find(fx.p11, fx.session, CKO_PRIVATE_KEY, ONCE_MADE), CK_INVALID_HANDLE);
}

static CK_RV unwrap(const char *label, CK_OBJECT_HANDLE *made)
{
    return once_unwrap(&fx, fx.session, label, made, NULL);
}

static CK_RV export_key(const char *carrier, const char *label)
{
    return once_wrap(fx.p11, fx.session, key_secret(fx.p11, fx.session, carrier), key(label), &exported);
}

/* With a CKA_ID of its own: softokn has one private key for each, and would put the copy in the place of the key. */
static CK_RV copy_key(const char *label, CK_OBJECT_HANDLE *copy)
{
    CK_ATTRIBUTE template[] = {{CKA_LABEL, (void *)ONCE_MADE, strlen(ONCE_MADE)},
                               {CKA_ID, (void *)ONCE_MADE, strlen(ONCE_MADE)}};

    return fx.p11->C_CopyObject(fx.session, key(label), template, 2, copy);
}

static CK_RV rename_key(const char *label, const char *name)
{
    CK_ATTRIBUTE template[] = {{CKA_LABEL, (void *)name, strlen(name)}, {CKA_ID, (void *)name, strlen(name)}};

    return fx.p11->C_SetAttributeValue(fx.session, key(label), template, 2);
}

/* ------------------------------------------------------------------ exporting */

/* A private key leaves only under one that was made on the token: CKA_LOCAL says so, where a token keeps it. */
static void lacks_carrier(const char *name)
{
    lacks_bool(&fx, name, key_secret(fx.p11, fx.session, KEY_CARRIER), CKA_LOCAL, true,
               "CKA_LOCAL of a key that was generated on the token");
}

static void exporting_asks(void **state)
{
    CK_MECHANISM mechanism = {CKM_AES_KEY_WRAP_PAD, NULL, 0};
    CK_ULONG len = 0;

    (void)state;
    isolated_lacks(__func__, "p11-kit's protocol does not carry AES key wrap");
    fixture_start_logged_in(&fx, "");
    lacks_carrier(__func__);
    script_set(&fx, "cancel\n");
    assert_rv(export_key(KEY_CARRIER, KEY_EXPORTABLE), CKR_FUNCTION_CANCELED);
    assert_true(blob_is_empty(&exported));
    script_set(&fx, "");
    assert_ok(fx.p11->C_WrapKey(fx.session, &mechanism, key_secret(fx.p11, fx.session, KEY_CARRIER),
                                key(KEY_EXPORTABLE), NULL, &len));
    assert_int_equal(script_asked(&fx), 0); /* a length query asks nobody */
    assert_in_range(len, 1000, 2048);
    script_set(&fx, RIGHT);
    assert_ok(export_key(KEY_CARRIER, KEY_EXPORTABLE));
    expect_question("EXPORT");
    assert_int_equal(exported.len, len);
    assert_false(blob_is_empty(&exported));
}

static void grace_covers_no_export(void **state)
{
    (void)state;
    isolated_lacks(__func__, "p11-kit's protocol does not carry AES key wrap");
    fixture_start(&fx, "");
    script_set(&fx, RIGHT "cancel\n");
    assert_ok(fx.p11->C_Login(fx.session, CKU_USER, NULL, 0));
    lacks_carrier(__func__);
    assert_rv(export_key(KEY_CARRIER, KEY_EXPORTABLE), CKR_FUNCTION_CANCELED);
    assert_int_equal(script_asked(&fx), 2);
}

static void grace_covers_no_copy_or_change(void **state)
{
    CK_OBJECT_HANDLE copy;
    CK_OBJECT_HANDLE made;

    (void)state;
    fixture_start(&fx, "");
    script_set(&fx, RIGHT "cancel\ncancel\n");
    assert_ok(fx.p11->C_Login(fx.session, CKU_USER, NULL, 0));
    assert_rv(copy_key(KEY_PLAIN_RSA, &copy), CKR_FUNCTION_CANCELED);
    assert_rv(rename_key(KEY_PLAIN_RSA, ONCE_MADE), CKR_FUNCTION_CANCELED);
    assert_int_equal(script_asked(&fx), 3);
    lacks_mechanism(&fx, __func__, CKM_RSA_PKCS, CKF_UNWRAP, "CKM_RSA_PKCS");
    assert_ok(unwrap(KEY_PLAIN_RSA, &made)); /* and it is still there for what it covers */
    assert_int_equal(script_asked(&fx), 0);
    assert_ok(fx.p11->C_DestroyObject(fx.session, made));
}

/* Whoever may know the carrier, or may open what it carried, would get the key. */
static void nothing_leaves_under_a_bad_carrier(void **state)
{
    static const char *const lines[] = {"", "level = low\n"};
    CK_OBJECT_HANDLE public_key;

    (void)state;
    isolated_lacks(__func__, "p11-kit's protocol does not carry AES key wrap");
    for (size_t l = 0; l < 2; l++) {
        fixture_start_logged_in(&fx, lines[l]);
        script_set(&fx, RIGHT);
        for (size_t i = 0; once_bad_carriers[i]; i++) {
            assert_rv(export_key(once_bad_carriers[i], KEY_EXPORTABLE), CKR_KEY_NOT_WRAPPABLE);
            assert_true(blob_is_empty(&exported));
        }
        public_key = key_public(fx.p11, fx.session, KEY_PLAIN_RSA);
        assert_rv(once_wrap(fx.p11, fx.session, public_key, key(KEY_EXPORTABLE), &exported),
                  CKR_KEY_NOT_WRAPPABLE);
        assert_true(blob_is_empty(&exported));
        assert_int_equal(script_asked(&fx), 0);
        fixture_stop(&fx);
    }
}

/* ------------------------------------------------------------------ copying and changing */

static void copying_asks_and_the_copy_is_as_protected(void **state)
{
    struct use_result signature;
    CK_OBJECT_HANDLE copy = 77;
    CK_RV rv;

    (void)state;
    fixture_start_logged_in(&fx, "");
    script_set(&fx, "cancel\n");
    assert_rv(copy_key(KEY_HIGH_RSA, &copy), CKR_FUNCTION_CANCELED);
    assert_int_equal(copy, 77);
    expect_nothing_made();
    script_set(&fx, "cancel\n"); /* as it is, or only strengthened, a copy is one key more all the same */
    assert_rv(fx.p11->C_CopyObject(fx.session, key(KEY_HIGH_RSA), NULL, 0, &copy), CKR_FUNCTION_CANCELED);
    assert_int_equal(copy, 77);
    expect_question("COPY");
    script_set(&fx, RIGHT);
    rv = copy_key(KEY_HIGH_RSA, &copy);
    lacks_on(__func__, "C_CopyObject", rv, CKR_FUNCTION_NOT_SUPPORTED);
    assert_ok(rv);
    expect_question("COPY");
    assert_true(key_bool(fx.p11, fx.session, copy, CKA_PRIVATE));
    assert_true(key_bool(fx.p11, fx.session, copy, CKA_SENSITIVE));
    assert_false(key_bool(fx.p11, fx.session, copy, CKA_EXTRACTABLE));
    fixture_stop(&fx);

    fixture_start_logged_in(&fx, "level = low\n"); /* it is high like what it was copied from */
    script_set(&fx, RIGHT RIGHT);
    assert_ok(use_sign(&fx, fx.session, key(ONCE_MADE), &signature));
    assert_int_equal(script_asked(&fx), 1);
    assert_ok(fx.p11->C_DestroyObject(fx.session, key(ONCE_MADE)));
}

static void renaming_asks(void **state)
{
    (void)state;
    fixture_start_logged_in(&fx, "");
    script_set(&fx, "cancel\n");
    assert_rv(rename_key(KEY_PLAIN_RSA, ONCE_MADE), CKR_FUNCTION_CANCELED);
    expect_nothing_made();
    script_set(&fx, RIGHT);
    assert_ok(rename_key(KEY_PLAIN_RSA, ONCE_MADE));
    expect_question("CHANGE");
    script_set(&fx, RIGHT);
    assert_ok(rename_key(ONCE_MADE, KEY_PLAIN_RSA));
}

static void strengthening_asks_nobody(void **state)
{
    CK_ATTRIBUTE template[] = {{CKA_SENSITIVE, &yes, sizeof yes}, {CKA_EXTRACTABLE, &no, sizeof no}};

    (void)state;
    fixture_start_logged_in(&fx, "");
    script_set(&fx, "");
    assert_ok(fx.p11->C_SetAttributeValue(fx.session, key(KEY_WEAK), template, 2));
    assert_int_equal(script_asked(&fx), 0);
    assert_true(key_bool(fx.p11, fx.session, key(KEY_WEAK), CKA_SENSITIVE));
    assert_false(key_bool(fx.p11, fx.session, key(KEY_WEAK), CKA_EXTRACTABLE));
}

/* ------------------------------------------------------------------ levels */

static void level_low_asks_nobody(void **state)
{
    CK_ATTRIBUTE weaker = {CKA_EXTRACTABLE, &yes, sizeof yes};
    CK_OBJECT_HANDLE made;
    CK_BYTE secret[32];

    (void)state;
    fixture_start_logged_in(&fx, "level = low\n");
    lacks_mechanism(&fx, __func__, CKM_RSA_PKCS, CKF_UNWRAP, "CKM_RSA_PKCS");
    lacks_mechanism(&fx, __func__, CKM_ECDH1_DERIVE, CKF_DERIVE, "CKM_ECDH1_DERIVE");
    script_set(&fx, "");
    assert_ok(unwrap(KEY_PLAIN_RSA, &made));
    assert_ok(once_derive(&fx, KEY_PLAIN_EC, KEY_HIGH_EC, secret));
    assert_ok(copy_key(KEY_PLAIN_RSA, &made));
    assert_rv(fx.p11->C_SetAttributeValue(fx.session, made, &weaker, 1), CKR_ATTRIBUTE_READ_ONLY);
    assert_rv(fx.p11->C_CopyObject(fx.session, made, &weaker, 1, &made), CKR_TEMPLATE_INCONSISTENT);
    assert_ok(fx.p11->C_DestroyObject(fx.session, made));
    assert_ok(rename_key(KEY_PLAIN_RSA, ONCE_MADE));
    assert_ok(rename_key(ONCE_MADE, KEY_PLAIN_RSA));
    assert_int_equal(script_asked(&fx), 0);
    assert_rv(unwrap(KEY_HIGH_RSA, &made), CKR_FUNCTION_CANCELED); /* stays high */
    assert_int_equal(script_asked(&fx), 1);
}

static void export_at_level_low_asks_nobody(void **state)
{
    (void)state;
    isolated_lacks(__func__, "p11-kit's protocol does not carry AES key wrap");
    fixture_start_logged_in(&fx, "level = low\n");
    lacks_carrier(__func__);
    script_set(&fx, "");
    assert_ok(export_key(KEY_CARRIER, KEY_EXPORTABLE));
    assert_false(blob_is_empty(&exported));
    assert_int_equal(script_asked(&fx), 0);
}

static void export_at_level_medium_confirms(void **state)
{
    char *questions;

    (void)state;
    isolated_lacks(__func__, "p11-kit's protocol does not carry AES key wrap");
    fixture_start_logged_in(&fx, "level = medium\n");
    lacks_carrier(__func__);
    script_set(&fx, "ok\ncancel\n");
    assert_ok(export_key(KEY_CARRIER, KEY_EXPORTABLE));
    questions = script_questions(&fx);
    assert_contains(questions, "CONFIRM");
    assert_not_contains(questions, "GETPIN");
    free(questions);
    assert_int_equal(script_asked(&fx), 1);
    assert_rv(export_key(KEY_CARRIER, KEY_EXPORTABLE), CKR_FUNCTION_REJECTED);
    assert_true(blob_is_empty(&exported));
}

static void level_medium_confirms(void **state)
{
    CK_OBJECT_HANDLE made;
    CK_BYTE secret[32];
    char *questions;

    (void)state;
    fixture_start_logged_in(&fx, "level = medium\n");
    lacks_mechanism(&fx, __func__, CKM_RSA_PKCS, CKF_UNWRAP, "CKM_RSA_PKCS");
    lacks_mechanism(&fx, __func__, CKM_ECDH1_DERIVE, CKF_DERIVE, "CKM_ECDH1_DERIVE");
    script_set(&fx, "ok\nok\nok\n");
    assert_ok(unwrap(KEY_PLAIN_RSA, &made));
    assert_ok(once_derive(&fx, KEY_PLAIN_EC, KEY_HIGH_EC, secret));
    assert_ok(rename_key(KEY_PLAIN_RSA, KEY_PLAIN_RSA));
    questions = script_questions(&fx);
    assert_contains(questions, "CONFIRM");
    assert_not_contains(questions, "GETPIN");
    free(questions);
    assert_int_equal(script_asked(&fx), 3);
    script_set(&fx, "cancel\n");
    assert_rv(unwrap(KEY_PLAIN_RSA, &made), CKR_FUNCTION_REJECTED);
}

static int begin(void **state)
{
    (void)state;
    fixture_begin(&fx, KEYS_HIGH_RSA | KEYS_PLAIN_RSA | KEYS_HIGH_EC | KEYS_PLAIN_EC | KEYS_AES);
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
        TEST(exporting_asks),
        TEST(grace_covers_no_export),
        TEST(grace_covers_no_copy_or_change),
        TEST(nothing_leaves_under_a_bad_carrier),
        TEST(copying_asks_and_the_copy_is_as_protected),
        TEST(renaming_asks),
        TEST(strengthening_asks_nobody),
        TEST(level_low_asks_nobody),
        TEST(export_at_level_low_asks_nobody),
        TEST(export_at_level_medium_confirms),
        TEST(level_medium_confirms),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
