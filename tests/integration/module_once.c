/* Uses that are one call, on a real token: unwrap and derive. Each asks, says what for, and leaves nothing
 * behind when its user does not agree. Export, copy and change: module_once_keys. */
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "support/fixture.h"
#include "support/isolated.h"
#include "support/keys.h"
#include "support/lacks.h"
#include "support/once.h"
#include "support/pinentry_script.h"
#include "support/test.h"
#include "support/use.h"

#define RIGHT "pin " FIXTURE_PIN "\n"
#define WRONG "pin 000000\n"

static struct fixture fx;
static struct blob from_before; /* KEY_EXPORTABLE, wrapped under KEY_AES before Pinward came */
static CK_BBOOL yes = CK_TRUE;
static CK_BBOOL no = CK_FALSE;

static const char *const rsa_labels[] = {KEY_HIGH_RSA, KEY_PLAIN_RSA};

/* ------------------------------------------------------------------ a clock that tests put forward */

static time_t clock_ahead_s;

/* In place of libc's, for the module too (the program exports it). */
__attribute__((visibility("default"))) int clock_gettime(clockid_t clock, struct timespec *now)
{
    const long rv = syscall(SYS_clock_gettime, clock, now);

    if (rv == 0 && clock == CLOCK_BOOTTIME)
        now->tv_sec += clock_ahead_s;
    return (int)rv;
}

/* ------------------------------------------------------------------ what the tests share */

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

/* ------------------------------------------------------------------ unwrapping */

static void unwrapping_asks(void **state)
{
    CK_OBJECT_HANDLE made = 77;
    char hex[65], *questions;

    (void)state;
    fixture_start_logged_in(&fx, "");
    lacks_mechanism(&fx, __func__, CKM_RSA_PKCS, CKF_UNWRAP, "CKM_RSA_PKCS");
    for (size_t i = 0; i < 2; i++) {
        script_set(&fx, RIGHT);
        assert_ok(once_unwrap(&fx, fx.session, rsa_labels[i], &made, hex));
        questions = script_questions(&fx);
        assert_contains(questions, "UNWRAP");
        assert_contains(questions, rsa_labels[i]);
        assert_contains(questions, hex);
        free(questions);
        assert_int_equal(script_asked(&fx), 1);
        once_expect_value(&fx, made);
        assert_ok(fx.p11->C_DestroyObject(fx.session, made));
    }
}

/* Nobody is asked for a consent that the token would let go to waste, and a login's grace is not spent on it either. */
static void what_a_key_is_not_for_asks_nobody(void **state)
{
    static const char *const ec_labels[] = {KEY_HIGH_EC, KEY_PLAIN_EC};
    CK_OBJECT_CLASS secret = CKO_SECRET_KEY;
    CK_KEY_TYPE aes = CKK_AES;
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &secret, sizeof secret},
                               {CKA_KEY_TYPE, &aes, sizeof aes},
                               {CKA_LABEL, (void *)ONCE_MADE, strlen(ONCE_MADE)}};
    CK_MECHANISM mechanism = {CKM_RSA_PKCS, NULL, 0};
    CK_BYTE wrapped[256] = {0};
    CK_OBJECT_HANDLE made = 77;

    (void)state;
    fixture_start_logged_in(&fx, "");
    script_set(&fx, RIGHT);
    for (size_t i = 0; i < 2; i++) {
        lacks_bool(&fx, __func__, key(ec_labels[i]), CKA_UNWRAP, false, "CKA_UNWRAP of a key that does not unwrap");
        assert_rv(fx.p11->C_UnwrapKey(fx.session, &mechanism, key(ec_labels[i]), wrapped, sizeof wrapped, template, 3, &made),
                  CKR_KEY_FUNCTION_NOT_PERMITTED);
        lacks_bool(&fx, __func__, key(rsa_labels[i]), CKA_DERIVE, false, "CKA_DERIVE of a key that does not derive");
        assert_rv(fx.p11->C_DeriveKey(fx.session, &mechanism, key(rsa_labels[i]), template, 3, &made),
                  CKR_KEY_FUNCTION_NOT_PERMITTED);
    }
    assert_int_equal(script_asked(&fx), 0);
    assert_int_equal(made, 77);
    expect_nothing_made();
}

