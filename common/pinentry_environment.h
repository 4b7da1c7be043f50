/*
 * pinentry_environment: where a question is to appear and in which language, as the host's environment has it.
 *
 * Owner: a name is the environment's, a constant, or in the caller's buffer. Thread rule: any thread, as getenv.
 */
#ifndef PINWARD_COMMON_PINENTRY_ENVIRONMENT_H
#define PINWARD_COMMON_PINENTRY_ENVIRONMENT_H

#include <stddef.h>

/* What pinentry is told of it; "" what is not known. Of a fixed size without pointers, so that a process can hand it to
 * another. */
struct pinentry_environment {
    char terminal[256];
    char terminal_type[64];
    char display[128];
    char lc_ctype[64];
    char lc_messages[64];
};

/* This process's. */
void pinentry_environment_read(struct pinentry_environment *environment);

/* The terminal for a pinentry in text: the one that GPG_TTY names, else the one that the host's standard input, output
 * or error is, else the one that controls its session (a host whose three are files). Only one that can be opened
 * counts; NULL when there is none. */
const char *pinentry_environment_terminal(char *buffer, size_t size);

/* The locale of a category ("LC_CTYPE") as the environment gives it: a host need not have called setlocale. NULL when it
 * gives none. */
const char *pinentry_environment_locale(const char *category);

#endif
