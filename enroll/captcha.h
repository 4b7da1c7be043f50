/*
 * captcha: shows a picture to the person and gets the text that the person reads in it.
 *
 * With [portal] captcha-command, that program gets the picture's path and prints the text; else the picture
 * is drawn on the terminal and a line is read. Owner: the text is the caller's. Thread rule: one thread.
 */
#ifndef PINWARD_ENROLL_CAPTCHA_H
#define PINWARD_ENROLL_CAPTCHA_H

#include "common/error.h"
#include "enroll/app.h"
#include "enroll/bytes.h"

/* *text is "" when the person wants another picture. */
enum error_code captcha_read(const struct app *app, const struct bytes *png, char **text, struct error *err);

#endif
