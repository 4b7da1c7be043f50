/*
 * doctor: the verb that looks at everything pinward needs and says of each what is wrong and which command mends it.
 *
 * Files: doctor.c (the report), doctor_checks.c (what is looked at). Nothing is changed, no PIN is asked for.
 * Owner: nothing is kept. Thread rule: one thread.
 */
#ifndef PINWARD_ENROLL_DOCTOR_H
#define PINWARD_ENROLL_DOCTOR_H

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

#endif
