/* A key is found by what the gate shows of it (C_GetAttributeValue), not by what the token has. */
#include <string.h>

#include "support/fixture.h"
#include "include/pinward.h"
#include "support/isolated.h"
#include "support/keys.h"
#include "support/lacks.h"
#include "support/test.h"

#define MOST 16

static struct fixture fx;
static CK_BBOOL yes = CK_TRUE;
static CK_BBOOL no = CK_FALSE;
static CK_OBJECT_CLASS private_class = CKO_PRIVATE_KEY;

static int stop(void **state)
{
    (void)state;
    fixture_stop(&fx);
    return 0;
}

/* In small steps, so that what is left out has to be made up for. */
static CK_ULONG find(CK_ATTRIBUTE *template, CK_ULONG count, CK_OBJECT_HANDLE found[MOST])
{
    CK_ULONG total = 0, n = 1;

    assert_ok(fx.p11->C_FindObjectsInit(fx.session, template, count));
    while (n > 0) {
        assert_true(total + 2 <= MOST);
        assert_ok(fx.p11->C_FindObjects(fx.session, found + total, 2, &n));
        total += n;
    }
    assert_ok(fx.p11->C_FindObjectsFinal(fx.session));
    return total;
}

static CK_ULONG count_by(CK_ATTRIBUTE_TYPE type, void *value, CK_ULONG len)
{
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &private_class, sizeof private_class}, {type, value, len}};
    CK_OBJECT_HANDLE found[MOST];

    return find(template, 2, found);
}

static bool is_the_gates(CK_ATTRIBUTE_TYPE type)
{
    return type == CKA_ALWAYS_AUTHENTICATE || type == CKA_PINWARD_ENFORCED;
}

/* Everything that is found by this value shows it, and all that shows it is found. false: not so of an attribute of the
 * token's own. */
static bool found_as_shown(CK_ATTRIBUTE_TYPE type)
{
    CK_ATTRIBUTE all = {CKA_CLASS, &private_class, sizeof private_class};
    CK_OBJECT_HANDLE keys[MOST], found[MOST];
    const CK_ULONG n = find(&all, 1, keys);
    CK_ULONG shown[2] = {0, 0};

    assert_int_equal(n, 3);
    for (CK_ULONG i = 0; i < n; i++)
        shown[key_bool(fx.p11, fx.session, keys[i], type) ? 1 : 0]++;
    for (unsigned value = 0; value < 2; value++) {
        CK_BBOOL wanted = (CK_BBOOL)value;
        CK_ATTRIBUTE only = {type, &wanted, sizeof wanted};

        if (!is_the_gates(type) && count_by(type, &wanted, sizeof wanted) != shown[value])
            return false;
        assert_int_equal(count_by(type, &wanted, sizeof wanted), shown[value]);
        /* Without a class: objects that do not have the attribute, certificates and public keys, do not match. */
        if (is_the_gates(type))
            assert_int_equal(find(&only, 1, found), shown[value]);
    }
    return true;
}

static void keys_are_found_as_they_are_shown(void **state)
{
    static const char *const prompts[] = {"prompt = module\n", "prompt = application\n",
                                          "prompt = application\n[key \"" KEY_PLAIN_EC "\"]\nlevel = low\n"};
    static const CK_ATTRIBUTE_TYPE types[] = {CKA_ALWAYS_AUTHENTICATE, CKA_PINWARD_ENFORCED, CKA_SENSITIVE,
                                              CKA_EXTRACTABLE,         CKA_PRIVATE,          CKA_SIGN};
    CK_ATTRIBUTE_TYPE wrong = 0;

    (void)state;
    for (size_t p = 0; p < sizeof prompts / sizeof prompts[0]; p++) {
        fixture_start_logged_in(&fx, prompts[p]);
        for (size_t t = 0; t < sizeof types / sizeof types[0]; t++)
            if (!found_as_shown(types[t]))
                wrong = types[t];
        fixture_stop(&fx);
    }
    if (wrong) /* tpm2-pkcs11, CKA_SENSITIVE */
        lacks_skip(__func__, "the token finds other keys by the attribute 0x%lx than have it", wrong);
}

/* The figures themselves: one key of three has the attribute on the token. */
static void figures_are_the_gates(void **state)
{
    (void)state;
    fixture_start_logged_in(&fx, "");
    assert_int_equal(count_by(CKA_ALWAYS_AUTHENTICATE, &yes, 1), 0);
    assert_int_equal(count_by(CKA_ALWAYS_AUTHENTICATE, &no, 1), 3);
    assert_int_equal(count_by(CKA_PINWARD_ENFORCED, &yes, 1), 1);
    fixture_stop(&fx);
    fixture_start_logged_in(&fx, "prompt = application\n");
    assert_int_equal(count_by(CKA_ALWAYS_AUTHENTICATE, &yes, 1), 3);
    assert_int_equal(count_by(CKA_ALWAYS_AUTHENTICATE, &no, 1), 0);
}

static void contradictions_find_nothing(void **state)
{
    CK_ATTRIBUTE both[] = {{CKA_ALWAYS_AUTHENTICATE, &yes, 1}, {CKA_ALWAYS_AUTHENTICATE, &no, 1}};
    CK_ATTRIBUTE twice[] = {{CKA_ALWAYS_AUTHENTICATE, &no, 1}, {CKA_ALWAYS_AUTHENTICATE, &no, 1}};
    CK_OBJECT_HANDLE found[MOST];

    (void)state;
    isolated_lacks(__func__, "p11-kit's client refuses such a template by itself");
    fixture_start_logged_in(&fx, "");
    assert_int_equal(find(both, 2, found), 0);
    assert_int_equal(find(twice, 2, found), 3);
    assert_int_equal(count_by(CKA_ALWAYS_AUTHENTICATE, &yes, 0), 0);
    assert_int_equal(count_by(CKA_ALWAYS_AUTHENTICATE, NULL, 1), 0);
}

static int begin(void **state)
{
    (void)state;
    fixture_begin(&fx, KEYS_HIGH_RSA | KEYS_PLAIN_RSA | KEYS_PLAIN_EC | KEYS_AES);
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
        TEST(keys_are_found_as_they_are_shown),
        TEST(figures_are_the_gates),
        TEST(contradictions_find_nothing),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
