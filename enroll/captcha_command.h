/*
 * captcha_command: runs the program that reads a captcha for the person (or for a test).
 *
 * Owner: the text is the caller's. Thread rule: one thread.
 */
#ifndef PINWARD_ENROLL_CAPTCHA_COMMAND_H
#define PINWARD_ENROLL_CAPTCHA_COMMAND_H

#include "common/error.h"
#include "enroll/bytes.h"

/* Runs program with the path of a private temporary file that holds png, and reads one line from it, for at
 * most timeout_s seconds; then the program is ended. folder: where the temporary file goes. */
enum error_code captcha_command_run(const char *program, const char *folder, const struct bytes *png,
                                    unsigned timeout_s, char **text, struct error *err);

#endif
