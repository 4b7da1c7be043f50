/*
 * cli_words: the words that the value of an option can be, where they are few and known: what a shell
 * completes.
 *
 * Owner: constants. Thread rule: no state.
 */
#ifndef PINWARD_ENROLL_CLI_WORDS_H
#define PINWARD_ENROLL_CLI_WORDS_H

#include "enroll/cli.h"

/* The words, ended by NULL; NULL: the value is a name, a file or a number. */
const char *const *cli_words(enum cli_option_id option);

#endif
