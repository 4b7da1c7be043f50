/* template: what a creation template becomes. */
#include "pkcs11-module/template.h"

#include <string.h>

#include "support/test.h"

static CK_BBOOL yes = CK_TRUE;
static CK_BBOOL no = CK_FALSE;

/* The attribute's only occurrence, as a CK_BBOOL; -1 when it is not there. */
static int value_of(const struct template *template, CK_ATTRIBUTE_TYPE type)
{
    int value = -1;

    for (CK_ULONG i = 0; i < template->count; i++) {
        if (template->attributes[i].type != type)
            continue;
        assert_int_equal(value, -1);
        assert_int_equal(template->attributes[i].ulValueLen, sizeof(CK_BBOOL));
        value = *(CK_BBOOL *)template->attributes[i].pValue;
    }
    return value;
}

static void expect_protected(const struct template *template, int always_authenticate)
{
    assert_int_equal(value_of(template, CKA_PRIVATE), CK_TRUE);
    assert_int_equal(value_of(template, CKA_SENSITIVE), CK_TRUE);
    assert_int_equal(value_of(template, CKA_EXTRACTABLE), CK_FALSE);
    assert_int_equal(value_of(template, CKA_ALWAYS_AUTHENTICATE), always_authenticate);
}

static void wishes_for_less_are_replaced(void **state)
{
    CK_ATTRIBUTE wishes[] = {
        {CKA_TOKEN, &yes, sizeof yes},       {CKA_PRIVATE, &no, sizeof no},
        {CKA_SENSITIVE, &no, sizeof no},     {CKA_EXTRACTABLE, &yes, sizeof yes},
        {CKA_EXTRACTABLE, &yes, sizeof yes}, {CKA_ALWAYS_AUTHENTICATE, &no, sizeof no},
        {CKA_SIGN, &yes, sizeof yes},        {CKA_SENSITIVE, NULL, 0},
    };
    CK_ATTRIBUTE before[8];
    struct template template;

    (void)state;
    memcpy(before, wishes, sizeof wishes);
    assert_int_equal(template_protect(wishes, 8, true, &template), CKR_OK);
    expect_protected(&template, CK_TRUE);
    assert_int_equal(template.count, 6);
    assert_ptr_not_equal(template.attributes[0].pValue, &yes); /* a copy */
    assert_int_equal(*(CK_BBOOL *)template.attributes[0].pValue, CK_TRUE);
    assert_int_equal(template.attributes[1].type, CKA_SIGN);
    assert_memory_equal(wishes, before, sizeof wishes); /* the application's own is not touched */
    template_clear(&template);
    assert_null(template.attributes);

    assert_int_equal(template_protect(wishes, 8, false, &template), CKR_OK);
    expect_protected(&template, -1);
    template_clear(&template);
}

/* What a host writes into its template afterwards is not in the copy; what has no value stays so. */
static void values_are_copies(void **state)
{
    CK_BYTE label[] = "label";
    CK_BBOOL value = CK_TRUE;
    CK_ATTRIBUTE attributes[] = {{CKA_LABEL, label, 5},
                                 {CKA_SIGN, &value, sizeof value},
                                 {CKA_ID, NULL, 3},
                                 {CKA_SUBJECT, label, CK_UNAVAILABLE_INFORMATION},
                                 {CKA_VALUE, label, 0}};
    struct template template;

    (void)state;
    for (int protects = 0; protects < 2; protects++) {
        memcpy(label, "label", 5);
        value = CK_TRUE;
        attributes[0].type = CKA_LABEL;
        assert_int_equal(protects ? template_protect(attributes, 5, true, &template)
                                  : template_copy(attributes, 5, &template),
                         CKR_OK);
        memcpy(label, "other", 5);
        value = CK_FALSE;
        attributes[0].type = CKA_EXTRACTABLE;
        assert_int_equal(template.count, protects ? 9 : 5);
        assert_int_equal(template.attributes[0].type, CKA_LABEL);
        assert_int_equal(template.attributes[0].ulValueLen, 5);
        assert_memory_equal(template.attributes[0].pValue, "label", 5);
        assert_int_equal(value_of(&template, CKA_SIGN), CK_TRUE);
        assert_null(template.attributes[2].pValue);
        assert_int_equal(template.attributes[2].ulValueLen, 3);
        assert_int_equal(template.attributes[3].ulValueLen, CK_UNAVAILABLE_INFORMATION);
        assert_int_equal(template.attributes[4].ulValueLen, 0);
        template_clear(&template);
        assert_null(template.values);
    }
    assert_int_equal(template_copy(NULL, 1, &template), CKR_ARGUMENTS_BAD);
    assert_int_equal(template_copy(NULL, 0, &template), CKR_OK);
    assert_int_equal(template.count, 0);
    template_clear(&template);
}

