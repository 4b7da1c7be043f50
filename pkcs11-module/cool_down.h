/*
 * cool_down: after two questions in a row that nobody answered, none is asked for a while: a program that asks again
 * and again must not fill an empty desk with windows, or tire its user into agreeing.
 *
 * The row is one for all processes of the user: the file cool-down in the state folder (counter_file_locate) holds how
 * many questions in a row went unanswered and when, on CLOCK_BOOTTIME, the last of them ended. An answer ends the row,
 * Cancel too. After the cool-down one unanswered question starts the next: the row goes on. Without a usable file every
 * question is asked, and the log says so: asking is the safe side.
 *
 * Owner: struct cool_down is the runtime's, constant after cool_down_init. Thread rule: any thread.
 */
#ifndef PINWARD_MODULE_COOL_DOWN_H
#define PINWARD_MODULE_COOL_DOWN_H

#include <limits.h>
#include <stdbool.h>

#include "common/error.h"

#define COOL_DOWN_ROW 2

struct cool_down {
    unsigned length_s; /* 0: never */
    char path[PATH_MAX];
};

/* length_s: cool-down of the configuration. */
void cool_down_init(struct cool_down *cool_down, unsigned length_s);

/* Must nobody be asked now? Then the log has a line that says until when. */
bool cool_down_is_on(const struct cool_down *cool_down);

/* What came of a question: the code of common/pinentry.h. withdrawn: the module itself took it off the screen, which
 * says nothing about its user. */
void cool_down_note(const struct cool_down *cool_down, enum error_code code, bool withdrawn);

#endif
