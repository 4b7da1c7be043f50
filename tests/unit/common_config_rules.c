/* config_rules and config_section: rules as people write them, and every way to get them wrong. */
#include "common/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/folder.h"
#include "support/test.h"

static char folder[FOLDER_PATH_MAX];
static char path[FOLDER_PATH_MAX];

static int begin(void **state)
{
    (void)state;
    folder_make(folder);
    (void)folder_path(folder, "test.conf", path);
    return 0;
}

static int end(void **state)
{
    (void)state;
    folder_remove(folder);
    return 0;
}

static void load(const char *text, struct config *config)
{
    struct error err = {0};

    folder_write(folder, "test.conf", text);
    if (config_load_file(path, config, &err) != ERROR_NONE)
        fail_msg("%s\n%s", error_text(&err), text);
}

static void expect_error(const char *text, unsigned line, const char *says)
{
    struct config config;
    struct config untouched;
    struct error err = {0};
    char expected[2048];

    memset(&untouched, 0x5a, sizeof untouched);
    config = untouched;
    folder_write(folder, "test.conf", text);
    snprintf(expected, sizeof expected, "%s, line %u: %s", path, line, says);
    assert_int_equal(config_load_file(path, &config, &err), ERROR_CONFIG);
    assert_string_equal(error_text(&err), expected);
    assert_memory_equal(&config, &untouched, sizeof config);
}

/* ------------------------------------------------------------------ good ones */

static void every_kind_is_read(void **state)
{
    static const struct {
        const char *header;
        enum config_rule_kind kind;
        const char *value;
        size_t len;
    } rows[] = {
        {"[token \"My card\"]", CONFIG_RULE_TOKEN_LABEL, "My card", 7},
        {"[token \"Padded  \"]", CONFIG_RULE_TOKEN_LABEL, "Padded", 6},
        {"[token \"serial:0123\"]", CONFIG_RULE_TOKEN_SERIAL, "0123", 4},
        {"[token \"label:serial:0123\"]", CONFIG_RULE_TOKEN_LABEL, "serial:0123", 11},
        {"[key \"ming (signing)\"]", CONFIG_RULE_KEY_LABEL, "ming (signing)", 14},
        {"[key \"ming \"]", CONFIG_RULE_KEY_LABEL, "ming ", 5},
        {"[key \"a ] ; # b\"]", CONFIG_RULE_KEY_LABEL, "a ] ; # b", 9},
        {"[key \"a \\\"b\\\" \\\\c\"]", CONFIG_RULE_KEY_LABEL, "a \"b\" \\c", 8},
        {"[key \"label:id:00\"]", CONFIG_RULE_KEY_LABEL, "id:00", 5},
        {"[key \"label:label:x\"]", CONFIG_RULE_KEY_LABEL, "label:x", 7},
        {"[key \"簽章\"]", CONFIG_RULE_KEY_LABEL, "簽章", 6},
        {"[key \"id:0a1B2c\"]", CONFIG_RULE_KEY_ID, "\x0a\x1b\x2c", 3},
        {"[key \"id:00\"]", CONFIG_RULE_KEY_ID, "\0", 1},
        {"[app \"/usr/bin/openssl\"]", CONFIG_RULE_APP, "/usr/bin/openssl", 16},
        {"[app \"/a/.b/..c/d.\"]", CONFIG_RULE_APP, "/a/.b/..c/d.", 12},
        {"  [ app \"/opt/x y\" ] \t; why\r", CONFIG_RULE_APP, "/opt/x y", 8},
    };
    char text[4096] = "";
    struct config config;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s\n  level = medium\n", rows[i].header);
    load(text, &config);
    assert_int_equal(config.rules.count, sizeof rows / sizeof rows[0]);
    for (size_t i = 0; i < config.rules.count; i++) {
        assert_int_equal(config.rules.items[i].kind, rows[i].kind);
        assert_int_equal(config.rules.items[i].len, rows[i].len);
        assert_memory_equal(config.rules.items[i].value, rows[i].value, rows[i].len + 1);
        assert_int_equal(config.rules.items[i].line, 2 * i + 1);
        assert_int_equal(config.rules.items[i].level, CONFIG_LEVEL_MEDIUM);
    }
    assert_string_equal(config.rules.items[4].section, "key \"ming (signing)\"");
    config_clear(&config);
}

static void levels_and_lines_are_kept(void **state)
{
    struct config config;

    (void)state;
    load("\xef\xbb\xbf[key \"a\"]\nlevel = low\n[key \"b\"]\nlevel=medium ; why\n\n[module]\n\nlevel = low\n[key \"c\"]\n"
         "level = high\n[token]\nlabel = T\n[token \"T\"]\nlevel = low",
         &config);
    assert_int_equal(config.rules.count, 4);
    assert_int_equal(config.rules.items[0].level, CONFIG_LEVEL_LOW);
    assert_int_equal(config.rules.items[0].line, 1);
    assert_int_equal(config.rules.items[1].level, CONFIG_LEVEL_MEDIUM);
    assert_int_equal(config.rules.items[2].level, CONFIG_LEVEL_HIGH);
    assert_int_equal(config.rules.items[3].level, CONFIG_LEVEL_LOW);
    assert_int_equal(config.rules.items[3].line, 13);
    assert_int_equal(config.module.level_line, 8);
    assert_string_equal(config.token.token, "T");
    config_clear(&config);
    load("", &config);
    assert_int_equal(config.module.level_line, 0);
    assert_int_equal(config.rules.count, 0);
    config_clear(&config);
}

