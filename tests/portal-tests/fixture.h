/*
 * fixture: a portal of its own for a test program: data folder, test clock, server process, admin commands.
 *
 * Owner: the test program, between its group set-up and tear-down. The server ends with the program, whatever
 * happens to it. Thread rule: one thread.
 */
#ifndef PINWARD_PORTAL_TESTS_FIXTURE_H
#define PINWARD_PORTAL_TESTS_FIXTURE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#define FIXTURE_OUTPUT_MAX 16384

extern const char fixture_portal_program[]; /* path of pinward-portal */

struct fixture {
    char dir[256];  /* under the build folder; removed by fixture_stop */
    char data[300]; /* the portal's data folder */
    char test[300]; /* its test folder: clock and captchas */
    char url[64];   /* https://localhost:PORT */
    uint16_t port;
    pid_t pid;
    bool real;    /* start the server without its test mode: no clock, no captcha texts */
    FILE *record; /* every exchange of this program, for check_openapi.py */
};

/* Makes a portal and starts it with the further options (NULL-terminated, may be NULL). name is the test
 * program's. */
bool fixture_start(struct fixture *f, const char *name, const char *const *options);

/* Ends the server; false unless it then exited with 0, as a clean (and, sanitized, leak-free) run does. */
bool fixture_stop(struct fixture *f);

/* Ends only the server, with that signal, and starts it again on the same data. */
bool fixture_restart(struct fixture *f, int signal_number, const char *const *options);

/* Moves the portal's clock to the real time plus so many seconds. */
void fixture_set_clock(const struct fixture *f, int64_t offset_s);

/* Runs pinward-portal-admin with these words (NULL-terminated) and returns its exit status; output (may be
 * NULL) gets what it printed on stdout. */
int fixture_admin(const struct fixture *f, char output[FIXTURE_OUTPUT_MAX], const char *const *words);

/* Ends the server with that signal and gives its exit status; -1: it was killed. fixture_restart starts it
 * again. */
int fixture_end_server(struct fixture *f, int signal_number);

/* Runs any program so, and returns when it and all that holds its stdout have ended; path is argv[0]. */
int fixture_run(char output[FIXTURE_OUTPUT_MAX], const char *const *argv);

#endif
