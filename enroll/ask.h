/*
 * ask: questions to the person. Open ones on the terminal, secrets only through pinentry.
 *
 * A question that cannot be asked, because there is no terminal, fails with ERROR_USAGE and names the option
 * that answers it. Questions go to stderr, so that stdout holds only what was asked for. Owner: answers are
 * the caller's. Thread rule: one thread.
 */
#ifndef PINWARD_ENROLL_ASK_H
#define PINWARD_ENROLL_ASK_H

#include <stdbool.h>

#include "common/config.h"
#include "common/error.h"
#include "common/secret.h"

/* A line from the terminal, without blanks around it, not empty. option: what to give without a terminal. */
enum error_code ask_line(const char *question, const char *option, char **answer, struct error *err);

/* The same; an empty line is an answer too, "". */
enum error_code ask_line_or_nothing(const char *question, const char *option, char **answer, struct error *err);

/* yes: ERROR_NONE; no, or an empty line: ERROR_CANCELLED. What is neither is asked again. */
enum error_code ask_yes(const char *question, const char *option, struct error *err);

/* A password through pinentry; text explains what for, problem (may be NULL) says what was wrong with the
 * last one. ERROR_CANCELLED when the person cancels or gives an empty one. */
enum error_code ask_password(const struct config *config, const char *text, const char *prompt,
                             const char *problem, struct secret **password, struct error *err);

/* A new password, typed twice. */
enum error_code ask_new_password(const struct config *config, const char *text, const char *problem,
                                 struct secret **password, struct error *err);

/* The PIN of a token that does not ask for it itself. */
enum error_code ask_pin(const struct config *config, const char *text, struct secret **pin,
                        struct error *err);

#endif
