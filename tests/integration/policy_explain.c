/* pinward policy explain: it says what the module does, for a table of cases, and why. */
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/fixture.h"
#include "support/keys.h"
#include "support/observe.h"
#include "support/pinentry_script.h"
#include "support/test.h"

#define RIGHT "pin " FIXTURE_PIN "\n"

static struct fixture fx;

static int stop(void **state)
{
    (void)state;
    fixture_stop(&fx);
    return 0;
}

/* The lines, and the module for the tool, filled in; on the heap. */
static char *lines_with_module(const char *lines)
{
    char *filled = observe_fill_in(lines);
    char *all;

    assert_true(asprintf(&all, "%s[token]\nlabel = " FIXTURE_TOKEN "\nmodule = %s\n", filled, fixture_module_path()) > 0);
    free(filled);
    return all;
}

static void configure(const char *lines)
{
    char *all = lines_with_module(lines);

    fixture_configure(&fx, all);
    free(all);
}

/* Runs "pinward policy explain" with these arguments (ended by NULL; {self} and the like are filled in); everything
 * that it prints comes back on the heap. */
static char *explain(const char *const *arguments, int expected_exit)
{
    char *argv[12] = {(char *)"pinward", (char *)"policy", (char *)"explain"};
    char *output = NULL;
    size_t size = 0;
    int fds[2], status, argc = 3;
    FILE *out;
    pid_t pid;

    for (; *arguments; arguments++)
        argv[argc++] = observe_fill_in(*arguments);
    script_set(&fx, RIGHT);
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    pid = fork();
    if (pid == 0) {
        dup2(fds[1], STDOUT_FILENO);
        dup2(fds[1], STDERR_FILENO);
        execv(TEST_TOOL, argv);
        _exit(127);
    }
    close(fds[1]);
    out = fdopen(fds[0], "r");
    if (getdelim(&output, &size, '\0', out) < 0)
        output = strdup("");
    fclose(out);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    while (argc > 3)
        free(argv[--argc]);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != expected_exit)
        fail_msg("exit %x, expected %d:\n%s", (unsigned)status, expected_exit, output);
    return output;
}

static json_t *explain_json(const char *label, const char *program)
{
    char *output = explain((const char *[]){"--key", label, "--json", program ? "--app" : NULL, program, NULL}, 0);
    json_t *json = json_loads(output, 0, NULL);

    if (!json)
        fail_msg("not JSON:\n%s", output);
    free(output);
    return json;
}

/* The one key's member. */
static const char *key_member(json_t *json, const char *name)
{
    json_t *keys = json_object_get(json, "keys");

    assert_int_equal(json_array_size(keys), 1);
    return json_string_value(json_object_get(json_array_get(keys, 0), name));
}

/* ------------------------------------------------------------------ agreement */

