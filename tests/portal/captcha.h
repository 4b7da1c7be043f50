/*
 * captcha: the text that a person must read and the distorted picture of it (libgd).
 *
 * Thread rule: no shared state; any thread.
 */
#ifndef PINWARD_PORTAL_CAPTCHA_H
#define PINWARD_PORTAL_CAPTCHA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CAPTCHA_LENGTH 6

/* Random capital letters and digits that cannot be mistaken for each other. */
void captcha_text(char out[CAPTCHA_LENGTH + 1]);

/* A PNG of the text, drawn anew with other distortion at each call: a new buffer for the caller to free.
 * False: no memory. */
bool captcha_draw(const char text[CAPTCHA_LENGTH + 1], uint8_t **png, size_t *len);

#endif
