/*
 * cli_help: what --help prints, wrapped to the terminal: the verbs in chapters, one verb with its options, and topics that
 * lead through what no single verb says.
 *
 * Owner: nothing kept. Thread rule: one thread.
 */
#ifndef PINWARD_ENROLL_CLI_HELP_H
#define PINWARD_ENROLL_CLI_HELP_H

#include <stdio.h>

#include "enroll/cli.h"

/* Headings in the list of verbs. */
#define CLI_CHAPTERS 8

struct cli_topic {
    const char *name; /* behind "pinward help" */
    const char *summary;
    void (*print)(FILE *out);
};

/* Ended by a row without a name. */
extern const struct cli_topic cli_topics[];

/* NULL: there is none of that name. */
const struct cli_topic *cli_find_topic(const char *name);

/* The heading that stands before the verb in the list; NULL: the one before goes on. */
const char *cli_chapter(const char *verb);

/* group NULL: every verb. */
void cli_print_help(FILE *out, const struct cli_verb *verbs, const char *group);
void cli_print_verb_help(FILE *out, const struct cli_verb *verb);

#endif