static void explanation_is_what_the_module_does(void **state)
{
    static const struct {
        const char *lines;
        const char *label;
        const char *level;
        const char *decided_by;
        const char *section; /* of the deciding rule */
        int others;
    } rows[] = {
        {"", KEY_PLAIN_RSA, "high", "module", NULL, 0},
        {"level = low\n", KEY_PLAIN_RSA, "low", "module", NULL, 0},
        {"level = medium\n", KEY_PLAIN_RSA, "medium", "module", NULL, 0},
        {"level = low\n", KEY_HIGH_RSA, "high", "key", NULL, 0},
        {"[key \"high rsa\"]\nlevel = low\n", KEY_HIGH_RSA, "high", "key", NULL, 1},
        {"[key \"plain rsa\"]\nlevel = medium\n", KEY_PLAIN_RSA, "medium", "rule", "key \"plain rsa\"", 0},
        {"[key \"id:706c61696e20727361\"]\nlevel = low\n", KEY_PLAIN_RSA, "low", "rule",
         "key \"id:706c61696e20727361\"", 0},
        {"[key \"other\"]\nlevel = low\n", KEY_PLAIN_RSA, "high", "module", NULL, 0},
        {"[app \"{self}\"]\nlevel = low\n", KEY_PLAIN_RSA, "low", "rule", "app \"{self}\"", 0},
        {"[app \"/usr/bin/env\"]\nlevel = low\n", KEY_PLAIN_RSA, "high", "module", NULL, 0},
        {"level = low\n[token \"{token}\"]\nlevel = medium\n", KEY_PLAIN_RSA, "medium", "rule",
         "token \"{token}\"", 0},
        {"[token \"serial:{serial}\"]\nlevel = low\n", KEY_PLAIN_RSA, "low", "rule", "token \"serial:{serial}\"",
         0},
        {"[token \"{token}\"]\nlevel = high\n[key \"plain rsa\"]\nlevel = low\n", KEY_PLAIN_RSA, "low", "rule",
         "key \"plain rsa\"", 1},
        {"[key \"plain rsa\"]\nlevel = low\n[app \"{self}\"]\nlevel = medium\n[token \"{token}\"]\nlevel = high\n",
         KEY_PLAIN_RSA, "medium", "rule", "app \"{self}\"", 2},
        {"level = low\n[key \"plain rsa\"]\nlevel = low\n[app \"{self}\"]\nlevel = low\n", KEY_PLAIN_RSA, "low",
         "rule", "key \"plain rsa\"", 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *lines = lines_with_module(rows[i].lines);
        json_t *json, *key, *rule;

        fixture_start_logged_in(&fx, lines);
        assert_string_equal(observe_level(&fx, fx.session, rows[i].label), rows[i].level);
        fixture_stop(&fx);
        free(lines);
        json = explain_json(rows[i].label, "{self}");
        key = json_array_get(json_object_get(json, "keys"), 0);
        rule = json_object_get(key, "rule");
        assert_string_equal(key_member(json, "level"), rows[i].level);
        assert_string_equal(key_member(json, "label"), rows[i].label);
        assert_string_equal(key_member(json, "decided_by"), rows[i].decided_by);
        assert_int_equal(json_array_size(json_object_get(key, "others")), rows[i].others);
        if (rows[i].section) {
            char *section = observe_fill_in(rows[i].section);

            assert_string_equal(json_string_value(json_object_get(rule, "section")), section);
            free(section);
        } else {
            assert_true(json_is_null(rule));
        }
        json_decref(json);
    }
}

/* Another program than the one that asks. */
static void explains_other_programs(void **state)
{
    json_t *json;

    (void)state;
    configure("[app \"{self}\"]\nlevel = low\n[app \"/usr/bin/env\"]\nlevel = medium\n");
    json = explain_json(KEY_PLAIN_RSA, "/usr/bin/env");
    assert_string_equal(key_member(json, "level"), "medium");
    assert_string_equal(json_string_value(json_object_get(json, "program")), "/usr/bin/env");
    json_decref(json);
    json = explain_json(KEY_PLAIN_RSA, "/usr/bin/../bin/env");
    assert_string_equal(json_string_value(json_object_get(json, "program")), "/usr/bin/env");
    json_decref(json);
    json = explain_json(KEY_PLAIN_RSA, NULL);
    assert_string_equal(key_member(json, "level"), "high");
    assert_true(json_is_null(json_object_get(json, "program")));
    json_decref(json);
}

/* ------------------------------------------------------------------ words */

static void says_why_with_file_and_line(void **state)
{
    char expected[2048];
    char *output;

    (void)state;
    configure("level = medium\n[token \"{token}\"]\nlevel = high\n[key \"plain rsa\"]\nlevel = low\n"
              "[app \"/usr/bin/env\"]\nlevel = low\n[key \"id:706c61696e20727361\"]\nlevel = medium\n");
    output = explain((const char *[]){"--key", KEY_PLAIN_RSA, "--app", "/usr/bin/env", NULL}, 0);
    snprintf(expected, sizeof expected,
             "Program: /usr/bin/env\n"
             "Level: medium (a confirmation at every use)\n"
             "Decided by: [key \"id:706c61696e20727361\"] level = medium in %1$s/pinward.conf, line 15\n"
             "What else matches:\n"
             "  [token \"Test token\"] level = high in %1$s/pinward.conf, line 9: is less specific: it is about the "
             "whole token\n"
             "  [key \"plain rsa\"] level = low in %1$s/pinward.conf, line 11: is as specific, but less strict\n"
             "  [app \"/usr/bin/env\"] level = low in %1$s/pinward.conf, line 13: is as specific, but less strict\n"
             "  [module] level = medium in %1$s/pinward.conf, line 8: holds only where no rule matches\n",
             fx.folder);
    assert_contains(output, "Key: plain rsa, id 706c61696e20727361\nToken: Test token, serial number ");
    assert_contains(output, expected);
    free(output);
}

static void says_what_the_key_itself_demands(void **state)
{
    char *output;

    (void)state;
    configure("level = low\n[key \"high rsa\"]\nlevel = low\n");
    output = explain((const char *[]){"--key", KEY_HIGH_RSA, NULL}, 0);
    assert_contains(output, "Program: any that no rule names\nLevel: high (the PIN at every use)\nDecided by: the key "
                            "itself: the token asks for the PIN at every use (CKA_ALWAYS_AUTHENTICATE)\n");
    assert_contains(output, ": cannot change what the token itself demands\n");
    free(output);
}

static void every_key_without_a_name(void **state)
{
    char *output;

    (void)state;
    configure("");
    output = explain((const char *[]){NULL}, 0);
    assert_contains(output, "Key: high rsa, id ");
    assert_contains(output, "Key: plain rsa, id ");
    assert_contains(output, "Decided by: the default: no rule matches, and [module] says no level\n");
    free(output);
}

static void warns_of_rules_that_match_nothing(void **state)
{
    char path[FOLDER_PATH_MAX], lines[1024];
    char *output;

    (void)state;
    assert_int_equal(symlink("/usr/bin/env", folder_path(fx.folder, "link", path)), 0);
    snprintf(lines, sizeof lines, "[app \"%s\"]\nlevel = low\n[app \"/nonexistent/x\"]\nlevel = low\n", path);
    configure(lines);
    output = explain((const char *[]){"--key", KEY_PLAIN_RSA, NULL}, 0);
    assert_contains(output, "link\"], line 8, matches no program: the path leads to /usr/bin/env, which is what the rule "
                            "must name.");
    assert_contains(output,
                    "[app \"/nonexistent/x\"], line 10, matches no program: there is none at this path.");
    free(output);
}

static void wrong_arguments_are_named(void **state)
{
    static const struct {
        const char *option;
        const char *value;
        int exit_code;
        const char *says;
    } rows[] = {
        {"--key", "id:0g", 2, "\"id:0g\" is not a name for a section [key]; expected a key's id"},
        {"--key", "nobody", 15, "The token \"Test token\" has no private key of this label or id."},
        {"--key", "id:00", 15, "has no private key of this label or id."},
        {"--app", "/nonexistent/x", 2, "There is no program /nonexistent/x (No such file or directory)"},
        {"--app", "/usr/bin", 2, "/usr/bin is not a program"},
        {"--app", "{script}", 2, "is a script: give --app the program that its first line names"},
    };
    char script[FOLDER_PATH_MAX];

    (void)state;
    configure("");
    folder_write(fx.folder, "script", "#!/bin/sh\n");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *value = strcmp(rows[i].value, "{script}") == 0 ? folder_path(fx.folder, "script", script)
                                                                   : rows[i].value;
        char *output = explain((const char *[]){rows[i].option, value, NULL}, rows[i].exit_code);

        assert_contains(output, rows[i].says);
        free(output);
    }
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
        TEST(explanation_is_what_the_module_does), TEST(explains_other_programs),
        TEST(says_why_with_file_and_line),         TEST(says_what_the_key_itself_demands),
        TEST(every_key_without_a_name),            TEST(warns_of_rules_that_match_nothing),
        TEST(wrong_arguments_are_named),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
