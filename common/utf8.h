/*
 * utf8: text from outside (labels, subjects, command lines) made fit to be shown.
 *
 * Owner: nothing kept. Thread rule: any thread.
 */
#ifndef PINWARD_COMMON_UTF8_H
#define PINWARD_COMMON_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* The length, 1 to 4, of the well-formed UTF-8 character (RFC 3629) at bytes; 0 when there is none. */
size_t utf8_character(const char *bytes, size_t left);

/* Must the well-formed character of n bytes not reach a terminal or a window as it is? Controls, and what turns the
 * direction of writing. */
bool utf8_is_harmful(const char *character, size_t n);

/* How many of the len bytes, at most, end with a whole character: what a limit has cut of the last one does not count. */
size_t utf8_whole(const char *text, size_t len);

/* Writes text of len bytes into out (of size bytes, NUL included): what is not well-formed, control characters and the
 * characters that turn the direction of writing become '?'; cut at a whole character so that, with '%' counted as three
 * (Assuan's escaping), at most limit bytes are written, the last of them "…" where there is room for it. Returns the
 * bytes written. */
size_t utf8_show(const char *text, size_t len, char *out, size_t size, size_t limit);

#endif
