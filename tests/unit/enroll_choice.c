/* choice, form: which certificates a word names, and forms that are long or have characters without a font.
 */
#include <stdlib.h>
#include <string.h>

#include "enroll/choice.h"
#include "enroll/form.h"
#include "tests/support/test.h"

#define ROWS 4

static struct portal_certificate rows[ROWS] = {
    {.serial = "1a2b3c4d5e", .use = PORTAL_ENCRYPTION, .state = "active"},
    {.serial = "1111119aaa", .use = PORTAL_SIGNING, .state = "active"},
    {.serial = "1111118bbb", .use = PORTAL_ENCRYPTION, .state = "renewed"},
    {.serial = "1f00000000", .use = PORTAL_SIGNING, .state = "revoked"},
};
static const bool eligible[ROWS] = {true, true, true, false};

static struct certlist make_list(void)
{
    return (struct certlist){.portal = {.items = rows, .count = ROWS}};
}

static void words_name_certificates(void **state)
{
    static const struct {
        const char *text;
        bool numbers;
        enum error_code status;
        const char *chosen; /* a digit a row */
    } cases[] = {
        {"all", false, ERROR_NONE, "1110"},
        {"signing", false, ERROR_NONE, "0100"},
        {"encryption", false, ERROR_NONE, "1010"},
        {"signing,encryption", false, ERROR_NONE, "1110"},
        {" signing , 1a2b3c ", false, ERROR_NONE, "1100"},
        {"1a2b3c4d5e", false, ERROR_NONE, "1000"},
        {"1111119", false, ERROR_NONE, "0100"},
        {"1, 3", true, ERROR_NONE, "1010"},
        {"2 2 2", true, ERROR_NONE, "0100"},
        {"111111", false, ERROR_USAGE, NULL},      /* two begin so */
        {"1a2b3", false, ERROR_USAGE, NULL},       /* too short to be sure */
        {"1a2b3c4d5e0", false, ERROR_USAGE, NULL}, /* longer than any */
        {"1f000000", false, ERROR_USAGE, NULL},    /* not to be chosen here */
        {"1", false, ERROR_USAGE, NULL},           /* numbers are for those who see the table */
        {"4", true, ERROR_USAGE, NULL},
        {"0", true, ERROR_USAGE, NULL},
        {"5", true, ERROR_USAGE, NULL},
        {"99999", true, ERROR_USAGE, NULL},
        {"-1", true, ERROR_USAGE, NULL},
        {"", false, ERROR_USAGE, NULL},
        {" , ", false, ERROR_USAGE, NULL},
        {"all,nothing", false, ERROR_USAGE, NULL},
        {"ALL", false, ERROR_USAGE, NULL},
        {"signings", false, ERROR_USAGE, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct certlist list = make_list();
        bool chosen[ROWS] = {false};
        struct error err = {0};

        assert_int_equal(choice_parse(&list, eligible, cases[i].text, cases[i].numbers, chosen, &err),
                         cases[i].status);
        for (size_t row = 0; row < ROWS; row++) {
            assert_int_equal(chosen[row], cases[i].chosen && cases[i].chosen[row] == '1');
        }
        assert_int_equal(err.text[0] != '\0', cases[i].status != ERROR_NONE);
    }
}

static void days_are_counted_by_the_portals_clock(void **state)
{
    static const struct {
        time_t left;
        long days;
        const char *certificate_state;
        bool due; /* with a window of 30 days */
    } cases[] = {
        {40 * 86400, 40, "active", false},
        {30 * 86400, 30, "active", true},
        {30 * 86400 + 1, 30, "active", false},
        {86399, 0, "active", true},
        {1, 0, "active", true},
        {0, 0, "active", false},
        {-1, -1, "expired", false},
        {-86400, -1, "expired", false},
        {-86401, -2, "expired", false},
        {10 * 86400, 10, "suspended", false},
        {10 * 86400, 10, "renewed", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct portal_certificate row = {.state = cases[i].certificate_state, .not_after = 1000000000};
        const struct certlist list = {
            .portal = {.items = &row, .count = 1, .now = row.not_after - cases[i].left}};

        row.renewal_opens_at = row.not_after - 30 * 86400;
        assert_int_equal(certlist_days_left(&list, &row), cases[i].days);
        assert_int_equal(certlist_is_due(&list, &row), cases[i].due);
    }
}

static void a_long_form_takes_pages(void **state)
{
    struct form form = {0};
    struct bytes pdf = {0};
    struct bytes text = {0};
    const char *count;

    (void)state;
    form_add(&form, FORM_TITLE, "A form");
    for (int i = 0; i < 120; i++) {
        form_add_field(&form, "A label", i % 2 ? "a value\x1b[31m" : NULL);
    }
    assert_true(form_is_whole(&form));
    assert_int_equal(form_pdf(&form, "A form", &pdf, NULL), ERROR_NONE);
    assert_int_equal(form_text(&form, &text, NULL), ERROR_NONE);
    assert_memory_equal(pdf.data, "%PDF-", 5);
    count = memmem(pdf.data, pdf.len, "/Count ", 7);
    assert_non_null(count);
    assert_int_equal(strtol(count + 7, NULL, 10), 4);
    assert_null(memchr(text.data, '\x1b', text.len)); /* nothing on it can drive a terminal or a printer */
    bytes_clear(&pdf);
    bytes_clear(&text);
    form_clear(&form);
}

/* A box in the place of a character would be signed by somebody who cannot read it. */
static void a_character_without_a_font_is_an_error(void **state)
{
    struct bytes pdf = {0};
    struct error err = {0};
    struct form form = {0};

    (void)state;
    form_add(&form, FORM_TITLE, "A form");
    form_add_field(&form, "Name", "\xf3\xb0\x80\x81"); /* U+F0001: for private use */
    assert_int_equal(form_pdf(&form, "A form", &pdf, &err), ERROR_CONFIG);
    assert_non_null(strstr(err.text, "fonts-noto-cjk"));
    assert_null(pdf.data);
    form_clear(&form);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_name_certificates),
        cmocka_unit_test(days_are_counted_by_the_portals_clock),
        cmocka_unit_test(a_long_form_takes_pages),
        cmocka_unit_test(a_character_without_a_font_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
