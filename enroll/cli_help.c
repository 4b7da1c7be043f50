#include "enroll/cli_help.h"

#include <string.h>

#include "common/i18n.h"
#include "enroll/text.h"
#include "enroll/wrap.h"

#define CLI_VERB_COLUMNS   22
#define CLI_OPTION_COLUMNS 31

/* Which verbs begin a chapter of the list, and what it is called. */
static const char *const cli_chapters[CLI_CHAPTERS][2] = {
    {"doctor", N_("To begin with")},
    {"login", N_("Your account at the portal")},
    {"apply", N_("Certificates")},
    {"form revoke", N_("Forms for the registration authority")},
    {"pfx export", N_("Keys in files")},
    {"token list", N_("Token and PIN")},
    {"policy explain", N_("What was and will be asked")},
    {"agent status", N_("The module in processes of its own")},
};

const char *cli_chapter(const char *verb)
{
    for (size_t i = 0; i < CLI_CHAPTERS; i++) {
        if (strcmp(cli_chapters[i][0], verb) == 0) {
            return _(cli_chapters[i][1]);
        }
    }
    return NULL;
}

const struct cli_topic *cli_find_topic(const char *name)
{
    for (const struct cli_topic *topic = cli_topics; topic->name; topic++) {
        if (strcmp(topic->name, name) == 0) {
            return topic;
        }
    }
    return NULL;
}

/* As wide as out's terminal: help is for people, wherever it goes. */
static size_t cli_help_columns(FILE *out)
{
    const size_t columns = wrap_columns(out);

    return columns > 0 ? columns : WRAP_COLUMNS;
}

static void cli_print_row(FILE *out, const char *name, size_t width, const char *text)
{
    fputs("  ", out);
    text_print_cell(out, name, width);
    wrap_print(out, text, cli_help_columns(out), width + 2);
    fputc('\n', out);
}

static void cli_print_more(FILE *out)
{
    fprintf(out, "\n%s\n", _("More help"));
    cli_print_row(out, _("VERB --help"), CLI_VERB_COLUMNS, _("what a verb does, and its options"));
    for (const struct cli_topic *topic = cli_topics; topic->name; topic++) {
        char name[64];

        snprintf(name, sizeof name, "help %s", topic->name);
        cli_print_row(out, name, CLI_VERB_COLUMNS, _(topic->summary));
    }
    cli_print_row(out, "--version", CLI_VERB_COLUMNS, _("which version this is"));
}

void cli_print_help(FILE *out, const struct cli_verb *verbs, const char *group)
{
    if (group) {
        fprintf(out, _("Usage: pinward %s VERB [OPTION...]"), group);
        fputs("\n\n", out);
    } else {
        fprintf(out, "%s\n\n%s\n", _("pinward: certificates whose keys never leave your token"),
                _("Usage: pinward VERB [OPTION...]"));
    }
    for (const struct cli_verb *v = verbs; v->name; v++) {
        const char *chapter = cli_chapter(v->name);

        if (!group && chapter) {
            fprintf(out, "\n%s\n", chapter);
        }
        if (!group || cli_in_group(v, group)) {
            cli_print_row(out, v->name, CLI_VERB_COLUMNS, _(v->summary));
        }
    }
    if (group) {
        fputc('\n', out);
        fprintf(out, _("pinward %s VERB --help says more."), group);
        fputc('\n', out);
    } else {
        cli_print_more(out);
    }
}

void cli_print_verb_help(FILE *out, const struct cli_verb *verb)
{
    fprintf(out, _("Usage: pinward %s [OPTION...]"), verb->name);
    fputs("\n\n", out);
    wrap_print(out, _(verb->help), cli_help_columns(out), 0);
    fputs("\n\n", out);
    for (size_t i = 0; i < CLI_OPTION_COUNT; i++) {
        const struct cli_option *option = &cli_options[i];
        char name[96];

        if (cli_takes(verb, i)) {
            snprintf(name, sizeof name, "%s %s", option->name, option->value ? _(option->value) : "");
            cli_print_row(out, name, CLI_OPTION_COLUMNS, _(option->help));
        }
    }
}
