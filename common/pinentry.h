/*
 * pinentry: one question to the user through a pinentry program (Assuan protocol, libassuan).
 *
 * Purpose: start the program (posix_spawn, never fork), ask one question, and end it. Every wait is bounded by
 *   timeout_s and can be broken off by another thread.
 * Owner: a struct pinentry_question is the caller's; an answered PIN comes back as a new struct secret.
 * Thread rule: any number of questions at once from different threads; the caller holds no lock.
 */
#ifndef PINWARD_COMMON_PINENTRY_H
#define PINWARD_COMMON_PINENTRY_H

#include <stdbool.h>
#include <sys/types.h>

#include "error.h"
#include "secret.h"

struct pinentry_quality;

struct pinentry_question {
    const char *program;  /* path of pinentry */
    unsigned timeout_s;   /* for the whole question; 0 means the default of 120 */
    int cancel_fd;        /* becomes readable when the question is to be dropped (an eventfd); -1: none */
    pid_t owner;          /* the process that the question is for, which pinentry may name; 0: this one */
    const char *title;    /* window title; UTF-8, may be NULL */
    const char *text;     /* the description, several lines; UTF-8 */
    const char *prompt;   /* the label of the entry field, "PIN:"; NULL for a confirmation */
    const char *error;    /* what was wrong with the last answer; NULL at first */
    const char *repeat;   /* label of a second field in which a new PIN is typed again; NULL: none */
    const struct pinentry_quality *quality; /* how good what is typed is, shown as a bar (pinentry_quality.h); NULL: none */
    const char *ok_label; /* NULL: OK and Cancel, in the user's language: pinentry's own are English */
    const char *cancel_label;
};

/* Asks for a PIN or password (GETPIN). On success *answer is a new secret (it may be empty), to be freed by the
 * caller. ERROR_CANCELLED: the user cancelled. ERROR_TIMEOUT: no answer in time, or cancel_fd. ERROR_PROMPT:
 * the program is missing, died, or broke the protocol. ERROR_MEMORY. *answer is untouched on failure. */
enum error_code pinentry_get_pin(const struct pinentry_question *question, struct secret **answer,
                                 struct error *err);

/* Asks for a yes (CONFIRM). ERROR_NONE: the user agreed; ERROR_CANCELLED: no; the rest as above. */
enum error_code pinentry_confirm(const struct pinentry_question *question, struct error *err);

#endif
