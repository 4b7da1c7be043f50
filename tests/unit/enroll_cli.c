/* cli, codec, text, problem: the small rooms that read what others have written. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "enroll/cli.h"
#include "enroll/cli_help.h"
#include "enroll/cli_words.h"
#include "enroll/codec.h"
#include "enroll/form_content.h"
#include "enroll/language.h"
#include "enroll/problem.h"
#include "enroll/text.h"
#include "tests/support/test.h"

static enum error_code run_nothing(struct app *app, struct error *err)
{
    (void)app;
    (void)err;
    return ERROR_NONE;
}

static const struct cli_verb verbs[] = {
    {"apply", "apply", "help", CLI_TAKES(CLI_NAME) | CLI_TAKES(CLI_YES), true, run_nothing},
    {"logout", "logout", "help", 0, true, run_nothing},
    {"book open", "open the book", "help", CLI_TAKES(CLI_JSON), false, run_nothing},
    {"book close", "close the book", "help", 0, false, run_nothing},
    {0},
};

/* Parses words (ended by NULL) behind the program's name. */
static enum error_code parse(const char *const *words, struct cli_command *command, struct error *err)
{
    char *argv[16] = {(char *)"pinward"};
    int argc = 1;

    while (*words) {
        argv[argc++] = (char *)(uintptr_t)*words++;
    }
    return cli_parse(argc, argv, verbs, command, err);
}

static void cli_understands(void **state)
{
    struct cli_command command = {0};

    (void)state;
    assert_int_equal(parse((const char *[]){"apply", "--name", "me", "--yes", NULL}, &command, NULL),
                     ERROR_NONE);
    assert_int_equal(command.action, CLI_RUN);
    assert_string_equal(command.verb->name, "apply");
    assert_string_equal(command.options.name, "me");
    assert_true(command.options.yes);
    assert_int_equal(parse((const char *[]){"apply", "--name=--yes", NULL}, &command, NULL), ERROR_NONE);
    assert_string_equal(command.options.name, "--yes");
    assert_false(command.options.yes);
    assert_int_equal(parse((const char *[]){"apply", "--help", NULL}, &command, NULL), ERROR_NONE);
    assert_int_equal(command.action, CLI_VERB_HELP);
    assert_int_equal(parse((const char *[]){"--help", NULL}, &command, NULL), ERROR_NONE);
    assert_int_equal(command.action, CLI_HELP);
    assert_int_equal(parse((const char *[]){"--version", NULL}, &command, NULL), ERROR_NONE);
    assert_int_equal(command.action, CLI_VERSION);
}

/* The language is of the whole tool: it may be said first. */
static void cli_understands_a_language_before_the_verb(void **state)
{
    struct cli_command command = {0};

    (void)state;
    assert_int_equal(parse((const char *[]){"--lang", "zh-TW", "book", "open", NULL}, &command, NULL), ERROR_NONE);
    assert_string_equal(command.verb->name, "book open");
    assert_int_equal(parse((const char *[]){"--lang=en", "apply", "--name", "me", NULL}, &command, NULL), ERROR_NONE);
    assert_string_equal(command.options.name, "me");
    assert_int_equal(parse((const char *[]){"--lang", "en", "--help", NULL}, &command, NULL), ERROR_NONE);
    assert_int_equal(command.action, CLI_HELP);
    assert_int_equal(parse((const char *[]){"--lang", "en", NULL}, &command, NULL), ERROR_USAGE);
    assert_int_equal(parse((const char *[]){"--language", "en", "apply", NULL}, &command, NULL), ERROR_USAGE);
    assert_int_equal(parse((const char *[]){"--lang", NULL}, &command, NULL), ERROR_USAGE);
}

/* A verb of two words: the first alone is no verb, but can be asked about. */
static void cli_understands_groups(void **state)
{
    struct cli_command command = {0};
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    (void)state;
    assert_int_equal(parse((const char *[]){"book", "open", "--json", NULL}, &command, NULL), ERROR_NONE);
    assert_int_equal(command.action, CLI_RUN);
    assert_string_equal(command.verb->name, "book open");
    assert_true(command.options.json);
    assert_false(command.verb->portal);
    assert_int_equal(parse((const char *[]){"book", "close", "-h", NULL}, &command, NULL), ERROR_NONE);
    assert_int_equal(command.action, CLI_VERB_HELP);
    assert_int_equal(parse((const char *[]){"book", "--help", NULL}, &command, NULL), ERROR_NONE);
    assert_int_equal(command.action, CLI_HELP);
    assert_string_equal(command.group, "book");
    cli_print_help(out, verbs, command.group);
    fclose(out);
    assert_contains(text, "book open");
    assert_contains(text, "book close");
    assert_not_contains(text, "logout");
    free(text);
}

