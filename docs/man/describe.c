/*
 * pinward-describe FILE LANGUAGE: writes the tool's own tables as JSON: verbs, options, topics, exit
 * statuses, in a language that --lang knows. Runs while Pinward is built; make-pages and make-completions
 * work from that file, so that neither can say other things than --help.
 */
#include <stdio.h>

#include <jansson.h>

#include "common/error.h"
#include "common/i18n.h"
#include "enroll/cli.h"
#include "enroll/cli_help.h"
#include "enroll/cli_words.h"
#include "enroll/language.h"
#include "enroll/verbs.h"

static json_t *describe_options_of(const struct cli_verb *verb)
{
    json_t *names = json_array();

    for (size_t i = 0; i < CLI_OPTION_COUNT; i++) {
        if (cli_takes(verb, i)) {
            json_array_append_new(names, json_string(cli_options[i].name));
        }
    }
    return names;
}

static json_t *describe_verbs(void)
{
    json_t *rows = json_array();

    for (const struct cli_verb *v = verbs_table; v->name; v++) {
        json_array_append_new(rows,
                              json_pack("{s:s, s:s, s:s, s:s?, s:b, s:o}", "name", v->name, "summary",
                                        _(v->summary), "help", _(v->help), "chapter", cli_chapter(v->name),
                                        "portal", v->portal, "options", describe_options_of(v)));
    }
    return rows;
}

static json_t *describe_words(enum cli_option_id option)
{
    json_t *words = json_array();

    for (const char *const *word = cli_words(option); word && *word; word++) {
        json_array_append_new(words, json_string(*word));
    }
    return words;
}

static json_t *describe_options(void)
{
    json_t *rows = json_array();

    for (size_t i = 0; i < CLI_OPTION_COUNT; i++) {
        const struct cli_option *option = &cli_options[i];

        json_array_append_new(rows,
                              json_pack("{s:s, s:s?, s:s, s:o}", "name", option->name, "value",
                                        option->value ? _(option->value) : NULL, "help", _(option->help),
                                        "words", describe_words((enum cli_option_id)i)));
    }
    return rows;
}

static json_t *describe_topics(void)
{
    json_t *rows = json_array();

    for (const struct cli_topic *topic = cli_topics; topic->name; topic++) {
        json_array_append_new(rows,
                              json_pack("{s:s, s:s}", "name", topic->name, "summary", _(topic->summary)));
    }
    return rows;
}

static json_t *describe_exit_statuses(void)
{
    json_t *rows = json_array();

    for (int i = ERROR_NONE; i < ERROR_COUNT; i++) {
        const enum error_code code = (enum error_code)i;

        json_array_append_new(rows, json_pack("{s:s, s:i, s:s}", "name", error_name(code), "status",
                                              error_exit_code(code), "meaning", error_meaning(code)));
    }
    return rows;
}

static json_t *describe_all(void)
{
    return json_pack("{s:s, s:o, s:o, s:o, s:o}", "version", PINWARD_VERSION, "verbs", describe_verbs(),
                     "options", describe_options(), "topics", describe_topics(), "exit_statuses",
                     describe_exit_statuses());
}

int main(int argc, char *argv[])
{
    json_t *all;
    int failed;

    if (argc != 3 || !language_set(argv[2])) {
        fputs("usage: pinward-describe FILE LANGUAGE\n", stderr);
        return 1;
    }
    all = describe_all();
    failed = !all || json_dump_file(all, argv[1], JSON_INDENT(2)) != 0;
    if (failed) {
        fprintf(stderr, "pinward-describe: %s cannot be written\n", argv[1]);
    }
    json_decref(all);
    return failed;
}
