/*
 * problem: the portal's refusals (RFC 9457 problem documents) as our errors.
 *
 * Owner: struct problem is the caller's and holds no heap. Thread rule: no shared state.
 */
#ifndef PINWARD_ENROLL_PROBLEM_H
#define PINWARD_ENROLL_PROBLEM_H

#include <stdbool.h>

#include "common/error.h"
#include "enroll/bytes.h"
#include "enroll/codec.h"

struct problem {
    int status;     /* of HTTP; 0: there was no problem */
    char slug[64];  /* the last part of type, as in "login-failed"; empty: not one of this API's */
    int tries_left; /* -1: not said */
    char opens_at[CODEC_TIME_SIZE];
    char detail[512];  /* the portal's sentence, fit for a terminal */
    char reasons[512]; /* "reason" or "reasons", joined, fit for a terminal */
};

/* Reads a problem document; a body that is none leaves slug empty. */
void problem_parse(int status, const char *content_type, const struct bytes *body, struct problem *problem);

bool problem_is(const struct problem *problem, const char *slug);

/* The error that the problem means, with a sentence that says what to do. Never ERROR_NONE. */
enum error_code problem_error(const struct problem *problem, struct error *err);

#endif
