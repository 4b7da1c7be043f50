/*
 * text_check: is a sentence that will be shown fit for a terminal?
 *
 * Owner: nothing kept. Thread rule: any thread.
 */
#ifndef PINWARD_TESTS_TEXT_CHECK_H
#define PINWARD_TESTS_TEXT_CHECK_H

#include "common/error.h"

/* Holds that the text is UTF-8 and has nothing in it that drives a terminal. */
void text_require_clean(const char *text);

/* Holds that a failure has a sentence that is clean. */
void text_require_sentence(enum error_code status, const struct error *err);

/* Holds that the sentence says nothing of the secret of the world, which must not be in the input itself then. */
void text_require_no_secret(const struct error *err);

#endif