static void refused_unwrapping_makes_nothing(void **state)
{
    CK_OBJECT_HANDLE made = 77;

    (void)state;
    fixture_start_logged_in(&fx, "");
    lacks_mechanism(&fx, __func__, CKM_RSA_PKCS, CKF_UNWRAP, "CKM_RSA_PKCS");
    for (size_t i = 0; i < 2; i++) {
        script_set(&fx, "cancel\n");
        assert_rv(unwrap(rsa_labels[i], &made), CKR_FUNCTION_CANCELED);
        script_set(&fx, WRONG WRONG RIGHT);
        assert_ok(unwrap(rsa_labels[i], &made));
        assert_int_equal(script_asked(&fx), 3);
        assert_ok(fx.p11->C_DestroyObject(fx.session, made));
        made = 77;
    }
    script_set(&fx, WRONG WRONG WRONG RIGHT);
    assert_int_not_equal(unwrap(KEY_PLAIN_RSA, &made), CKR_OK);
    assert_int_equal(script_asked(&fx), 3);
    assert_int_equal(made, 77);
    expect_nothing_made();
}

/* The PIN that logged in counts for one of these uses, whatever the key, and then no more. */
static void grace_covers_one_unwrapping(void **state)
{
    CK_OBJECT_HANDLE made;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        fixture_start(&fx, "");
        lacks_mechanism(&fx, __func__, CKM_RSA_PKCS, CKF_UNWRAP, "CKM_RSA_PKCS");
        script_set(&fx, RIGHT);
        assert_ok(fx.p11->C_Login(fx.session, CKU_USER, NULL, 0));
        assert_int_equal(script_asked(&fx), 1);
        assert_ok(unwrap(rsa_labels[i], &made));
        assert_int_equal(script_asked(&fx), 0);
        assert_rv(unwrap(rsa_labels[i], &made), CKR_FUNCTION_CANCELED);
        assert_int_equal(script_asked(&fx), 1);
        fixture_stop(&fx);
    }
}

static CK_RV unwrap_private(CK_OBJECT_HANDLE *made)
{
    CK_OBJECT_CLASS object_class = CKO_PRIVATE_KEY;
    CK_KEY_TYPE key_type = CKK_RSA;
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &object_class, sizeof object_class},
                               {CKA_KEY_TYPE, &key_type, sizeof key_type},
                               {CKA_TOKEN, &yes, sizeof yes},
                               {CKA_PRIVATE, &no, sizeof no},
                               {CKA_SENSITIVE, &no, sizeof no},
                               {CKA_EXTRACTABLE, &yes, sizeof yes},
                               {CKA_ALWAYS_AUTHENTICATE, &no, sizeof no},
                               {CKA_SIGN, &yes, sizeof yes},
                               {CKA_LABEL, (void *)ONCE_MADE, strlen(ONCE_MADE)}};
    CK_MECHANISM mechanism = {CKM_AES_KEY_WRAP_PAD, NULL, 0};

    return fx.p11->C_UnwrapKey(fx.session, &mechanism, key_secret(fx.p11, fx.session, KEY_AES),
                               from_before.bytes, from_before.len, template, 9, made);
}

/* Imported again with weaker attributes, it comes out protected all the same: and high, so that the token
 * asks. */
static void unwrapped_private_key_is_protected(void **state)
{
    struct use_result signature;
    CK_OBJECT_HANDLE made;

    (void)state;
    isolated_lacks(__func__, "p11-kit's protocol does not carry AES key wrap");
    fixture_start_logged_in(&fx, "");
    script_set(&fx, "");
    assert_ok(unwrap_private(&made));
    assert_int_equal(script_asked(&fx), 0); /* KEY_AES is no private key */
    assert_true(key_bool(fx.p11, fx.session, made, CKA_PRIVATE));
    assert_true(key_bool(fx.p11, fx.session, made, CKA_SENSITIVE));
    assert_false(key_bool(fx.p11, fx.session, made, CKA_EXTRACTABLE));
    fixture_stop(&fx);

    fixture_start_logged_in(&fx, "level = low\n");
    script_set(&fx, RIGHT RIGHT);
    assert_ok(use_sign(&fx, fx.session, key(ONCE_MADE), &signature));
    assert_int_equal(script_asked(&fx), 1);
    assert_true(use_signature_is_good(&fx, KEY_EXPORTABLE, &signature));
    assert_ok(fx.p11->C_DestroyObject(fx.session, key(ONCE_MADE)));
}

