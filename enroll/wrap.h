/*
 * wrap: sentences and paragraphs for people, broken between words where their terminal ends. What goes to a file or a
 * pipe is left whole: programs and searches find it there.
 *
 * Owner: nothing kept. Thread rule: no shared state.
 */
#ifndef PINWARD_ENROLL_WRAP_H
#define PINWARD_ENROLL_WRAP_H

#include <stddef.h>
#include <stdio.h>

/* What text that is always wrapped (help) is wrapped to where there is no terminal to ask. */
#define WRAP_COLUMNS 80

/* The columns of the terminal that stream is (40 where it has fewer); 0: it is none. */
size_t wrap_columns(FILE *stream);

/* Prints text with no line longer than columns (0: as it is), nor than is pleasant to read. Where a line of text is broken it goes on indent columns to
 * the right; the first of it is as much shorter, so that it can stand behind something. No '\n' is added at the end. */
void wrap_print(FILE *out, const char *text, size_t columns, size_t indent);

/* The same for printf's arguments, as wide as out's terminal, and ended with '\n' where it is not. What could drive the
 * terminal becomes '?' (text.h): a file may have any name. */
void wrap_say(FILE *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
