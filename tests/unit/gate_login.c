/* login: what is known of a PIN after a login, and for how long. */
#include "pkcs11-module/login.h"

#include <string.h>

#include "support/process_state.h"
#include "support/test.h"

static struct login_table table;
static CK_ULONG number;

static int start(void **state)
{
    (void)state;
    return login_table_init(&table) == CKR_OK ? 0 : 1;
}

static int stop(void **state)
{
    (void)state;
    login_table_clear(&table);
    return 0;
}

static enum login_pin_verdict check(CK_SLOT_ID slot, const char *pin)
{
    return login_check_pin(&table, slot, pin, strlen(pin));
}

static CK_RV remember(CK_SLOT_ID slot, const char *pin, unsigned grace_s)
{
    return login_remember(&table, slot, pin, strlen(pin), grace_s);
}

static void each_slot_has_its_own(void **state)
{
    (void)state;
    assert_int_equal(check(1, "one"), LOGIN_PIN_UNKNOWN);
    assert_int_equal(remember(1, "one", 0), CKR_OK);
    assert_int_equal(remember(2, "two", 0), CKR_OK);
    assert_int_equal(check(1, "one"), LOGIN_PIN_RIGHT);
    assert_int_equal(check(1, "two"), LOGIN_PIN_WRONG);
    assert_int_equal(check(2, "two"), LOGIN_PIN_RIGHT);
    assert_int_equal(check(3, "one"), LOGIN_PIN_UNKNOWN);
    login_forget(&table, 1);
    assert_int_equal(check(1, "one"), LOGIN_PIN_UNKNOWN);
    assert_int_equal(check(2, "two"), LOGIN_PIN_RIGHT);
    login_forget(&table, 1);
}

static void pin_is_compared_whole(void **state)
{
    (void)state;
    assert_int_equal(login_remember(&table, 1, "a\0b", 3, 0), CKR_OK);
    assert_int_equal(login_check_pin(&table, 1, "a\0c", 3), LOGIN_PIN_WRONG);
    assert_int_equal(login_check_pin(&table, 1, "a", 1), LOGIN_PIN_WRONG);
    assert_int_equal(login_check_pin(&table, 1, "a\0b", 3), LOGIN_PIN_RIGHT);
}

static void empty_pin_is_never_right(void **state)
{
    (void)state;
    assert_int_equal(remember(1, "one", 30), CKR_OK);
    assert_int_equal(check(1, ""), LOGIN_PIN_WRONG);
    assert_int_equal(login_remember(&table, 1, NULL, 0, 30), CKR_OK);
    assert_int_equal(check(1, ""), LOGIN_PIN_UNKNOWN);
    assert_int_equal(check(1, "one"), LOGIN_PIN_UNKNOWN);
    assert_null(login_take_lease(&table, 1, true, &number));
}

static void grace_is_given_once(void **state)
{
    struct secret *pin;

    (void)state;
    assert_int_equal(remember(1, "one", 30), CKR_OK);
    assert_null(login_take_lease(&table, 2, true, &number));
    pin = login_take_lease(&table, 1, true, &number);
    assert_non_null(pin);
    assert_string_equal(secret_bytes(pin), "one");
    secret_free(&pin);
    assert_null(login_take_lease(&table, 1, true, &number));
    assert_int_equal(check(1, "one"), LOGIN_PIN_RIGHT);
}

static void grace_ends(void **state)
{
    (void)state;
    assert_int_equal(remember(1, "one", 0), CKR_OK);
    assert_null(login_take_lease(&table, 1, true, &number));
    assert_int_equal(remember(1, "one", 30), CKR_OK);
    assert_int_equal(remember(1, "one", 0), CKR_OK); /* a later login without grace */
    assert_null(login_take_lease(&table, 1, true, &number));
    assert_int_equal(remember(1, "one", 30), CKR_OK);
    login_forget(&table, 1);
    assert_null(login_take_lease(&table, 1, true, &number));
    assert_int_equal(remember(1, "one", 1), CKR_OK);
    process_sleep_ms(1050);
    assert_null(login_take_lease(&table, 1, true, &number));
    assert_int_equal(check(1, "one"), LOGIN_PIN_RIGHT);
}

static void cleared_table_knows_nobody(void **state)
{
    (void)state;
    assert_int_equal(remember(1, "one", 30), CKR_OK);
    login_table_clear(&table);
    assert_int_equal(check(1, "one"), LOGIN_PIN_UNKNOWN);
    assert_null(login_take_lease(&table, 1, true, &number));
    assert_int_equal(remember(1, "one", 30), CKR_HOST_MEMORY); /* no key to hash with: never "right" */
    assert_int_equal(check(1, "one"), LOGIN_PIN_UNKNOWN);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_slot_has_its_own),      TEST(pin_is_compared_whole), TEST(empty_pin_is_never_right),
        TEST(grace_is_given_once),        TEST(grace_ends),            TEST(cleared_table_knows_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