/* ------------------------------------------------------------------ deriving */

static void deriving_asks_and_both_sides_agree(void **state)
{
    CK_BYTE one[32] = "one", other[32] = "other";

    (void)state;
    fixture_start_logged_in(&fx, "");
    lacks_mechanism(&fx, __func__, CKM_ECDH1_DERIVE, CKF_DERIVE, "CKM_ECDH1_DERIVE");
    script_set(&fx, RIGHT);
    assert_ok(once_derive(&fx, KEY_HIGH_EC, KEY_PLAIN_EC, one));
    expect_question("DERIVE");
    script_set(&fx, RIGHT);
    assert_ok(once_derive(&fx, KEY_PLAIN_EC, KEY_HIGH_EC, other));
    expect_question("DERIVE");
    assert_memory_equal(one, other, sizeof one);
}

static void refused_derivation_makes_nothing(void **state)
{
    CK_BYTE secret[32];

    (void)state;
    isolated_lacks(__func__, "p11-kit's protocol does not carry the parameters of ECDH");
    fixture_start_logged_in(&fx, "");
    script_set(&fx, "cancel\ncancel\n");
    assert_rv(once_derive(&fx, KEY_HIGH_EC, KEY_PLAIN_EC, secret), CKR_FUNCTION_CANCELED);
    assert_rv(once_derive(&fx, KEY_PLAIN_EC, KEY_HIGH_EC, secret), CKR_FUNCTION_CANCELED);
    assert_int_equal(script_asked(&fx), 2);
    expect_nothing_made();
}

/* What another thread writes into the parameters while the user reads the window is not what is derived with.
 */
static void parameters_changed_meanwhile_do_not_matter(void **state)
{
    CK_BYTE right[32], value[32] = "";
    CK_ATTRIBUTE attribute = {CKA_VALUE, value, sizeof value};
    struct derivation d;

    (void)state;
    fixture_start_logged_in(&fx, "");
    lacks_mechanism(&fx, __func__, CKM_ECDH1_DERIVE, CKF_DERIVE, "CKM_ECDH1_DERIVE");
    script_set(&fx, RIGHT);
    assert_ok(once_derive(&fx, KEY_PLAIN_EC, KEY_HIGH_EC, right));
    derivation_init(&d, &fx, KEY_PLAIN_EC, KEY_HIGH_EC);
    script_set(&fx, "late 400 " FIXTURE_PIN "\n");
    assert_int_equal(pthread_create(&d.thread, NULL, derivation_run, &d), 0);
    script_wait_question(&fx);
    /* Passes the lock that the asking thread has passed: what follows is after what it has read. */
    assert_ok(fx.p11->C_CloseSession(fixture_session(&fx)));
    memset(d.point, 0, sizeof d.point);
    memset(&d.params, 0, sizeof d.params);
    d.mechanism.mechanism = CKM_DH_PKCS_DERIVE;
    pthread_join(d.thread, NULL);
    assert_ok(d.rv);
    assert_ok(fx.p11->C_GetAttributeValue(fx.session, d.made, &attribute, 1));
    assert_memory_equal(value, right, sizeof right);
}

/* ------------------------------------------------------------------ prompt = application */

static CK_RV present(CK_SESSION_HANDLE session, const char *pin)
{
    return fx.p11->C_Login(session, CKU_CONTEXT_SPECIFIC, (CK_BYTE_PTR)pin, strlen(pin));
}