static void empty_template_is_protected_too(void **state)
{
    struct template template;

    (void)state;
    assert_int_equal(template_protect(NULL, 0, true, &template), CKR_OK);
    expect_protected(&template, CK_TRUE);
    template_clear(&template);
    template_clear(&template);
    assert_int_equal(template_protect(NULL, 3, true, &template), CKR_ARGUMENTS_BAD);
    assert_int_equal(template_protect((CK_ATTRIBUTE[]){{0}}, (CK_ULONG)-1, true, &template), CKR_ARGUMENTS_BAD);
}

static void private_key_is_seen(void **state)
{
    CK_OBJECT_CLASS private_class = CKO_PRIVATE_KEY;
    CK_OBJECT_CLASS secret_class = CKO_SECRET_KEY;
    CK_ATTRIBUTE both[] = {{CKA_CLASS, &secret_class, sizeof secret_class},
                           {CKA_CLASS, &private_class, sizeof private_class}};
    CK_ATTRIBUTE odd[] = {{CKA_CLASS, &secret_class, 1}};
    CK_ATTRIBUTE empty[] = {{CKA_CLASS, NULL, sizeof secret_class}};

    (void)state;
    assert_false(template_makes_private_key(NULL, 0));
    assert_false(template_makes_private_key(NULL, 4));
    assert_false(template_makes_private_key(both, 1));
    assert_true(template_makes_private_key(both, 2)); /* whichever the token believes */
    assert_true(template_makes_private_key(both + 1, 1));
    assert_true(template_makes_private_key(odd, 1));
    assert_false(template_makes_private_key(empty, 1));
}

/* What secret_wipe was called for last (the test is linked with --wrap). */
static const void *wiped;
static size_t wiped_len;

void __real_secret_wipe(void *data, size_t len);
void __wrap_secret_wipe(void *data, size_t len);

void __wrap_secret_wipe(void *data, size_t len)
{
    wiped = data;
    wiped_len = len;
    __real_secret_wipe(data, len);
}

/* An imported key's template holds its value. */
static void values_are_wiped(void **state)
{
    char label[] = "label", value[] = "a private value";
    CK_ATTRIBUTE wishes[] = {{CKA_LABEL, label, sizeof label}, {CKA_VALUE, value, sizeof value}};
    struct template template;
    const void *values;

    (void)state;
    for (int n = 0; n < 3; n++) {
        CK_RV rv = n == 0   ? template_copy(wishes, 2, &template)
                   : n == 1 ? template_protect(wishes, 2, true, &template)
                            : template_guard(wishes, 2, &template);

        assert_int_equal(rv, CKR_OK);
        values = template.attributes[0].pValue;
        template_clear(&template);
        assert_ptr_equal(wiped, values);
        assert_true(wiped_len >= sizeof label + sizeof value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wishes_for_less_are_replaced),
        cmocka_unit_test(values_are_copies),
        cmocka_unit_test(empty_template_is_protected_too),
        cmocka_unit_test(private_key_is_seen),
        cmocka_unit_test(values_are_wiped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
