/* New PINs: what is refused, and how good the rest are. */
#include <string.h>

#include "pkcs11-module/pin_quality.h"
#include "support/test.h"

static CK_TOKEN_INFO token_with(const char *label, CK_ULONG min, CK_ULONG max)
{
    CK_TOKEN_INFO token = {.ulMinPinLen = min, .ulMaxPinLen = max};

    memset(token.label, ' ', sizeof token.label);
    memcpy(token.label, label, strlen(label));
    return token;
}

static void faults_are_found(void **state)
{
    static const struct {
        const char *pin;
        enum pin_fault fault;
    } table[] = {
        {"", PIN_TOO_SHORT},
        {"73591", PIN_TOO_SHORT},
        {"735911", PIN_GOOD},
        {"correct-horse-12", PIN_GOOD},
        {"correct-horse-123", PIN_TOO_LONG},
        {"111111", PIN_REPEATS},
        {"1212121", PIN_REPEATS},
        {"abcabca", PIN_REPEATS},
        {"\xe7\x8e\x8b\xe7\x8e\x8b\xe7\x8e\x8b", PIN_REPEATS},
        {"112211", PIN_GOOD},
        {"123456", PIN_IN_A_ROW},
        {"654321", PIN_IN_A_ROW},
        {"7890123", PIN_IN_A_ROW},
        {"098765", PIN_IN_A_ROW},
        {"efghij", PIN_IN_A_ROW},
        {"ZYXWVU", PIN_IN_A_ROW},
        {"QwErTy", PIN_IN_A_ROW},
        {"lkjhgf", PIN_IN_A_ROW},
        {"147258", PIN_IN_A_ROW},
        {"123457", PIN_GOOD},
        {"my card", PIN_IS_LABEL},
        {"My Card!", PIN_IS_LABEL},
        {"1my card", PIN_IS_LABEL},
        {"y card", PIN_IS_LABEL},
        {"old-Pin-1", PIN_IS_OLD},
        {"old-pin-1", PIN_GOOD},
    };
    const CK_TOKEN_INFO token = token_with("My card", 4, 16);
    struct secret *old = secret_from("old-Pin-1", 9);
    struct pin_rules rules;

    (void)state;
    pin_rules_init(&rules, &token, 6, old);
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        const size_t len = strlen(table[i].pin);

        if (pin_quality_judge(&rules, table[i].pin, len) != table[i].fault)
            fail_msg("\"%s\" is judged %d", table[i].pin, pin_quality_judge(&rules, table[i].pin, len));
        assert_int_equal(pin_quality_percent(&rules, table[i].pin, len) > 0, table[i].fault == PIN_GOOD);
    }
    secret_free(&old);
}

static void length_is_the_tokens_and_the_configured(void **state)
{
    static const struct {
        CK_ULONG token_min, token_max;
        unsigned configured;
        size_t min, max;
    } table[] = {
        {4, 255, 6, 6, 255},
        {8, 255, 6, 8, 255},
        {4, 255, 0, 4, 255},
        {4, 4, 6, 4, 4}, /* a card with four digits: no more than it takes */
        {0, 0, 6, 6, SIZE_MAX},
        {CK_UNAVAILABLE_INFORMATION, CK_UNAVAILABLE_INFORMATION, 6, 6, SIZE_MAX},
    };

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        const CK_TOKEN_INFO token = token_with("", table[i].token_min, table[i].token_max);
        struct pin_rules rules;

        pin_rules_init(&rules, &token, table[i].configured, NULL);
        assert_int_equal(rules.min, table[i].min);
        assert_int_equal(rules.max, table[i].max);
        assert_int_equal(rules.label_len, 0);
    }
}

static void short_labels_do_not_count(void **state)
{
    const CK_TOKEN_INFO token = token_with("me", 4, 255);
    struct pin_rules rules;

    (void)state;
    pin_rules_init(&rules, &token, 6, NULL);
    assert_int_equal(pin_quality_judge(&rules, "some7392", 8), PIN_GOOD);
}

static void bar_grows_with_what_is_hard_to_guess(void **state)
{
    static const char *const better_and_better[] = {"112233", "735911", "73591102", "k7-Pq.39", "correct-Horse-19"};
    const CK_TOKEN_INFO token = token_with("card", 4, 255);
    struct pin_rules rules;
    int before = 0;

    (void)state;
    pin_rules_init(&rules, &token, 6, NULL);
    for (size_t i = 0; i < sizeof better_and_better / sizeof better_and_better[0]; i++) {
        const int percent = pin_quality_percent(&rules, better_and_better[i], strlen(better_and_better[i]));

        assert_true(percent > before && percent <= 100);
        before = percent;
    }
    assert_int_equal(before, 100);
    assert_true(pin_quality_percent(&rules, "", 0) < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(faults_are_found),
        cmocka_unit_test(length_is_the_tokens_and_the_configured),
        cmocka_unit_test(short_labels_do_not_count),
        cmocka_unit_test(bar_grows_with_what_is_hard_to_guess),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
