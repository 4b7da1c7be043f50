/*
 * http_fake: the portal at the other end of the line. Takes the place of enroll/http.c, which is not linked: every request
 * is answered with what comes next in the input.
 *
 * An answer: a byte for its status, one for its content type, and the body: up to a NUL when it is JSON, else all the
 * rest. Owner: the input is the target's. Thread rule: one thread.
 */
#ifndef PINWARD_TESTS_HTTP_FAKE_H
#define PINWARD_TESTS_HTTP_FAKE_H

#include "fuzz/fuzz.h"

void http_fake_begin(struct fuzz_input *input);

#endif
