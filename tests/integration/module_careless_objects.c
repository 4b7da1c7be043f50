/* Objects behind the gate on a backend that believes every template and knows classes that nobody else does. */
#include <string.h>

#include "support/mock.h"
#include "support/test.h"

enum object { SECRET = 1, PRIVATE, VENDOR };

static struct fixture fx;
static struct mock_backend *mock;

static void start(void)
{
    mock = mock_reset();
    mock->objects[SECRET] = (struct mock_object){.exists = true, .object_class = CKO_SECRET_KEY};
    mock->objects[PRIVATE] = (struct mock_object){.exists = true, .object_class = CKO_PRIVATE_KEY};
    mock->objects[VENDOR] = (struct mock_object){.exists = true, .object_class = CKO_VENDOR_DEFINED | 1};
    mock_start(&fx, "level = low\n");
}

static int stop(void **state)
{
    (void)state;
    fixture_stop(&fx);
    return 0;
}

/* An object of a class that nobody knows may be a private key. In its CKA_VALUE vendors keep other things. */
static void private_parts_of_an_unknown_class_are_sensitive(void **state)
{
    CK_BYTE exponent[16], value[16];
    CK_ATTRIBUTE both[] = {{CKA_PRIVATE_EXPONENT, exponent, sizeof exponent}, {CKA_VALUE, value, sizeof value}};

    (void)state;
    start();
    assert_rv(fx.p11->C_GetAttributeValue(fx.session, VENDOR, both, 1), CKR_ATTRIBUTE_SENSITIVE);
    assert_int_equal(both[0].ulValueLen, CK_UNAVAILABLE_INFORMATION);
    assert_rv(fx.p11->C_GetAttributeValue(fx.session, VENDOR, &both[1], 1), CKR_ATTRIBUTE_TYPE_INVALID);
    both[1].ulValueLen = sizeof value;
    assert_rv(fx.p11->C_GetAttributeValue(fx.session, PRIVATE, &both[1], 1), CKR_ATTRIBUTE_SENSITIVE);
}

static CK_RV generate(CK_ATTRIBUTE *template, CK_ULONG count)
{
    CK_MECHANISM mechanism = {CKM_AES_KEY_GEN, NULL, 0};
    CK_OBJECT_HANDLE made;

    return fx.p11->C_GenerateKey(fx.session, &mechanism, template, count, &made);
}

static void no_private_key_is_generated_alone(void **state)
{
    CK_OBJECT_CLASS private_key = CKO_PRIVATE_KEY, secret_key = CKO_SECRET_KEY;
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &secret_key, sizeof secret_key},
                               {CKA_CLASS, &private_key, sizeof private_key}};

    (void)state;
    start();
    assert_rv(generate(&template[1], 1), CKR_TEMPLATE_INCONSISTENT);
    assert_rv(generate(template, 2), CKR_TEMPLATE_INCONSISTENT);
    assert_rv(generate(NULL, 1), CKR_ARGUMENTS_BAD);
    assert_int_equal(mock->calls[CALL_C_GenerateKey], 0);
    assert_ok(generate(template, 1));
    assert_ok(generate(NULL, 0));
    assert_int_equal(mock->calls[CALL_C_GenerateKey], 2);
}

static int begin(void **state)
{
    (void)state;
    fixture_begin_bare(&fx);
    return 0;
}

static int end(void **state)
{
    (void)state;
    fixture_end(&fx);
    return 0;
}

#define TEST(f) cmocka_unit_test_teardown(f, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(private_parts_of_an_unknown_class_are_sensitive),
        TEST(no_private_key_is_generated_alone),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