static void presented_pin_serves_one_call_of_its_session(void **state)
{
    CK_OBJECT_HANDLE made;
    CK_BYTE secret[32];
    CK_SESSION_HANDLE other;

    (void)state;
    isolated_lacks(__func__, "p11-kit's protocol does not carry the parameters of ECDH");
    fixture_start_logged_in(&fx, "prompt = application\n");
    lacks_mechanism(&fx, __func__, CKM_RSA_PKCS, CKF_UNWRAP, "CKM_RSA_PKCS");
    script_set(&fx, RIGHT);
    other = fixture_session(&fx);
    assert_rv(unwrap(KEY_PLAIN_RSA, &made), CKR_USER_NOT_LOGGED_IN);
    for (size_t i = 0; i < 2; i++) {
        assert_rv(present(fx.session, "000000"), CKR_PIN_INCORRECT);
        assert_rv(unwrap(rsa_labels[i], &made), CKR_USER_NOT_LOGGED_IN);
        assert_ok(present(fx.session, FIXTURE_PIN));
        assert_rv(once_unwrap(&fx, other, rsa_labels[i], &made, NULL), CKR_USER_NOT_LOGGED_IN);
        assert_ok(unwrap(rsa_labels[i], &made));
        once_expect_value(&fx, made);
        assert_rv(unwrap(rsa_labels[i], &made), CKR_USER_NOT_LOGGED_IN);
    }
    assert_ok(present(fx.session, FIXTURE_PIN));
    assert_ok(once_derive(&fx, KEY_HIGH_EC, KEY_PLAIN_EC, secret));
    assert_rv(once_derive(&fx, KEY_HIGH_EC, KEY_PLAIN_EC, secret), CKR_USER_NOT_LOGGED_IN);
    assert_int_equal(script_asked(&fx), 0);
}

static void presented_pin_ends(void **state)
{
    CK_OBJECT_HANDLE made;

    (void)state;
    isolated_lacks(__func__, "the clock that the test sets is the program's own, not the agent's");
    fixture_start_logged_in(&fx, "prompt = application\n");
    lacks_mechanism(&fx, __func__, CKM_RSA_PKCS, CKF_UNWRAP, "CKM_RSA_PKCS");
    assert_ok(present(fx.session, FIXTURE_PIN));
    clock_ahead_s += 29;
    assert_ok(unwrap(KEY_PLAIN_RSA, &made));
    assert_ok(present(fx.session, FIXTURE_PIN));
    clock_ahead_s += 31;
    assert_rv(unwrap(KEY_PLAIN_RSA, &made), CKR_USER_NOT_LOGGED_IN);
    assert_ok(present(fx.session, FIXTURE_PIN));
    assert_ok(fx.p11->C_Logout(fx.session));
    assert_ok(fixture_login(&fx, FIXTURE_PIN));
    assert_rv(unwrap(KEY_PLAIN_RSA, &made), CKR_USER_NOT_LOGGED_IN);
}

/* An operation has its context-specific login after its Init call (PKCS#11 2.40, 5.6): an earlier one is not
 * its. */
static void presented_pin_is_no_consent_to_an_operation(void **state)
{
    struct use_result signature;
    CK_OBJECT_HANDLE made;

    (void)state;
    fixture_start_logged_in(&fx, "prompt = application\n");
    lacks_mechanism(&fx, __func__, CKM_RSA_PKCS, CKF_UNWRAP, "CKM_RSA_PKCS");
    for (size_t i = 0; i < 2; i++) {
        assert_ok(present(fx.session, FIXTURE_PIN));
        assert_rv(use_sign(&fx, fx.session, key(rsa_labels[i]), &signature), CKR_USER_NOT_LOGGED_IN);
        assert_true(use_result_is_untouched(&signature));
        assert_ok(unwrap(rsa_labels[i], &made));
    }
}

static int begin(void **state)
{
    (void)state;
    fixture_begin(&fx, KEYS_HIGH_RSA | KEYS_PLAIN_RSA | KEYS_HIGH_EC | KEYS_PLAIN_EC | KEYS_AES);
    once_make_keys(&from_before);
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
        TEST(unwrapping_asks),
        TEST(what_a_key_is_not_for_asks_nobody),
        TEST(refused_unwrapping_makes_nothing),
        TEST(grace_covers_one_unwrapping),
        TEST(unwrapped_private_key_is_protected),
        TEST(deriving_asks_and_both_sides_agree),
        TEST(refused_derivation_makes_nothing),
        TEST(parameters_changed_meanwhile_do_not_matter),
        TEST(presented_pin_serves_one_call_of_its_session),
        TEST(presented_pin_ends),
        TEST(presented_pin_is_no_consent_to_an_operation),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
