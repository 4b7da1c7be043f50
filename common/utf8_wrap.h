/*
 * utf8_wrap: text broken into lines that fit a window: some pinentries break no line, and a window that is wider than
 * the screen has its buttons outside it.
 *
 * Owner: nothing kept. Thread rule: any thread. The locale does not count: a host may have none.
 */
#ifndef PINWARD_COMMON_UTF8_WRAP_H
#define PINWARD_COMMON_UTF8_WRAP_H

#include <stddef.h>

/* Columns of the well-formed character of n bytes on a terminal: 2 for the wide ones of East Asia (UAX #11), 0 for marks
 * that are written over the one before, else 1. */
size_t utf8_columns(const char *character, size_t n);

/* Copies text into out (of size bytes, NUL included; what does not fit is left out at a whole character), with no line
 * longer than columns: broken at a blank, which is left out, or beside a wide character, where punctuation allows it;
 * else where the line is full. What goes on, on a further line, is indented by that many of the columns (with U+00A0), so
 * that no text can be made to look like the beginning of a line. */
void utf8_wrap(const char *text, size_t columns, size_t indent, char *out, size_t size);

#endif
