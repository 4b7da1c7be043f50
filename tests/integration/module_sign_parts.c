/* Every use of a key at level high is agreed to by its user, once, and only that use: signing in parts. */
#include <stdlib.h>
#include <string.h>

#include "support/fixture.h"
#include "support/keys.h"
#include "support/pinentry_script.h"
#include "support/test.h"
#include "support/use.h"

#define RIGHT "pin " FIXTURE_PIN "\n"

static struct fixture fx;

/* The key that the backend protects, and the one that only the gate does: the same is asked of both. */
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

static CK_OBJECT_HANDLE key(const char *label)
{
    return key_private(fx.p11, fx.session, label);
}

/* A consent that a too small buffer left behind is still good for the same operation, and not asked for
 * again. */
static void final_with_too_small_a_buffer_keeps_the_consent(void **state)
{
    struct use_result signature;

    (void)state;
    for (size_t i = 0; i < LABELS; i++) {
        script_set(&fx, RIGHT);
        assert_ok(use_sign_init(&fx, fx.session, key(labels[i])));
        assert_ok(fx.p11->C_SignUpdate(fx.session, (CK_BYTE_PTR)USE_DATA, USE_DATA_LEN));
        use_result_init(&signature);
        signature.len = 10;
        assert_rv(fx.p11->C_SignFinal(fx.session, signature.bytes, &signature.len), CKR_BUFFER_TOO_SMALL);
        assert_ok(fx.p11->C_SignFinal(fx.session, NULL, &signature.len));
        assert_int_equal(signature.len, 256);
        assert_ok(fx.p11->C_SignFinal(fx.session, signature.bytes, &signature.len));
        assert_int_equal(script_asked(&fx), 1);
        assert_true(use_signature_is_good(&fx, labels[i], &signature));
    }
}

static void multi_part_asks_once_at_the_first_part(void **state)
{
    struct use_result signature;

    (void)state;
    for (size_t i = 0; i < LABELS; i++) {
        script_set(&fx, RIGHT);
        assert_ok(use_sign_init(&fx, fx.session, key(labels[i])));
        assert_ok(fx.p11->C_SignUpdate(fx.session, (CK_BYTE_PTR)USE_DATA, 5));
        assert_int_equal(script_asked(&fx), 1);
        assert_ok(fx.p11->C_SignUpdate(fx.session, (CK_BYTE_PTR)USE_DATA + 5, 3));
        assert_ok(fx.p11->C_SignUpdate(fx.session, (CK_BYTE_PTR)USE_DATA + 8, USE_DATA_LEN - 8));
        use_result_init(&signature);
        assert_ok(fx.p11->C_SignFinal(fx.session, signature.bytes, &signature.len));
        assert_int_equal(script_asked(&fx), 0);
        assert_true(use_signature_is_good(&fx, labels[i], &signature));
        assert_rv(fx.p11->C_SignUpdate(fx.session, (CK_BYTE_PTR) "x", 1), CKR_OPERATION_NOT_INITIALIZED);
        assert_rv(fx.p11->C_SignFinal(fx.session, signature.bytes, &signature.len),
                  CKR_OPERATION_NOT_INITIALIZED);
    }
}

/* A signature over nothing at all is a signature too. */
static void final_without_update_asks(void **state)
{
    struct use_result signature;

    (void)state;
    for (size_t i = 0; i < LABELS; i++) {
        script_set(&fx, "cancel\n" RIGHT);
        for (int n = 0; n < 2; n++) {
            assert_ok(use_sign_init(&fx, fx.session, key(labels[i])));
            use_result_init(&signature);
            (void)fx.p11->C_SignFinal(fx.session, signature.bytes, &signature.len);
            assert_int_equal(script_asked(&fx), 1);
            assert_true(n == 1 || use_result_is_untouched(&signature));
        }
    }
}

static void cancelled_at_the_first_part_ends_the_operation(void **state)
{
    struct use_result signature;

    (void)state;
    for (size_t i = 0; i < LABELS; i++) {
        assert_ok(use_sign_init(&fx, fx.session, key(labels[i])));
        assert_rv(fx.p11->C_SignUpdate(fx.session, (CK_BYTE_PTR)USE_DATA, USE_DATA_LEN),
                  CKR_FUNCTION_CANCELED);
        use_result_init(&signature);
        assert_rv(fx.p11->C_SignFinal(fx.session, signature.bytes, &signature.len),
                  CKR_OPERATION_NOT_INITIALIZED);
        assert_true(use_result_is_untouched(&signature));
    }
}

static int begin(void **state)
{
    (void)state;
    fixture_begin(&fx, KEYS_HIGH_RSA | KEYS_PLAIN_RSA);
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
        TEST(final_with_too_small_a_buffer_keeps_the_consent),
        TEST(multi_part_asks_once_at_the_first_part),
        TEST(final_without_update_asks),
        TEST(cancelled_at_the_first_part_ends_the_operation),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
