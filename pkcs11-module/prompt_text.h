/*
 * prompt_text: what the windows of the module have in common: lines of text made of values from outside, and
 * the frame of a question.
 *
 * Owner: the caller's. Thread rule: pure.
 */
#ifndef PINWARD_MODULE_PROMPT_TEXT_H
#define PINWARD_MODULE_PROMPT_TEXT_H

#include <stddef.h>

#include "common/config.h"
#include "common/pinentry.h"
#include "pkcs11-module/p11.h"
#include "pkcs11-module/requester.h"
#include "pkcs11-module/retry.h"

/* Assuan's line is 1000 bytes: what does not fit is cut by pinentry.c, so what matters most comes first. */
#define PROMPT_TEXT_MAX  1400
#define PROMPT_VALUE_MAX 255

/* No line is wider, and that of a SHA-256 in hexadecimal, indented, not broken. The limits of the values below are such that a value takes two
 * lines at most, so that pinentry-curses has room for the whole question on a terminal of 80 by 24; it refuses to ask
 * where it has not. */
#define PROMPT_COLUMNS 70
#define PROMPT_INDENT  2

struct prompt_text {
    char bytes[PROMPT_TEXT_MAX];
    size_t len;
    char wrapped[PROMPT_TEXT_MAX]; /* of prompt_question_init */
};

/* What does not fit is left out. */
void prompt_text_add(struct prompt_text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A value from outside as it is shown: never more than one line, and no longer than limit once escaped, so
 * that no label can push what follows it out of the window. */
struct prompt_value {
    char shown[PROMPT_VALUE_MAX + 1];
};

const char *prompt_value_show(struct prompt_value *value, const char *text, size_t len, size_t limit);

/* One line each. A new token has no label, and no line. */
void prompt_text_add_token(struct prompt_text *text, const CK_TOKEN_INFO *token);
void prompt_text_add_program(struct prompt_text *text, const struct requester *requester);
void prompt_text_add_command(struct prompt_text *text, const struct requester *requester);

/* How many tries are left, when it is not all of them: the counter knows, a token gives only hints. */
void prompt_text_add_tries(struct prompt_text *text, const CK_TOKEN_INFO *token,
                           const struct retry_state *tries);

/* A question with this text, broken into lines; labels are the caller's to add. text must outlive it. */
void prompt_question_init(struct pinentry_question *question, const struct config *config,
                          struct prompt_text *text, int cancel_fd);

#endif