/* "help" is "--help" from the other end, and has topics. */
static void cli_understands_help(void **state)
{
    struct cli_command command = {0};

    (void)state;
    assert_int_equal(parse((const char *[]){"help", NULL}, &command, NULL), ERROR_NONE);
    assert_int_equal(command.action, CLI_HELP);
    assert_null(command.group);
    assert_int_equal(parse((const char *[]){"help", "apply", NULL}, &command, NULL), ERROR_NONE);
    assert_int_equal(command.action, CLI_VERB_HELP);
    assert_string_equal(command.verb->name, "apply");
    assert_int_equal(parse((const char *[]){"help", "book", "close", NULL}, &command, NULL), ERROR_NONE);
    assert_int_equal(command.action, CLI_VERB_HELP);
    assert_string_equal(command.verb->name, "book close");
    assert_int_equal(parse((const char *[]){"help", "book", NULL}, &command, NULL), ERROR_NONE);
    assert_int_equal(command.action, CLI_HELP);
    assert_string_equal(command.group, "book");
    assert_int_equal(parse((const char *[]){"help", "signing", NULL}, &command, NULL), ERROR_NONE);
    assert_int_equal(command.action, CLI_TOPIC);
    assert_string_equal(command.topic->name, "signing");
}

static void cli_refuses(void **state)
{
    static const char *const lines[][4] = {
        {NULL},
        {"fly", NULL},
        {"apply", "--account", "a", NULL},
        {"apply", "--name", NULL},
        {"apply", "--name=", NULL},
        {"apply", "--yes=1", NULL},
        {"apply", "me", NULL},
        {"logout", "--yes", NULL},
        {"apply", "--nam", "me", NULL},
        {"apply", "--names", "me", NULL},
        {"book", NULL},
        {"book", "--json", NULL},
        {"book", "ope", NULL},
        {"book", "opener", NULL},
        {"book open", NULL},
        {"boo", "open", NULL},
        {"book", "close", "--yes", NULL},
        {"book", "close", "open", NULL},
        {"help", "fly", NULL},
        {"help", "--yes", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct cli_command command = {.action = CLI_VERSION};
        struct error err = {0};

        assert_int_equal(parse(lines[i], &command, &err), ERROR_USAGE);
        assert_true(err.text[0] != '\0');
        assert_int_equal(command.action, CLI_VERSION);
    }
}

/* What a shell offers, the tool takes. */
static void cli_takes_the_words(void **state)
{
    const char *const *word;
    int words = 0;

    (void)state;
    for (word = cli_words(CLI_REASON); *word; word++, words++) {
        assert_int_equal(form_content_check_reason(&form_plan_revoke, *word, NULL), ERROR_NONE);
        assert_contains(cli_options[CLI_REASON].help, *word);
    }
    for (word = cli_words(CLI_LANGUAGE); *word; word++, words++) {
        assert_true(language_set(*word));
    }
    assert_true(language_set("en")); /* for the tests that follow */
    for (word = cli_words(CLI_CERTIFICATE); *word; word++, words++) {
        assert_contains(cli_options[CLI_CERTIFICATE].help, *word);
    }
    assert_int_equal(words, 10);
    assert_null(cli_words(CLI_NAME));
    assert_null(cli_words(CLI_OPTION_COUNT));
}

static void codec_goes_there_and_back(void **state)
{
    struct bytes bytes = {0};
    unsigned char all[256];
    char uuid[CODEC_UUID_SIZE];
    char text[CODEC_TIME_SIZE];
    time_t when = 0;

    (void)state;
    for (size_t i = 0; i < sizeof all; i++) {
        all[i] = (unsigned char)i;
    }
    for (size_t len = 0; len < 6; len++) {
        char *base64 = codec_base64_encode(all, len);
        char *hex = codec_hex_encode(all, len);

        assert_true(codec_base64_decode(base64, &bytes) && bytes.len == len &&
                    memcmp(bytes.data, all, len) == 0);
        assert_true(codec_hex_decode(hex, &bytes) && bytes.len == len && memcmp(bytes.data, all, len) == 0);
        free(base64);
        free(hex);
    }
    bytes_clear(&bytes);
    assert_true(codec_uuid_new(uuid) && codec_uuid_valid(uuid) && uuid[14] == '4');
    assert_true(codec_time_parse("2028-02-29T23:59:59Z", &when));
    codec_time_format(when, text);
    assert_string_equal(text, "2028-02-29T23:59:59Z");
}

static void codec_refuses(void **state)
{
    static const char *const base64[] = {"A", "AA", "AAA", "AA==\n", "A A=", "AB==", "AA=A", "====", "AA-_"};
    static const char *const hex[] = {"0", "0G", "AB", "0x00", "00 "};
    static const char *const times[] = {"2026-11-22",
                                        "2026-11-22T14:00:00",
                                        "2026-11-22T14:00:00+00:00",
                                        "2026-02-30T00:00:00Z",
                                        "2026-11-22T24:00:01Z",
                                        "2026-11-22t14:00:00Z",
                                        "2026-11-22T14:00:00Zx",
                                        "-026-11-22T14:00:00Z",
                                        ""};
    struct bytes bytes = {0};
    time_t when = 0;

    (void)state;
    for (size_t i = 0; i < sizeof base64 / sizeof base64[0]; i++) {
        if (codec_base64_decode(base64[i], &bytes)) {
            fail_msg("%s", base64[i]);
        }
    }
    for (size_t i = 0; i < sizeof hex / sizeof hex[0]; i++) {
        assert_false(codec_hex_decode(hex[i], &bytes));
    }
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        assert_false(codec_time_parse(times[i], &when));
    }
    assert_null(bytes.data);
    assert_false(codec_uuid_valid(""));
    assert_false(codec_uuid_valid("5AAB10EC-97cf-4f21-b3d1-b67800576f73"));
    assert_false(codec_uuid_valid("5aab10ec-97cf-4f21-b3d1-b67800576f73x"));
    assert_false(codec_uuid_valid("../../../97cf-4f21-b3d1-b67800576f73"));
}

