/* policy: pure verdicts; what is unknown is denied. */
#include "pkcs11-module/policy.h"

#include "support/test.h"

static void level_is_the_configurations(void **state)
{
    static const struct {
        int configured;
        bool always_authenticate;
        enum config_level level;
    } rows[] = {
        {CONFIG_LEVEL_LOW, false, CONFIG_LEVEL_LOW},
        {CONFIG_LEVEL_MEDIUM, false, CONFIG_LEVEL_MEDIUM},
        {CONFIG_LEVEL_HIGH, false, CONFIG_LEVEL_HIGH},
        {CONFIG_LEVEL_LOW, true, CONFIG_LEVEL_HIGH},
        {CONFIG_LEVEL_MEDIUM, true, CONFIG_LEVEL_HIGH},
        {CONFIG_LEVEL_HIGH, true, CONFIG_LEVEL_HIGH},
        {3, false, CONFIG_LEVEL_HIGH},
        {77, false, CONFIG_LEVEL_HIGH},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct config config = {.module = {.level = (enum config_level)rows[i].configured}};
        const struct key_facts facts = {.object_class = CKO_PRIVATE_KEY,
                                        .always_authenticate = rows[i].always_authenticate};
        const struct policy_case judged = {&facts, NULL, NULL, POLICY_TRUST_YES};
        const struct policy_verdict verdict = policy_judge(&config, &judged);

        assert_int_equal(verdict.level, rows[i].level);
        assert_int_equal(verdict.reason,
                         rows[i].always_authenticate ? POLICY_REASON_KEY : POLICY_REASON_MODULE);
        assert_null(verdict.rule);
    }
}

/* Where an answer proves less, the configuration's level is not enough; where it proves more, it stays. */
static void trust_raises_the_level(void **state)
{
    static const struct {
        enum policy_trust trust;
        enum config_level configured;
        enum config_level level;
    } rows[] = {
        {POLICY_TRUST_YES, CONFIG_LEVEL_LOW, CONFIG_LEVEL_LOW},
        {POLICY_TRUST_YES, CONFIG_LEVEL_MEDIUM, CONFIG_LEVEL_MEDIUM},
        {POLICY_TRUST_PIN, CONFIG_LEVEL_LOW, CONFIG_LEVEL_LOW},
        {POLICY_TRUST_PIN, CONFIG_LEVEL_MEDIUM, CONFIG_LEVEL_HIGH},
        {POLICY_TRUST_PIN, CONFIG_LEVEL_HIGH, CONFIG_LEVEL_HIGH},
        {POLICY_TRUST_NOT_THERE, CONFIG_LEVEL_LOW, CONFIG_LEVEL_HIGH},
        {POLICY_TRUST_NOT_THERE, CONFIG_LEVEL_MEDIUM, CONFIG_LEVEL_HIGH},
        {POLICY_TRUST_NOT_THERE, CONFIG_LEVEL_HIGH, CONFIG_LEVEL_HIGH},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct config config = {.module = {.level = rows[i].configured}};
        const struct key_facts facts = {.object_class = CKO_PRIVATE_KEY};
        const struct policy_case judged = {&facts, NULL, NULL, rows[i].trust};
        const struct policy_verdict verdict = policy_judge(&config, &judged);

        assert_int_equal(verdict.level, rows[i].level);
        assert_int_equal(verdict.reason,
                         rows[i].level == rows[i].configured ? POLICY_REASON_MODULE : POLICY_REASON_TRUST);
    }
}

/* Facts that nobody has judged, and levels that are none, are high. */
static void unjudged_facts_are_high(void **state)
{
    struct key_facts facts = {.object_class = CKO_PRIVATE_KEY};

    (void)state;
    assert_int_equal(policy_level(&facts), CONFIG_LEVEL_HIGH);
    facts.level = (enum config_level)3;
    assert_int_equal(policy_level(&facts), CONFIG_LEVEL_HIGH);
    facts.level = CONFIG_LEVEL_LOW;
    assert_int_equal(policy_level(&facts), CONFIG_LEVEL_LOW);
    facts.always_authenticate = true;
    assert_int_equal(policy_level(&facts), CONFIG_LEVEL_HIGH);
    assert_false(policy_is_free(&facts));
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
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct key_facts high = {.object_class = rows[i].object_class, .level = CONFIG_LEVEL_HIGH};
        const struct key_facts low = {.object_class = rows[i].object_class, .level = CONFIG_LEVEL_LOW};

        assert_int_equal(policy_is_free(&high), rows[i].free);
        assert_int_equal(policy_is_free(&low), rows[i].free || rows[i].object_class == CKO_PRIVATE_KEY);
    }
}

/* Not what gives a key away, changes or ends it; and not what is not known. */
static void grace_covers_uses_only(void **state)
{
    static const enum policy_use covered[] = {POLICY_USE_SIGN, POLICY_USE_DECRYPT, POLICY_USE_UNWRAP,
                                              POLICY_USE_DERIVE};
    static const enum policy_use not_covered[] = {POLICY_USE_EXPORT, POLICY_USE_COPY, POLICY_USE_CHANGE,
                                                  POLICY_USE_DELETE, POLICY_USE_EXPORT_TO_PROGRAM,
                                                  POLICY_USE_CREATE_EXPORTABLE, (enum policy_use)99};

    (void)state;
    for (size_t i = 0; i < sizeof covered / sizeof covered[0]; i++)
        assert_true(policy_works_with_key(covered[i]));
    for (size_t i = 0; i < sizeof not_covered / sizeof not_covered[0]; i++)
        assert_false(policy_works_with_key(not_covered[i]));
}

/* The same, but that what is done to a key is covered too; where a copy goes to a program, or a key is made that could, its
 * user reads so in a window. */
static void presented_pin_gives_no_key_away(void **state)
{
    static const enum policy_use covered[] = {POLICY_USE_SIGN,   POLICY_USE_DECRYPT, POLICY_USE_UNWRAP, POLICY_USE_DERIVE,
                                              POLICY_USE_EXPORT, POLICY_USE_COPY,    POLICY_USE_CHANGE, POLICY_USE_DELETE};
    static const enum policy_use not_covered[] = {POLICY_USE_EXPORT_TO_PROGRAM, POLICY_USE_CREATE_EXPORTABLE,
                                                  (enum policy_use)99};

    (void)state;
    for (size_t i = 0; i < sizeof covered / sizeof covered[0]; i++)
        assert_true(policy_presentation_covers(covered[i]));
    for (size_t i = 0; i < sizeof not_covered / sizeof not_covered[0]; i++)
        assert_false(policy_presentation_covers(not_covered[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(level_is_the_configurations),
        cmocka_unit_test(trust_raises_the_level),
        cmocka_unit_test(unjudged_facts_are_high),
        cmocka_unit_test(only_what_is_no_private_key_is_free),
        cmocka_unit_test(grace_covers_uses_only),
        cmocka_unit_test(presented_pin_gives_no_key_away),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
