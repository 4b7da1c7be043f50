/* policy: pure verdicts; what is unknown is denied. */
#include "pkcs11-module/policy.h"

#include "support/test.h"

static struct config config_of(int level)
{
    return (struct config){.module = {.level = (enum config_level)level}};
}

static void level_is_the_configurations(void **state)
{
    static const struct {
        int configured;
        bool always_authenticate;
        enum config_level level;
    } rows[] = {
        {CONFIG_LEVEL_LOW, false, CONFIG_LEVEL_LOW},    {CONFIG_LEVEL_MEDIUM, false, CONFIG_LEVEL_MEDIUM},
        {CONFIG_LEVEL_HIGH, false, CONFIG_LEVEL_HIGH},  {CONFIG_LEVEL_LOW, true, CONFIG_LEVEL_HIGH},
        {CONFIG_LEVEL_MEDIUM, true, CONFIG_LEVEL_HIGH}, {CONFIG_LEVEL_HIGH, true, CONFIG_LEVEL_HIGH},
        {3, false, CONFIG_LEVEL_HIGH},                  {77, false, CONFIG_LEVEL_HIGH},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct config config = config_of(rows[i].configured);
        const struct key_facts facts = {.object_class = CKO_PRIVATE_KEY,
                                        .always_authenticate = rows[i].always_authenticate};

        assert_int_equal(policy_level(&config, &facts), rows[i].level);
        assert_int_equal(policy_is_free(&config, &facts), rows[i].level == CONFIG_LEVEL_LOW);
    }
}

static void only_what_is_no_private_key_is_free(void **state)
{
    static const struct {
        CK_OBJECT_CLASS object_class;
        bool free;
    } rows[] = {
        {CKO_DATA, true},
        {CKO_CERTIFICATE, true},
        {CKO_PUBLIC_KEY, true},
        {CKO_SECRET_KEY, true},
        {CKO_HW_FEATURE, true},
        {CKO_DOMAIN_PARAMETERS, true},
        {CKO_MECHANISM, true},
        {CKO_PRIVATE_KEY, false},
        {8 /* CKO_OTP_KEY */, false},
        {9 /* 3.0: CKO_PROFILE */, false},
        {CKO_VENDOR_DEFINED, false},
        {CKO_VENDOR_DEFINED | CKO_PUBLIC_KEY, false},
        {CK_UNAVAILABLE_INFORMATION, false},
    };
    const struct config high = config_of(CONFIG_LEVEL_HIGH);
    const struct config low = config_of(CONFIG_LEVEL_LOW);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct key_facts facts = {.object_class = rows[i].object_class};

        assert_int_equal(policy_is_free(&high, &facts), rows[i].free);
        assert_int_equal(policy_is_free(&low, &facts), rows[i].free || rows[i].object_class == CKO_PRIVATE_KEY);
    }
}

static void grace_covers_what_can_be_undone(void **state)
{
    (void)state;
    assert_true(policy_grace_covers(POLICY_USE_SIGN));
    assert_true(policy_grace_covers(POLICY_USE_DECRYPT));
    assert_false(policy_grace_covers(POLICY_USE_DELETE));
    assert_false(policy_grace_covers((enum policy_use)99));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(level_is_the_configurations),
        cmocka_unit_test(only_what_is_no_private_key_is_free),
        cmocka_unit_test(grace_covers_what_can_be_undone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