/* ------------------------------------------------------------------ wrong ones */

static void bad_rules_are_named(void **state)
{
#define NO_END  "the quotes do not end, or hold a control character; expected [section \"name\"]."
#define EXPECT  "expected \"name = value\" or \"[section]\"."
#define NO_PATH(p) "\"" p "\" is not a name for a section [app]; expected a program's own path from the root, without " \
                   "links and dots."
#define NO_ID(i) "\"" i "\" is not a name for a section [key]; expected a key's id of at most 64 bytes, in hexadecimal."
    static const struct {
        const char *text;
        unsigned line;
        const char *says;
    } rows[] = {
        {"[key \"a]\nlevel = low\n", 1, NO_END},
        {"[key \"a\nlevel = low\n", 1, NO_END},
        {"[key \"a\\", 1, "a backslash stands alone in the quotes; expected \\\" or \\\\."},
        {"[key \"a\tb\"]\n", 1, NO_END},
        {"[key \"a\\n\"]\n", 1, "a backslash stands alone in the quotes; expected \\\" or \\\\."},
        {"[key a\"]\n", 1, EXPECT},
        {"[key 'a']\n", 1, EXPECT},
        {"[key \"a\" \"b\"]\n", 1, EXPECT},
        {"[\"a\"]\n", 1, EXPECT},
        {"[]\n", 1, EXPECT},
        {"[key \"a\"\n", 1, EXPECT},
        {"[key \"a\"] level = low\n", 1, "something stands behind the section; expected a line of its own for it."},
        {"[module] x\n", 1, "something stands behind the section; expected a line of its own for it."},
        {"[key]\nlevel = low\n", 1, "the section says nothing of whose it is; expected [key \"name\"]."},
        {"[module]\n[app]\n", 2, "the section says nothing of whose it is; expected [app \"name\"]."},
        {"[module \"x\"]\n", 1,
         "there is no section [module \"...\"]; expected [token \"...\"], [key \"...\"] or [app \"...\"]."},
        {"[Key \"x\"]\nlevel = low\n", 1,
         "there is no section [Key \"...\"]; expected [token \"...\"], [key \"...\"] or [app \"...\"]."},
        {"[key \"\"]\n", 1, "\"\" is not a name for a section [key]; expected a key's label of at most 128 bytes."},
        {"[token \"\"]\n", 1, "\"\" is not a name for a section [token]; expected a token's label of at most 32 bytes."},
        {"[token \"   \"]\n", 1,
         "\"   \" is not a name for a section [token]; expected a token's label of at most 32 bytes."},
        {"[token \"serial:\"]\n", 1,
         "\"serial:\" is not a name for a section [token]; expected a token's serial number of at most 16 bytes."},
        {"[token \"label:\"]\n", 1,
         "\"label:\" is not a name for a section [token]; expected a token's label of at most 32 bytes."},
        {"[key \"id:\"]\n", 1, NO_ID("id:")},
        {"[key \"id:0\"]\n", 1, NO_ID("id:0")},
        {"[key \"id:0a1\"]\n", 1, NO_ID("id:0a1")},
        {"[key \"id:0g\"]\n", 1, NO_ID("id:0g")},
        {"[key \"id:0a 0b\"]\n", 1, NO_ID("id:0a 0b")},
        {"[key \"id:0x0a\"]\n", 1, NO_ID("id:0x0a")},
        {"[app \"\"]\n", 1, NO_PATH("")},
        {"[app \"openssl\"]\n", 1, NO_PATH("openssl")},
        {"[app \"/\"]\n", 1, NO_PATH("/")},
        {"[app \"/usr/bin/\"]\n", 1, NO_PATH("/usr/bin/")},
        {"[app \"/usr//bin\"]\n", 1, NO_PATH("/usr//bin")},
        {"[app \"/usr/./bin\"]\n", 1, NO_PATH("/usr/./bin")},
        {"[app \"/usr/../bin\"]\n", 1, NO_PATH("/usr/../bin")},
        {"[app \"/usr/..\"]\n", 1, NO_PATH("/usr/..")},
        {"[app \"/usr/bin/x (deleted)\"]\n", 1, NO_PATH("/usr/bin/x (deleted)")},
        {"[key \"a\"]\nlevel = low\n[key \"a\"]\nlevel = high\n", 3,
         "the section [key \"a\"] is given a second time, after line 1; expected it once."},
        {"[key \"a\"]\nlevel = low\n[key \"label:a\"]\n", 3,
         "the section [key \"label:a\"] is given a second time, after line 1; expected it once."},
        {"[key \"id:0A\"]\nlevel = low\n[key \"id:0a\"]\n", 3,
         "the section [key \"id:0a\"] is given a second time, after line 1; expected it once."},
        {"[token \"a\"]\nlevel = low\n[token \"a \"]\n", 3,
         "the section [token \"a \"] is given a second time, after line 1; expected it once."},
        {"[key \"a\"]\nlevel = low\nlevel = low\n", 3, "\"level\" is given a second time; expected it once."},
        {"[key \"a\"]\nlevel = off\n", 2, "\"off\" is not a value for level; expected high, medium, low."},
        {"[key \"a\"]\nprompt = module\n", 2, "there is no \"prompt\" in a section [key \"a\"]; expected level."},
        {"[token \"a\"]\nlabel = a\n", 2, "there is no \"label\" in a section [token \"a\"]; expected level."},
        {"[module]\n\n[key \"a\"]\n; level = low\n[key \"b\"]\nlevel = low\n", 3,
         "the section [key \"a\"] says nothing; expected level = high, medium or low."},
        {"[key \"a\"]", 1, "the section [key \"a\"] says nothing; expected level = high, medium or low."},
        /* Of two faults the first is told. */
        {"nonsense\n[key\n", 1, EXPECT},
        {"[key \"a\"]\nlevel = no\n[key\n", 2, "\"no\" is not a value for level; expected high, medium, low."},
        {"[key\nnonsense\n", 1, EXPECT},
        /* What inih, but nobody else, would take for a header or a continuation. */
        {"\xef\xbb\xbf\xef\xbb\xbf[module]\nlevel = low\n", 2, EXPECT},
        {"[key \"a\"]\nlevel = high\n\v\flevel = low\n", 3, "\"level\" is given a second time; expected it once."},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        expect_error(rows[i].text, rows[i].line, rows[i].says);
}

/* ------------------------------------------------------------------ limits */

/* prefix, then len characters, then "\"]\nlevel = low\n", on the heap. */
static char *long_rule(const char *prefix, size_t len)
{
    char *text = malloc(strlen(prefix) + len + 64);
    char *at = stpcpy(text, prefix);

    memset(at, 'a', len);
    strcpy(at + len, "\"]\nlevel = low\n");
    return text;
}

static void names_have_limits(void **state)
{
    static const struct {
        const char *prefix;
        size_t max; /* characters behind the prefix */
        size_t step;
        size_t value; /* bytes of the longest value */
    } rows[] = {
        {"[token \"", 32, 1, 32},   {"[token \"serial:", 16, 1, 16}, {"[key \"", 128, 1, 128},
        {"[key \"id:", 128, 2, 64}, {"[app \"/", 4094, 1, 4095},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct error err = {0};
        struct config config;
        char *text = long_rule(rows[i].prefix, rows[i].max);

        load(text, &config);
        assert_int_equal(config.rules.count, 1);
        assert_int_equal(config.rules.items[0].len, rows[i].value);
        config_clear(&config);
        free(text);
        text = long_rule(rows[i].prefix, rows[i].max + rows[i].step);
        folder_write(folder, "test.conf", text);
        assert_int_equal(config_load_file(path, &config, &err), ERROR_CONFIG);
        assert_contains(error_text(&err), "test.conf, line 1: \"");
        free(text);
    }
}

/* The error's text has its limit; the sentence's end may be lost, the place never. */
static void long_names_in_errors_are_cut(void **state)
{
    char *text = long_rule("[key \"", 100000);
    struct error err = {0};
    struct config config;

    (void)state;
    folder_write(folder, "test.conf", text);
    assert_int_equal(config_load_file(path, &config, &err), ERROR_CONFIG);
    assert_contains(error_text(&err), "test.conf, line 1: \"aaaaaaaa");
    free(text);
}

static void rules_have_a_number(void **state)
{
    char *text = calloc(CONFIG_RULES_MAX + 1, 64);
    struct config config;

    (void)state;
    for (unsigned i = 0; i < CONFIG_RULES_MAX; i++)
        sprintf(text + strlen(text), "[key \"key %u\"]\nlevel = low\n", i);
    load(text, &config);
    assert_int_equal(config.rules.count, CONFIG_RULES_MAX);
    config_clear(&config);
    strcat(text, "[key \"one more\"]\nlevel = low\n");
    expect_error(text, 2 * CONFIG_RULES_MAX + 1, "there are too many rules; expected at most 256.");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_is_read),         cmocka_unit_test(levels_and_lines_are_kept),
        cmocka_unit_test(bad_rules_are_named),        cmocka_unit_test(names_have_limits),
        cmocka_unit_test(long_names_in_errors_are_cut), cmocka_unit_test(rules_have_a_number),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
