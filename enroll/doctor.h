/*
 * doctor: the verb that looks at everything pinward needs and says of each what is wrong and which command mends it; with
 * --app, at one program that is to use keys.
 *
 * Files: doctor.c (the report), doctor_checks.c and doctor_p11_kit.c (what is looked at), doctor_app.c (of a program).
 * Nothing is changed, no PIN is asked for.
 * Owner: nothing is kept. Thread rule: one thread.
 */
#ifndef PINWARD_ENROLL_DOCTOR_H
#define PINWARD_ENROLL_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "common/error.h"
#include "enroll/app.h"

/* ERROR_DOCTOR: something is wrong. */
enum error_code doctor_run(struct app *app, struct error *err);

/* -- between the two files -- */

enum doctor_verdict {
    DOCTOR_OK,
    DOCTOR_NOTE, /* it works so; better is possible */
    DOCTOR_WRONG,
};

#define DOCTOR_TEXT_MAX 1024

struct doctor_finding {
    enum doctor_verdict verdict;
    char says[DOCTOR_TEXT_MAX]; /* what was found */
    char mend[DOCTOR_TEXT_MAX]; /* a command; empty: none */
};

struct doctor_check {
    const char *name; /* for programs */
    const char *title;
    void (*look)(const struct app *app, struct doctor_finding *finding);
};

/* Ended by a row without a name. */
extern const struct doctor_check doctor_checks[];
extern const struct doctor_check doctor_app_checks[]; /* app->options.program is the program */

/* What of the program other programs may want to have apart. */
json_t *doctor_app_facts(const struct app *app);

void doctor_say(struct doctor_finding *finding, enum doctor_verdict verdict, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void doctor_mend(struct doctor_finding *finding, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Where settings are to be written. */
const char *doctor_config_file(const struct app *app);

/* Does p11-kit know the module? where: the file that says so, or stays empty. */
bool doctor_p11_kit_knows(char *where, size_t size);
void doctor_look_p11_kit(const struct app *app, struct doctor_finding *finding);

#endif
