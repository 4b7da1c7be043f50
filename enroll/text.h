/*
 * text: words that came from elsewhere (the portal, a certificate, a token), made fit for a terminal.
 *
 * Owner: returned strings are the caller's. Thread rule: no shared state.
 */
#ifndef PINWARD_ENROLL_TEXT_H
#define PINWARD_ENROLL_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* A copy of UTF-8 text in which nothing can drive a terminal or reorder what is read: control characters (C0,
 * DEL, C1), bidirectional overrides and invalid UTF-8 become '?'. keep_lines keeps '\n' and '\t'. NULL: no
 * memory. */
char *text_clean(const char *text, bool keep_lines);

/* The same in place, for a line. */
void text_clean_in_place(char *text);

/* The columns that UTF-8 text takes on a terminal; invalid bytes count one. */
size_t text_columns(const char *text);

/* Prints text as one cell of a table, width columns wide, or its own width and a blank: printf's own field width counts
 * bytes. */
void text_print_cell(FILE *out, const char *text, size_t width);

#endif
