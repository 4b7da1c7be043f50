#include "enroll/cli.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "common/i18n.h"
#include "enroll/cli_help.h"

const struct cli_option cli_options[CLI_OPTION_COUNT] = {
    [CLI_ACCOUNT] = {"--account", N_("ACCOUNT"), N_("the account on the password sheet"),
                     offsetof(struct app_options, account)},
    [CLI_NAME] = {"--name", N_("NAME"), N_("the name of the pair of keys on the token"),
                  offsetof(struct app_options, name)},
    [CLI_ACCEPT_TERMS] = {"--accept-terms", N_("VERSION|SHA256"),
                          N_("accept the terms if they are these; others are refused"),
                          offsetof(struct app_options, accept_terms)},
    [CLI_KEY] = {"--key", N_("LABEL|id:HEX"), N_("the private key that is meant; otherwise all of them"),
                 offsetof(struct app_options, key)},
    [CLI_APP] = {"--app", N_("PATH"), N_("the program that is meant"),
                 offsetof(struct app_options, program)},
    [CLI_YES] = {"--yes", NULL, N_("what is shown is right: do not ask"),
                 offsetof(struct app_options, yes)},
    [CLI_LAST_TRY] = {"--last-try", NULL,
                      N_("spend the last password try before the portal locks the account"),
                      offsetof(struct app_options, last_try)},
    [CLI_START_OVER] = {"--start-over", NULL,
                        N_("forget what was begun and cannot be completed, and delete its keys"),
                        offsetof(struct app_options, start_over)},
    [CLI_JSON] = {"--json", NULL, N_("print JSON, for programs"), offsetof(struct app_options, json)},
    [CLI_LAST] = {"--last", N_("N"), N_("only the last N lines"), offsetof(struct app_options, last)},
    [CLI_LANGUAGE] = {"--lang", N_("LANGUAGE"), N_("the language of messages: en or zh-TW"),
                      offsetof(struct app_options, language)},
    [CLI_CERTIFICATE] = {"--certificate", N_("WHICH"),
                         N_("all, signing, encryption, or the first digits of a serial number; several with commas"),
                         offsetof(struct app_options, certificate)},
    [CLI_IF_DUE] = {"--if-due", NULL, N_("do nothing, and end with 0, until the last month has come"),
                    offsetof(struct app_options, if_due)},
    [CLI_OUTPUT] = {"--output", N_("NAME"), N_("write NAME.pdf and NAME.txt, which must not exist yet"),
                    offsetof(struct app_options, output)},
    [CLI_REASON] = {"--reason", N_("REASON"),
                    N_("tick keyCompromise, affiliationChanged, superseded, cessationOfOperation or unspecified"),
                    offsetof(struct app_options, reason)},
    [CLI_PASSWORD_FILE] = {"--password-file", N_("FILE"),
                           N_("read the password that is asked for from FILE, which must be yours alone (mode 0600)"),
                           offsetof(struct app_options, password_file)},
    [CLI_NEW_PASSWORD_FILE] = {"--new-password-file", N_("FILE"), N_("read the new password from FILE, which must be yours alone (mode 0600)"),
                               offsetof(struct app_options, new_password_file)},
    [CLI_SIGNING] = {"--signing", N_("FILE"), N_("the PFX file of the signing key"),
                     offsetof(struct app_options, signing)},
    [CLI_ENCRYPTION] = {"--encryption", N_("FILE"), N_("the PFX file of the encryption key"),
                        offsetof(struct app_options, encryption)},
    [CLI_FILE] = {"--file", N_("FILE"), N_("the PFX file that is meant, or a ledger other than the configured one"), offsetof(struct app_options, file)},
    [CLI_FOLDER] = {"--folder", N_("FOLDER"), N_("the folder of the backup"), offsetof(struct app_options, folder)},
    [CLI_LABEL] = {"--label", N_("LABEL"), N_("the name of the new token"), offsetof(struct app_options, label)},
    [CLI_EXPORTABLE] = {"--exportable", NULL,
                        N_("make keys that can be exported to PFX files; others can never leave the token"),
                        offsetof(struct app_options, exportable)},
    [CLI_LEGACY] = {"--legacy", NULL,
                    N_("triple DES and SHA-1, for Windows before 10 and macOS before 10.15; weaker"),
                    offsetof(struct app_options, legacy)},
    [CLI_ALLOW_EXPIRED] = {"--allow-expired", NULL,
                           N_("import certificates that have expired, to read old mail with their key"),
                           offsetof(struct app_options, allow_expired)},
};

/* The verb that argv begins with, and how many words it is; NULL when there is none. */
static const struct cli_verb *cli_find_verb(const struct cli_verb *verbs, int argc, char *const argv[], int *words)
{
    for (const struct cli_verb *v = verbs; v->name; v++) {
        const size_t first = strcspn(v->name, " ");

        if (strlen(argv[1]) != first || strncmp(v->name, argv[1], first) != 0) {
            continue;
        }
        if (v->name[first] == '\0' || (argc > 2 && strcmp(v->name + first + 1, argv[2]) == 0)) {
            *words = v->name[first] == '\0' ? 1 : 2;
            return v;
        }
    }
    return NULL;
}

bool cli_in_group(const struct cli_verb *verb, const char *group)
{
    const size_t len = strlen(group);

    return strncmp(verb->name, group, len) == 0 && verb->name[len] == ' ';
}

static bool cli_is_group(const struct cli_verb *verbs, const char *word)
{
    while (verbs->name && !cli_in_group(verbs, word)) {
        verbs++;
    }
    return verbs->name != NULL;
}

