/* cli_help, cli_topics, wrap: help fits a terminal of 80 columns, in every language, and leaves no verb out. */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/i18n.h"
#include "enroll/cli_help.h"
#include "enroll/language.h"
#include "enroll/text.h"
#include "enroll/verbs.h"
#include "enroll/wrap.h"
#include "tests/support/test.h"

/* Prose; a command of the signing topic has the paths of this machine in it and stands in one line. */
static void assert_lines_fit(const char *what, char *text)
{
    char *rest = NULL;

    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        if (strncmp(line, "    ", 4) != 0 && text_columns(line) > WRAP_COLUMNS) {
            fail_msg("%s: %zu columns: %s", what, text_columns(line), line);
        }
        if (line[strlen(line) - 1] == ' ') {
            fail_msg("%s: a blank at the end: %s", what, line);
        }
    }
}

static void help_fits(void **state)
{
    static const char *const languages[] = {"en", "zh-TW"};

    (void)state;
    for (size_t i = 0; i < sizeof languages / sizeof languages[0]; i++) {
        char *text = NULL;
        size_t size;
        FILE *out = open_memstream(&text, &size);

        assert_true(language_set(languages[i]));
        cli_print_help(out, verbs_table, NULL);
        cli_print_help(out, verbs_table, "pfx");
        for (const struct cli_verb *verb = verbs_table; verb->name; verb++) {
            cli_print_verb_help(out, verb);
        }
        for (const struct cli_topic *topic = cli_topics; topic->name; topic++) {
            topic->print(out);
        }
        fclose(out);
        assert_true(size > 1000);
        assert_lines_fit(languages[i], text);
        free(text);
    }
}

static void help_has_every_verb_in_a_chapter(void **state)
{
    size_t chapters = 0;
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    (void)state;
    cli_print_help(out, verbs_table, NULL);
    fclose(out);
    assert_non_null(cli_chapter(verbs_table[0].name));
    for (const struct cli_verb *verb = verbs_table; verb->name; verb++) {
        char line[64];

        snprintf(line, sizeof line, "\n  %s ", verb->name);
        assert_contains(text, line);
        chapters += cli_chapter(verb->name) ? 1 : 0;
    }
    assert_int_equal(chapters, CLI_CHAPTERS);
    free(text);
}

/* A verb could hide a topic. */
static void help_topics_are_no_verbs(void **state)
{
    (void)state;
    for (const struct cli_topic *topic = cli_topics; topic->name; topic++) {
        assert_ptr_equal(cli_find_topic(topic->name), topic);
        for (const struct cli_verb *verb = verbs_table; verb->name; verb++) {
            const size_t first = strcspn(verb->name, " ");

            assert_false(strlen(topic->name) == first && strncmp(topic->name, verb->name, first) == 0);
        }
    }
    assert_null(cli_find_topic("nothing"));
}

static void assert_wrapped(const char *text, size_t columns, size_t indent, const char *expected)
{
    char *wrapped = NULL;
    size_t size;
    FILE *out = open_memstream(&wrapped, &size);

    wrap_print(out, text, columns, indent);
    fclose(out);
    assert_string_equal(wrapped, expected);
    free(wrapped);
}

static void wrap_breaks_between_words(void **state)
{
    (void)state;
    assert_wrapped("one two three four", 0, 3, "one two three four");
    assert_wrapped("one two three four", 9, 0, "one two\nthree\nfour");
    assert_wrapped("one two three four", 11, 2, "one two\n  three\n  four");
    assert_wrapped("1. one two\n2. six\n", 10, 3, "1. one\n   two\n2. six\n");
    assert_wrapped("\n\nx", 10, 0, "\n\nx");
    assert_wrapped("", 10, 0, "");
    assert_wrapped("憑證使用條款", 8, 0, "憑證使用\n條款");
    assert_wrapped("ab PIN 碼", 7, 0, "ab PIN\n碼");
    assert_wrapped("a", 3, 7, "a");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(help_fits),
        cmocka_unit_test(help_has_every_verb_in_a_chapter),
        cmocka_unit_test(help_topics_are_no_verbs),
        cmocka_unit_test(wrap_breaks_between_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
