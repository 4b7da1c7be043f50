/* A key is not brought under a lower rule by another name: not by a change, not by a copy, not for any program. */
#include <stdlib.h>
#include <string.h>

#include "support/fixture.h"
#include "support/keys.h"
#include "support/pinentry_script.h"
#include "support/test.h"

#define RIGHT "pin " FIXTURE_PIN "\n"
#define RULES "[key \"easy\"]\nlevel = low\n[key \"id:6561\"]\nlevel = medium\n[key \"strict\"]\nlevel = high\n"

static struct fixture fx;
static char label[16], id[16];
static CK_ULONG label_len, id_len;

static int stop(void **state)
{
    (void)state;
    fixture_stop(&fx);
    return 0;
}

static CK_ATTRIBUTE with_label(const char *text)
{
    label_len = strlen(text);
    memcpy(label, text, label_len);
    return (CK_ATTRIBUTE){CKA_LABEL, label, label_len};
}

static CK_ATTRIBUTE with_id(const char *text)
{
    id_len = strlen(text);
    memcpy(id, text, id_len);
    return (CK_ATTRIBUTE){CKA_ID, id, id_len};
}

static CK_OBJECT_HANDLE key(void)
{
    return key_private(fx.p11, fx.session, KEY_PLAIN_RSA);
}

static void expect_refused(CK_ATTRIBUTE *template, CK_ULONG count)
{
    CK_OBJECT_HANDLE copy = 4711;
    char *log;

    fixture_log_forget(&fx);
    script_set(&fx, RIGHT);
    assert_rv(fx.p11->C_SetAttributeValue(fx.session, key(), template, count), CKR_ATTRIBUTE_READ_ONLY);
    assert_rv(fx.p11->C_CopyObject(fx.session, key(), template, count, &copy), CKR_TEMPLATE_INCONSISTENT);
    assert_int_equal(script_asked(&fx), 0);
    assert_int_equal(copy, 4711);
    log = fixture_log(&fx);
    assert_contains(log, "would lower the level");
    free(log);
}

static void lower_names_are_refused(void **state)
{
    CK_ATTRIBUTE easy, medium, both[2];

    (void)state;
    fixture_start_logged_in(&fx, RULES);
    easy = with_label("easy");
    medium = with_id("ea");
    both[0] = medium;
    both[1] = with_label("other");
    expect_refused(both, 2);
    easy = with_label("easy");
    expect_refused(&easy, 1);
    expect_refused(&medium, 1);
}

/* The rule for the program that renames says nothing of the others. */
static void programs_that_are_not_here_count(void **state)
{
    CK_ATTRIBUTE other = with_label("other");

    (void)state;
    fixture_start_logged_in(&fx, "[key \"" KEY_PLAIN_RSA "\"]\nlevel = high\n[app \"/usr/bin/some-program\"]\nlevel = low\n");
    expect_refused(&other, 1);
}

/* As strict, or stricter: the user is asked, as ever. */
static void other_names_are_asked_for(void **state)
{
    CK_ATTRIBUTE strict, back;
    CK_OBJECT_HANDLE object;

    (void)state;
    fixture_start_logged_in(&fx, RULES);
    object = key();
    strict = with_label("strict");
    script_set(&fx, RIGHT);
    assert_ok(fx.p11->C_SetAttributeValue(fx.session, object, &strict, 1));
    assert_int_equal(script_asked(&fx), 1);
    back = with_label(KEY_PLAIN_RSA);
    script_set(&fx, RIGHT);
    assert_ok(fx.p11->C_SetAttributeValue(fx.session, object, &back, 1));
    assert_int_equal(script_asked(&fx), 1);
}

/* A key that its token protects is high under any name. */
static void protected_keys_may_have_any_name(void **state)
{
    CK_ATTRIBUTE easy;
    CK_OBJECT_HANDLE object;

    (void)state;
    fixture_start_logged_in(&fx, RULES);
    object = key_private(fx.p11, fx.session, KEY_HIGH_RSA);
    easy = with_label("easy");
    script_set(&fx, RIGHT);
    assert_ok(fx.p11->C_SetAttributeValue(fx.session, object, &easy, 1));
    assert_int_equal(script_asked(&fx), 1);
}

static int begin(void **state)
{
    (void)state;
    fixture_begin(&fx, KEYS_HIGH_RSA | KEYS_PLAIN_RSA);
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
        TEST(lower_names_are_refused),
        TEST(programs_that_are_not_here_count),
        TEST(other_names_are_asked_for),
        TEST(protected_keys_may_have_any_name),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
