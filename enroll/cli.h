/*
 * cli: the command line as two tables, verbs and options; parsing, help, and nothing else; cli_help prints them.
 *
 * Owner: everything points into argv or the tables. Thread rule: one thread.
 */
#ifndef PINWARD_ENROLL_CLI_H
#define PINWARD_ENROLL_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "common/error.h"
#include "enroll/app.h"

enum cli_option_id {
    CLI_ACCOUNT,
    CLI_NAME,
    CLI_ACCEPT_TERMS,
    CLI_KEY,
    CLI_APP,
    CLI_YES,
    CLI_LAST_TRY,
    CLI_START_OVER,
    CLI_LAST,
    CLI_CERTIFICATE,
    CLI_OUTPUT,
    CLI_IF_DUE,
    CLI_REASON,
    CLI_PASSWORD_FILE,
    CLI_NEW_PASSWORD_FILE,
    CLI_SIGNING,
    CLI_ENCRYPTION,
    CLI_FILE,
    CLI_FOLDER,
    CLI_LABEL,
    CLI_EXPORTABLE,
    CLI_LEGACY,
    CLI_ALLOW_EXPIRED,
    /* what every verb takes stands last in its help */
    CLI_JSON,
    CLI_LANGUAGE,
    CLI_OPTION_COUNT,
};

#define CLI_TAKES(option) (1u << (option))

/* What every verb takes besides its own. */
#define CLI_EVERY_VERB (CLI_TAKES(CLI_JSON) | CLI_TAKES(CLI_LANGUAGE))

struct cli_topic; /* cli_help.h */

struct cli_verb {
    const char *name;    /* one word, or two with a blank between: a group and what it does ("log show") */
    const char *summary; /* one line */
    const char *help;    /* the paragraph that --help shows */
    unsigned options;    /* CLI_TAKES() of each option it takes besides CLI_EVERY_VERB */
    bool portal;         /* it needs the portal: address and CA must be configured */
    enum error_code (*run)(struct app *app, struct error *err);
};

struct cli_option {
    const char *name;
    const char *value; /* what its value is called; NULL: a switch */
    const char *help;
    size_t offset; /* of the const char * or bool in struct app_options */
};

extern const struct cli_option cli_options[CLI_OPTION_COUNT];

enum cli_action {
    CLI_RUN,       /* run verb with options */
    CLI_HELP,      /* the list of verbs: of group, or all when it is NULL */
    CLI_VERB_HELP, /* the help of verb */
    CLI_TOPIC,     /* the help about topic */
    CLI_VERSION,
};

struct cli_command {
    enum cli_action action;
    const struct cli_verb *verb;
    const char *group;
    const struct cli_topic *topic;
    struct app_options options;
};

/* Understands argv against the table of verbs (ended by a row without a name). ERROR_USAGE: err says what is
 * wrong. *command is untouched on failure. */
enum error_code cli_parse(int argc, char *const argv[], const struct cli_verb *verbs,
                          struct cli_command *command, struct error *err);

/* Does the verb take the option? */
bool cli_takes(const struct cli_verb *verb, size_t option);

/* Is the verb's name the word group and another one? */
bool cli_in_group(const struct cli_verb *verb, const char *group);

#endif
