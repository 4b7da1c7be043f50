/* Text from outside made fit to be shown: well-formed, on one line, in its own direction, within its limit. */
#include <string.h>

#include "common/utf8.h"
#include "support/test.h"

static void characters_are_measured(void **state)
{
    static const struct {
        const char *bytes;
        size_t length;
    } table[] = {
        {"a", 1},
        {"\xc3\xab", 2},
        {"\xe7\x8e\x8b", 3},
        {"\xf0\x9f\x94\x91", 4},
        {"\xc0\x80", 0},         /* overlong */
        {"\xe0\x80\x80", 0},     /* overlong */
        {"\xed\xa0\x80", 0},     /* a surrogate */
        {"\xf0\x80\x80\x80", 0}, /* overlong */
        {"\xf4\x90\x80\x80", 0}, /* behind U+10FFFF */
        {"\xf5\x80\x80\x80", 0},
        {"\x80", 0},
        {"\xe7\x8e", 0}, /* cut */
        {"\xff", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        assert_int_equal(utf8_character(table[i].bytes, strlen(table[i].bytes)), table[i].length);
    assert_int_equal(utf8_character("a", 0), 0);
}

static void text_is_shown_harmlessly(void **state)
{
    static const struct {
        const char *text;
        const char *shown;
    } table[] = {
        {"plain", "plain"},
        {"\xe7\x8e\x8b\xe5\xb0\x8f\xe6\x98\x8e", "\xe7\x8e\x8b\xe5\xb0\x8f\xe6\x98\x8e"},
        {"two\nlines\x1b[2J\x7f", "two?lines?[2J?"},
        {"c1\xc2\x85", "c1?"},
        {"\xe2\x80\xae" "drawkcab", "?drawkcab"},
        {"\xe2\x81\xa6isolated\xe2\x81\xa9", "?isolated?"},
        {"line\xe2\x80\xa8separator", "line?separator"},
        {"bad\xff" "byte", "bad?byte"},
    };
    char out[64];

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        assert_int_equal(utf8_show(table[i].text, strlen(table[i].text), out, sizeof out, 60),
                         strlen(table[i].shown));
        assert_string_equal(out, table[i].shown);
    }
}

/* Whole characters within the limit, in which '%' counts what it costs once it is escaped; what was cut says so. */
static void limit_is_kept(void **state)
{
    static const struct {
        const char *text;
        size_t size, limit;
        const char *shown;
    } table[] = {
        {"%%%%", 16, 12, "%%%%"},
        {"%%%%", 16, 11, "%%…"},
        {"%%%%", 16, 2, ""},
        {"王小明", 16, 9, "王小明"},
        {"王小明", 16, 8, "王…"},
        {"王小明", 9, 100, "王…"},
        {"王小", 6, 100, "…"},
        {"abcdefghij", 11, 100, "abcdefghij"},
        {"abcdefghij", 10, 100, "abcdef…"},
        {"abcdefghij", 3, 100, "ab"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        char out[16];

        memset(out, '#', sizeof out);
        assert_int_equal(utf8_show(table[i].text, strlen(table[i].text), out, table[i].size, table[i].limit),
                         strlen(table[i].shown));
        assert_string_equal(out, table[i].shown);
        for (size_t end = table[i].size; end < sizeof out; end++)
            assert_int_equal(out[end], '#');
    }
}

static void nothing_of_a_cut_character_counts(void **state)
{
    static const char text[] = "a\xc3\xa9\xe7\x8e\x8b\xf0\x9f\x98\x80z";
    static const size_t whole[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11};

    (void)state;
    for (size_t len = 0; len < sizeof whole / sizeof whole[0]; len++)
        assert_int_equal(utf8_whole(text, len), whole[len]);
    assert_int_equal(utf8_whole("\x80\x80", 2), 2); /* none to be cut */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_of_a_cut_character_counts),
        cmocka_unit_test(characters_are_measured),
        cmocka_unit_test(text_is_shown_harmlessly),
        cmocka_unit_test(limit_is_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