static bool cli_asks_for_help(const char *arg)
{
    return strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0;
}

bool cli_takes(const struct cli_verb *verb, size_t option)
{
    return ((verb->options | CLI_EVERY_VERB) & CLI_TAKES(option)) != 0;
}

/* The verb's option that arg names ("--name" or "--name=value"), and the value behind '=' if there is one. */
static const struct cli_option *cli_find_option(const struct cli_verb *verb, const char *arg,
                                                const char **value)
{
    size_t len = strcspn(arg, "=");

    for (size_t i = 0; i < CLI_OPTION_COUNT; i++) {
        if (cli_takes(verb, i) && strlen(cli_options[i].name) == len &&
            strncmp(cli_options[i].name, arg, len) == 0) {
            *value = arg[len] == '=' ? arg + len + 1 : NULL;
            return &cli_options[i];
        }
    }
    return NULL;
}

/* Stores one option; *index moves over its value when that is the next argument. */
static enum error_code cli_take_option(const struct cli_verb *verb, int argc, char *const argv[], int *index,
                                       struct app_options *options, struct error *err)
{
    const char *value = NULL;
    const struct cli_option *option = cli_find_option(verb, argv[*index], &value);
    char *place;

    if (!option) {
        return error_set(err, ERROR_USAGE, _("pinward %s does not take %s: see pinward %s --help."),
                         verb->name, argv[*index], verb->name);
    }
    place = (char *)options + option->offset;
    if (!option->value) {
        if (value) {
            return error_set(err, ERROR_USAGE, _("%s takes no value."), option->name);
        }
        *(bool *)(void *)place = true;
        return ERROR_NONE;
    }
    if (!value && *index + 1 < argc) {
        value = argv[++*index];
    }
    if (!value || value[0] == '\0') {
        return error_set(err, ERROR_USAGE, _("%s needs a value: %s %s."), option->name, option->name,
                         _(option->value));
    }
    *(const char **)(void *)place = value;
    return ERROR_NONE;
}

/* The words name no verb: only "pinward GROUP --help" is understood. */
static enum error_code cli_without_verb(int argc, char *const argv[], const struct cli_verb *verbs,
                                        struct cli_command *command, struct error *err)
{
    if (!cli_is_group(verbs, argv[1])) {
        return error_set(err, ERROR_USAGE, _("There is no verb \"%s\": pinward --help lists the verbs."),
                         argv[1]);
    }
    if (argc == 3 && cli_asks_for_help(argv[2])) {
        *command = (struct cli_command){.action = CLI_HELP, .group = argv[1]};
        return ERROR_NONE;
    }
    return error_set(err, ERROR_USAGE, _("Say what pinward %s is to do: pinward %s --help lists it."), argv[1],
                     argv[1]);
}

/* "pinward help", alone or with a verb, a group or a topic behind it. */
static enum error_code cli_parse_help(int argc, char *const argv[], const struct cli_verb *verbs,
                                      struct cli_command *command, struct error *err)
{
    struct cli_command parsed = {.action = CLI_HELP};
    int words = 0;

    if (argc > 2) {
        parsed.verb = cli_find_verb(verbs, argc - 1, argv + 1, &words);
        parsed.topic = parsed.verb ? NULL : cli_find_topic(argv[2]);
    }
    if (parsed.verb || parsed.topic) {
        parsed.action = parsed.verb ? CLI_VERB_HELP : CLI_TOPIC;
    } else if (argc > 2 && cli_is_group(verbs, argv[2])) {
        parsed.group = argv[2];
    } else if (argc > 2) {
        return error_set(err, ERROR_USAGE, _("There is no help about \"%s\": pinward --help lists what there is."),
                         argv[2]);
    }
    *command = parsed;
    return ERROR_NONE;
}

/* --lang may stand before the verb too: words that it takes there. main has seen to its value. */
static int cli_leading_words(int argc, char *const argv[])
{
    int words = 0;

    while (words + 1 < argc && strncmp(argv[words + 1], "--lang", 6) == 0) {
        const char *rest = argv[words + 1] + 6;

        if (rest[0] != '=' && (rest[0] != '\0' || words + 2 >= argc)) {
            break;
        }
        words += rest[0] == '=' ? 1 : 2;
    }
    return words;
}

enum error_code cli_parse(int argc, char *const argv[], const struct cli_verb *verbs,
                          struct cli_command *command, struct error *err)
{
    struct cli_command parsed = {.action = CLI_RUN};
    int words = cli_leading_words(argc, argv);

    argc -= words;
    argv += words;
    if (argc < 2) {
        return error_set(err, ERROR_USAGE, _("Say what to do: pinward --help lists the verbs."));
    }
    if (strcmp(argv[1], "--version") == 0 || cli_asks_for_help(argv[1])) {
        parsed.action = strcmp(argv[1], "--version") == 0 ? CLI_VERSION : CLI_HELP;
        *command = parsed;
        return ERROR_NONE;
    }
    if (strcmp(argv[1], "help") == 0) {
        return cli_parse_help(argc, argv, verbs, command, err);
    }
    parsed.verb = cli_find_verb(verbs, argc, argv, &words);
    if (!parsed.verb) {
        return cli_without_verb(argc, argv, verbs, command, err);
    }
    for (int i = 1 + words; i < argc; i++) {
        enum error_code status;

        if (cli_asks_for_help(argv[i])) {
            parsed.action = CLI_VERB_HELP;
            continue;
        }
        status = cli_take_option(parsed.verb, argc, argv, &i, &parsed.options, err);
        if (status != ERROR_NONE) {
            return status;
        }
    }
    *command = parsed;
    return ERROR_NONE;
}
