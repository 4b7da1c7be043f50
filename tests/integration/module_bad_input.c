/* Bad input to every function of PKCS#11 2.40, on a real token: what the standard answers, nobody is asked for it, and
 * afterwards the token is as it was. */
#include <string.h>

#include "bad_input_rows.h"
#include "support/backend_direct.h"
#include "support/keys.h"
#include "support/once.h"
#include "support/pinentry_script.h"
#include "support/test.h"
#include "support/use.h"

static struct fixture fx;
static struct bad_world world;

/* The rows' answers without the module, and then with it. */
static void try_rows(const struct bad_rows *rows)
{
    static struct bad_answers backend;
    struct backend_direct direct;
    struct use_result signature;
    unsigned wrong;

    world.rsa = KEY_PLAIN_RSA;
    backend_direct_open(&direct);
    bad_world_open(&world, &fx, direct.p11, false);
    bad_world_make_data(&world);
    assert_int_equal(bad_input_try(&world, rows, &backend), 0);
    backend_direct_close(&direct);

    fixture_start(&fx, "");
    bad_world_open(&world, &fx, fx.p11, true);
    wrong = bad_input_try(&world, rows, &backend);
    script_set(&fx, "pin " FIXTURE_PIN "\n");
    assert_ok(use_sign(&fx, world.main, key_private(fx.p11, world.main, world.rsa), &signature));
    assert_int_equal(script_asked(&fx), 1);
    fixture_stop(&fx);
    assert_int_equal(wrong, 0);
}

static void tokens_and_sessions(void **state)
{
    (void)state;
    try_rows(&bad_rows_token);
}

static void objects(void **state)
{
    (void)state;
    try_rows(&bad_rows_object);
}

static void encrypting_and_digesting(void **state)
{
    (void)state;
    try_rows(&bad_rows_crypt);
}

static void signing_and_verifying(void **state)
{
    (void)state;
    try_rows(&bad_rows_sign);
}

static void keys(void **state)
{
    (void)state;
    try_rows(&bad_rows_key);
}

static int begin(void **state)
{
    struct blob wrapped;

    (void)state;
    fixture_begin(&fx, KEYS_PLAIN_RSA | KEYS_PLAIN_EC | KEYS_AES | KEYS_HMAC);
    once_make_keys(&wrapped);
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
        TEST(tokens_and_sessions),
        TEST(objects),
        TEST(encrypting_and_digesting),
        TEST(signing_and_verifying),
        TEST(keys),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
