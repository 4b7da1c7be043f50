/* Bad input to every function of PKCS#11 2.40, on a real token: what the standard answers, nobody is asked
 * for it, and afterwards the token is as it was. */
#include <string.h>

#include "bad_input_rows.h"
#include "support/backend_direct.h"
#include "support/keys.h"
#include "support/mock.h"
#include "support/once.h"
#include "support/pinentry_script.h"
#include "support/test.h"
#include "support/use.h"

static struct fixture fx;
static struct bad_world world;

/* The same with the module, and a key of this label as the private one. Afterwards a signature costs one PIN.
 */
static unsigned try_with_module(const struct bad_rows *rows, const char *label, struct bad_answers *backend)
{
    struct use_result signature;
    unsigned wrong;

    fixture_start(&fx, "");
    world.rsa = label;
    bad_world_open(&world, &fx, fx.p11, true);
    bad_world_make_data(&world);
    wrong = bad_input_try(&world, rows, backend);
    script_set(&fx, "pin " FIXTURE_PIN "\n");
    assert_ok(use_sign(&fx, world.main, key_private(fx.p11, world.main, label), &signature));
    assert_int_equal(script_asked(&fx), 1);
    fixture_stop(&fx);
    return wrong;
}

/* Without the module, where the standard leaves the answer open; then with it: with a key that the gate alone
 * protects, and with one that the token protects too. */
static void try_rows(const struct bad_rows *rows, bool with_keys)
{
    static struct bad_answers backend;
    struct backend_direct direct;
    unsigned wrong;

    world.rsa = KEY_PLAIN_RSA;
    backend_direct_open(&direct);
    bad_world_open(&world, &fx, direct.p11, false);
    bad_world_make_data(&world);
    assert_int_equal(bad_input_try(&world, rows, &backend), 0);
    backend_direct_close(&direct);
    wrong = try_with_module(rows, KEY_PLAIN_RSA, &backend);
    if (with_keys)
        wrong += try_with_module(rows, KEY_HIGH_RSA, &backend);
    assert_int_equal(wrong, 0);
}

static void tokens_and_sessions(void **state)
{
    (void)state;
    try_rows(&bad_rows_token, false);
}

static void objects(void **state)
{
    (void)state;
    try_rows(&bad_rows_object, false);
}

static void encrypting_and_digesting(void **state)
{
    (void)state;
    try_rows(&bad_rows_crypt, true);
}

static void signing_and_verifying(void **state)
{
    (void)state;
    try_rows(&bad_rows_sign, true);
}

static void keys(void **state)
{
    (void)state;
    try_rows(&bad_rows_key, true);
}

static void what_no_backend_has(void **state)
{
    struct mock_backend *mock = mock_reset();
    unsigned wrong;

    (void)state;
    mock->version_3 = (CK_VERSION){3, 0};
    mock->reuses_sessions = mock->checks_sessions = true;
    for (size_t i = 0; i < OBJECTS; i++)
        mock->objects[i + 1] =
            (struct mock_object){.exists = true,
                                 .object_class = i == OBJECT_PRIVATE ? CKO_PRIVATE_KEY : CKO_SECRET_KEY,
                                 .key_type = i == OBJECT_PRIVATE ? CKK_GOSTR3410 : CKK_AES};
    mock_start(&fx, "");
    assert_ok(fixture_login(&fx, FIXTURE_PIN));
    bad_world_open_mock(&world, &fx);
    wrong = bad_input_try(&world, &bad_rows_lacked, NULL);
    assert_int_equal(wrong, 0);
    memset(&world, 0, sizeof world);
}

/* The functions of both lists, counted by the structs (support/p11_calls.h): none is forgotten. */
static void every_function_has_rows(void **state)
{
    const struct bad_rows *const rooms[] = {&bad_rows_token, &bad_rows_object, &bad_rows_crypt,
                                            &bad_rows_sign,  &bad_rows_key,    &bad_rows_lacked};
    unsigned rows[P11_CALL_COUNT_3_0] = {0};

    (void)state;
    for (size_t room = 0; room < sizeof rooms / sizeof rooms[0]; room++)
        for (size_t i = 0; i < rooms[room]->count; i++)
            rows[rooms[room]->rows[i].call]++;
    for (size_t call = 0; call < P11_CALL_COUNT_3_0; call++)
        if (rows[call] == 0)
            fail_msg("%s has no row", p11_makers_3_0[call].name);
}

static int begin(void **state)
{
    struct blob wrapped;

    (void)state;
    fixture_begin(&fx, KEYS_HIGH_RSA | KEYS_PLAIN_RSA | KEYS_PLAIN_EC | KEYS_AES | KEYS_HMAC);
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
        TEST(tokens_and_sessions),     TEST(objects), TEST(encrypting_and_digesting),
        TEST(signing_and_verifying),   TEST(keys),    TEST(what_no_backend_has),
        TEST(every_function_has_rows),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
