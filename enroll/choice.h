/*
 * choice: which of the account's certificates are meant: --certificate says, or the person on the terminal.
 *
 * A choice is words between commas or blanks: "all", "signing", "encryption", the first digits of a serial
 * number, and on the terminal the numbers of the table. Owner: nothing is kept. Thread rule: one thread.
 */
#ifndef PINWARD_ENROLL_CHOICE_H
#define PINWARD_ENROLL_CHOICE_H

#include <stdbool.h>

#include "common/error.h"
#include "enroll/certlist.h"

#define CHOICE_SERIAL_DIGITS_MIN 6

/* chosen[i], of list's length, becomes true for each row that text names among those that may be chosen;
 * untouched on failure. numbers: rows may be named by their numbers. */
enum error_code choice_parse(const struct certlist *list, const bool *eligible, const char *text,
                             bool numbers, bool *chosen, struct error *err);

/* The same for --certificate; without it the rows are shown and question is asked on the terminal. */
enum error_code choice_make(const struct app *app, const struct certlist *list, const bool *eligible,
                            const char *question, bool *chosen, struct error *err);

#endif
