/*
 * language: the language of messages, from --lang or the environment; and what the portal is asked for.
 *
 * Owner: nothing is kept but the process's locale and what it was to be. Thread rule: before there are other threads.
 */
#ifndef PINWARD_ENROLL_LANGUAGE_H
#define PINWARD_ENROLL_LANGUAGE_H

#include <stdbool.h>

/* Sets the process's locale from the environment, after wanted (the value of --lang; NULL: none) was put into
 * it, so that the module's windows speak it too. false: wanted is no language that there are messages in. */
bool language_set(const char *wanted);

/* The locale that the environment names and this machine does not have, so that another stands in; NULL: it has it. */
const char *language_missing(void);

/* The language that messages are in, as the portal knows it (RFC 5646): "zh-TW" or "en". */
const char *language_tag(void);

#endif
