/* Texts are broken into lines that fit, without a change to anything else. */
#include <stdio.h>
#include <string.h>

#include "common/utf8_wrap.h"
#include "support/test.h"

#define INDENT "\u00a0\u00a0"

static void columns_are_counted(void **state)
{
    static const struct {
        const char *character;
        size_t columns;
    } table[] = {
        {"a", 1}, {"ë", 1}, {"王", 2}, {"：", 2}, {"ｱ", 1}, {"한", 2}, {"\xf0\x9f\x94\x91", 2}, {"\xcc\x81", 0}, {"…", 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        assert_int_equal(utf8_columns(table[i].character, strlen(table[i].character)), table[i].columns);
}

static void lines_are_broken(void **state)
{
    static const struct {
        const char *text;
        const char *wrapped; /* to 10 columns */
    } table[] = {
        {"", ""},
        {"short", "short"},
        {"two\nlines\n", "two\nlines\n"},
        {"exactly 10", "exactly 10"},
        {"at a blank of it", "at a blank\nof it"},
        {"ten chars. and", "ten chars.\nand"},
        {"\n\nkept", "\n\nkept"},
        {"0123456789abc", "0123456789\nabc"},
        {"/a/path/that/is/long x", "/a/path/th\nat/is/long\nx"},
        {"王小明的簽章金鑰", "王小明的簽\n章金鑰"},
        {"金鑰（王小）", "金鑰（王\n小）"},           /* no line begins with a closing bracket */
        {"金鑰王小（明）", "金鑰王小\n（明）"},       /* nor ends with an opening one */
        {"資料：0123456789", "資料：\n0123456789"},
        {"bad\xff\xff\xff\xff\xff\xff\xff\xff", "bad\xff\xff\xff\xff\xff\xff\xff\n\xff"},
    };
    char out[64];

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        utf8_wrap(table[i].text, 10, 0, out, sizeof out);
        assert_string_equal(out, table[i].wrapped);
    }
}

/* No label can be made to look like the beginning of a line. */
static void further_lines_are_indented(void **state)
{
    char out[64];

    (void)state;
    utf8_wrap("Key: mine Token: x\nToken: y", 10, 2, out, sizeof out);
    assert_string_equal(out, "Key: mine\n" INDENT "Token: x\nToken: y");
    utf8_wrap("0123456789abcdefghijk", 10, 2, out, sizeof out);
    assert_string_equal(out, "0123456789\n" INDENT "abcdefgh\n" INDENT "ijk");
}

/* Nothing is written behind the end, and no character is cut, whatever the room. */
static void room_is_kept(void **state)
{
    static const char text[] = "王小明 abc\nde 王王王王王王";

    (void)state;
    for (size_t size = 1; size < 48; size++) {
        char out[48];
        char whole[64];
        size_t len;

        memset(out, '#', sizeof out);
        utf8_wrap(text, 8, 2, out, size);
        utf8_wrap(text, 8, 2, whole, sizeof whole);
        len = strlen(out);
        assert_true(len < size);
        assert_memory_equal(out, whole, len);
        assert_true(((unsigned char)whole[len] & 0xC0) != 0x80);
        for (size_t i = size; i < sizeof out; i++)
            assert_int_equal(out[i], '#');
    }
}

static void narrowest_window_ends(void **state)
{
    char out[64];

    (void)state;
    utf8_wrap("王a王", 1, 0, out, sizeof out);
    assert_string_equal(out, "王\na\n王");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_counted),
        cmocka_unit_test(lines_are_broken),
        cmocka_unit_test(further_lines_are_indented),
        cmocka_unit_test(room_is_kept),
        cmocka_unit_test(narrowest_window_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
