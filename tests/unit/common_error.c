/* error: names, exit codes, and the sentence that goes with them. */
#include "common/error.h"

#include <string.h>

#include "support/test.h"

/* Documented in pinward(1): scripts rely on them. */
static void exit_codes_stay(void **state)
{
    static const struct {
        enum error_code code;
        const char *name;
        int exit_code;
    } expected[] = {
        {ERROR_NONE, "ERROR_NONE", 0},
        {ERROR_INTERNAL, "ERROR_INTERNAL", 1},
        {ERROR_USAGE, "ERROR_USAGE", 2},
        {ERROR_CONFIG, "ERROR_CONFIG", 3},
        {ERROR_MEMORY, "ERROR_MEMORY", 4},
        {ERROR_IO, "ERROR_IO", 5},
        {ERROR_PROMPT, "ERROR_PROMPT", 6},
        {ERROR_CANCELLED, "ERROR_CANCELLED", 7},
        {ERROR_TIMEOUT, "ERROR_TIMEOUT", 8},
        {ERROR_NETWORK, "ERROR_NETWORK", 9},
        {ERROR_TLS, "ERROR_TLS", 10},
        {ERROR_PROTOCOL, "ERROR_PROTOCOL", 11},
        {ERROR_LOGIN, "ERROR_LOGIN", 12},
        {ERROR_LOCKED, "ERROR_LOCKED", 13},
        {ERROR_REFUSED, "ERROR_REFUSED", 14},
        {ERROR_TOKEN, "ERROR_TOKEN", 15},
        {ERROR_CERTIFICATE, "ERROR_CERTIFICATE", 16},
        {ERROR_STATE, "ERROR_STATE", 17},
        {ERROR_LEDGER, "ERROR_LEDGER", 18},
        {ERROR_PFX, "ERROR_PFX", 19},
        {ERROR_DOCTOR, "ERROR_DOCTOR", 22},
        {ERROR_RENEWAL_DUE, "ERROR_RENEWAL_DUE", 20},
        {ERROR_EXPIRED, "ERROR_EXPIRED", 21},
        {ERROR_INTERRUPTED, "ERROR_INTERRUPTED", 130},
    };

    (void)state;
    assert_int_equal(sizeof expected / sizeof expected[0], ERROR_COUNT);
    for (size_t i = 0; i < ERROR_COUNT; i++) {
        assert_int_equal(error_exit_code(expected[i].code), expected[i].exit_code);
        assert_string_equal(error_name(expected[i].code), expected[i].name);
        assert_true(error_meaning(expected[i].code)[0] != '\0');
    }
}

static void values_outside_are_survived(void **state)
{
    static const enum error_code outside[] = {(enum error_code)ERROR_COUNT, (enum error_code)1000};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        assert_string_equal(error_name(outside[i]), "ERROR_?");
        assert_int_equal(error_exit_code(outside[i]), 1);
        assert_non_null(error_meaning(outside[i]));
    }
}

static void sentence_is_set_and_cut(void **state)
{
    struct error err = {.code = ERROR_TLS};
    char longer[2 * ERROR_TEXT_MAX];

    (void)state;
    assert_string_equal(error_text(&err), error_meaning(ERROR_TLS));
    assert_int_equal(error_set(&err, ERROR_IO, "%s is %d.", "This", 7), ERROR_IO);
    assert_int_equal(err.code, ERROR_IO);
    assert_string_equal(error_text(&err), "This is 7.");
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    error_set(&err, ERROR_IO, "%s", longer);
    assert_int_equal(strlen(error_text(&err)), ERROR_TEXT_MAX - 1);
    memcpy(longer + ERROR_TEXT_MAX - 3, "\xe7\x8e\x8b", 3);
    error_set(&err, ERROR_IO, "%s", longer);
    assert_int_equal(strlen(error_text(&err)), ERROR_TEXT_MAX - 3);
    assert_int_equal(error_set(NULL, ERROR_STATE, "nobody listens"), ERROR_STATE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exit_codes_stay),
        cmocka_unit_test(values_outside_are_survived),
        cmocka_unit_test(sentence_is_set_and_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
