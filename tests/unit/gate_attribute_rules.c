/* attribute_rules: what may be done to the attributes of a key that exists. */
#include "pkcs11-module/attribute_rules.h"

#include "support/test.h"

static CK_BBOOL yes = CK_TRUE;
static CK_BBOOL no = CK_FALSE;
static CK_BBOOL odd = 7; /* true, as C has it */

static enum attribute_verdict private_verdict(CK_ATTRIBUTE attribute)
{
    return attribute_rules_private(&attribute, 1);
}

static enum attribute_verdict secret_verdict(CK_ATTRIBUTE attribute)
{
    return attribute_rules_secret(&attribute, 1);
}

static void true_protects(void **state)
{
    static const CK_ATTRIBUTE_TYPE types[] = {CKA_SENSITIVE, CKA_PRIVATE, CKA_ALWAYS_AUTHENTICATE,
                                              CKA_WRAP_WITH_TRUSTED};

    (void)state;
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        assert_int_equal(private_verdict((CK_ATTRIBUTE){types[i], &no, sizeof no}), ATTRIBUTE_REFUSE);
        assert_int_equal(private_verdict((CK_ATTRIBUTE){types[i], &yes, sizeof yes}), ATTRIBUTE_FREE);
        assert_int_equal(private_verdict((CK_ATTRIBUTE){types[i], &odd, sizeof odd}), ATTRIBUTE_FREE);
        assert_int_equal(secret_verdict((CK_ATTRIBUTE){types[i], &no, sizeof no}), ATTRIBUTE_REFUSE);
        assert_int_equal(secret_verdict((CK_ATTRIBUTE){types[i], &yes, sizeof yes}), ATTRIBUTE_FREE);
    }
}

static void false_protects(void **state)
{
    (void)state;
    assert_int_equal(private_verdict((CK_ATTRIBUTE){CKA_EXTRACTABLE, &yes, sizeof yes}), ATTRIBUTE_REFUSE);
    assert_int_equal(private_verdict((CK_ATTRIBUTE){CKA_EXTRACTABLE, &odd, sizeof odd}), ATTRIBUTE_REFUSE);
    assert_int_equal(private_verdict((CK_ATTRIBUTE){CKA_EXTRACTABLE, &no, sizeof no}), ATTRIBUTE_FREE);
    assert_int_equal(private_verdict((CK_ATTRIBUTE){CKA_TRUSTED, &yes, sizeof yes}), ATTRIBUTE_REFUSE);
    assert_int_equal(secret_verdict((CK_ATTRIBUTE){CKA_EXTRACTABLE, &yes, sizeof yes}), ATTRIBUTE_REFUSE);
    assert_int_equal(secret_verdict((CK_ATTRIBUTE){CKA_TRUSTED, &yes, sizeof yes}), ATTRIBUTE_REFUSE);
}

/* A value that is no CK_BBOOL counts as the worse one. */
static void value_that_is_none_is_refused(void **state)
{
    static const CK_ATTRIBUTE_TYPE types[] = {CKA_SENSITIVE,         CKA_PRIVATE,     CKA_ALWAYS_AUTHENTICATE,
                                              CKA_WRAP_WITH_TRUSTED, CKA_EXTRACTABLE, CKA_TRUSTED};
    CK_ULONG zero = 0, one = 1;

    (void)state;
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        const CK_ATTRIBUTE odd_values[] = {{types[i], NULL, 0},
                                           {types[i], NULL, 1},
                                           {types[i], &yes, 0},
                                           {types[i], &zero, sizeof zero},
                                           {types[i], &one, sizeof one}};

        for (size_t v = 0; v < sizeof odd_values / sizeof odd_values[0]; v++) {
            assert_int_equal(private_verdict(odd_values[v]), ATTRIBUTE_REFUSE);
            assert_int_equal(secret_verdict(odd_values[v]), ATTRIBUTE_REFUSE);
        }
    }
}

/* Neither given nor taken: a key that loses a role may be a copy that is to have only the other. */
static void roles_stay(void **state)
{
    static const CK_ATTRIBUTE_TYPE roles[] = {
        CKA_ENCRYPT, CKA_DECRYPT, CKA_SIGN,          CKA_SIGN_RECOVER,    CKA_WRAP,
        CKA_UNWRAP,  CKA_DERIVE,  CKA_WRAP_TEMPLATE, CKA_UNWRAP_TEMPLATE, CKA_ALLOWED_MECHANISMS};

    (void)state;
    for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++) {
        assert_int_equal(private_verdict((CK_ATTRIBUTE){roles[i], &yes, sizeof yes}), ATTRIBUTE_REFUSE);
        assert_int_equal(private_verdict((CK_ATTRIBUTE){roles[i], &no, sizeof no}), ATTRIBUTE_REFUSE);
        assert_int_equal(secret_verdict((CK_ATTRIBUTE){roles[i], &yes, sizeof yes}), ATTRIBUTE_REFUSE);
        assert_int_equal(secret_verdict((CK_ATTRIBUTE){roles[i], &no, sizeof no}), ATTRIBUTE_REFUSE);
    }
}

static void names_and_unknown_attributes_need_consent(void **state)
{
    static const CK_ATTRIBUTE_TYPE types[] = {CKA_LABEL,      CKA_ID,    CKA_SUBJECT, CKA_START_DATE,
                                              CKA_MODIFIABLE, CKA_TOKEN, 0x7777,      CKA_VENDOR_DEFINED | 1};

    (void)state;
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        assert_int_equal(private_verdict((CK_ATTRIBUTE){types[i], &yes, sizeof yes}), ATTRIBUTE_CONSENT);
        assert_int_equal(secret_verdict((CK_ATTRIBUTE){types[i], &yes, sizeof yes}), ATTRIBUTE_FREE);
    }
}

static void the_worst_counts_wherever_it_stands(void **state)
{
    const CK_ATTRIBUTE better = {CKA_SENSITIVE, &yes, sizeof yes}, name = {CKA_LABEL, "x", 1},
                       worse = {CKA_EXTRACTABLE, &yes, sizeof yes};
    const CK_ATTRIBUTE orders[][3] = {{better, name, worse}, {worse, better, name}, {name, worse, better}};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(attribute_rules_private(orders[i], 3), ATTRIBUTE_REFUSE);
        assert_int_equal(attribute_rules_secret(orders[i], 3), ATTRIBUTE_REFUSE);
    }
    assert_int_equal(attribute_rules_private(orders[0], 2), ATTRIBUTE_CONSENT);
    assert_int_equal(attribute_rules_private(orders[0], 1), ATTRIBUTE_FREE);
    assert_int_equal(attribute_rules_private(NULL, 0), ATTRIBUTE_FREE);
    assert_int_equal(attribute_rules_secret(NULL, 0), ATTRIBUTE_FREE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(true_protects),
        cmocka_unit_test(false_protects),
        cmocka_unit_test(value_that_is_none_is_refused),
        cmocka_unit_test(roles_stay),
        cmocka_unit_test(names_and_unknown_attributes_need_consent),
        cmocka_unit_test(the_worst_counts_wherever_it_stands),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