static void text_cannot_drive_a_terminal(void **state)
{
    static const struct {
        const char *text;
        const char *clean;
    } rows[] = {
        {"王小明, Ltd.", "王小明, Ltd."},
        {"a\x1b[2Jb", "a?[2Jb"},
        {"a\nb\tc", "a?b?c"},
        {"\xc2\x9b"
         "31m",
         "?31m"},
        {"\xe2\x80\xae"
         "evil",
         "?evil"},
        {"\xff\xfe", "??"},
        {"\xc0\xaf", "??"},
        {"\xed\xa0\x80", "???"},
        {"\xe7\x8e", "??"},
        {"\x7f", "?"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *clean = text_clean(rows[i].text, false);

        assert_string_equal(clean, rows[i].clean);
        free(clean);
    }
    {
        char *clean = text_clean("a\nb\tc\r", true);

        assert_string_equal(clean, "a\nb\tc?");
        free(clean);
    }
}

static struct problem parse_problem(int status, const char *type, const char *json)
{
    struct bytes body = {0};
    struct problem problem;

    assert_true(bytes_set(&body, json, strlen(json)));
    problem_parse(status, type, &body, &problem);
    bytes_clear(&body);
    return problem;
}

/* What is too long is cut between characters: half a one would be all that a terminal shows of it. */
static void problems_are_cut_between_characters(void **state)
{
    char json[1200] = "{\"type\":\"urn:pinward:problem:password-too-weak\",\"detail\":\"";
    struct problem problem;

    (void)state;
    for (size_t i = 0; i < 300; i++)
        strcat(json, "\xe7\x8e\x8b");
    strcat(json, "\"}");
    problem = parse_problem(422, "application/problem+json", json);
    assert_int_equal(strlen(problem.detail), (sizeof problem.detail - 1) / 3 * 3);
}

static void problems_become_errors(void **state)
{
    struct error err = {0};
    struct problem problem;

    (void)state;
    problem =
        parse_problem(401, "application/problem+json",
                      "{\"type\":\"urn:pinward:problem:login-failed\",\"tries_left\":1,\"detail\":\"no\"}");
    assert_true(problem_is(&problem, "login-failed"));
    assert_int_equal(problem.tries_left, 1);
    assert_int_equal(problem_error(&problem, &err), ERROR_LOGIN);
    problem = parse_problem(422, "application/problem+json",
                            "{\"type\":\"urn:pinward:problem:password-too-weak\",\"detail\":\"Too weak.\","
                            "\"reasons\":[\"short\",\"\\u001b[1mcommon\",3]}");
    assert_int_equal(problem_error(&problem, &err), ERROR_REFUSED);
    assert_contains(err.text, "password: short ?[1mcommon ");
    problem = parse_problem(422, "application/problem+json",
                            "{\"type\":\"urn:pinward:problem:password-too-weak\",\"detail\":\"\","
                            "\"reasons\":[\"\u4e00\u3002\",\"\u4e8c\u3002\"]}");
    problem_error(&problem, &err);
    assert_contains(err.text, "\xe4\xb8\x80\xe3\x80\x82\xe4\xba\x8c\xe3\x80\x82");
    problem = parse_problem(
        409, "application/problem+json",
        "{\"type\":\"urn:pinward:problem:renewal-too-early\",\"opens_at\":\"2027-01-01T00:00:00Z\"}");
    assert_int_equal(problem_error(&problem, &err), ERROR_STATE);
    assert_contains(err.text, "2027-01-01T00:00:00Z");
    problem = parse_problem(502, "text/html", "<html>");
    assert_int_equal(problem_error(&problem, &err), ERROR_NETWORK);
    problem = parse_problem(400, "application/problem+json", "[[[[");
    assert_int_equal(problem_error(&problem, &err), ERROR_REFUSED);
    assert_int_equal(problem.tries_left, -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cli_understands),
        cmocka_unit_test(cli_understands_groups),
        cmocka_unit_test(cli_understands_a_language_before_the_verb),
        cmocka_unit_test(cli_understands_help),
        cmocka_unit_test(cli_refuses),
        cmocka_unit_test(cli_takes_the_words),
        cmocka_unit_test(codec_goes_there_and_back),
        cmocka_unit_test(codec_refuses),
        cmocka_unit_test(text_cannot_drive_a_terminal),
        cmocka_unit_test(problems_are_cut_between_characters),
        cmocka_unit_test(problems_become_errors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
