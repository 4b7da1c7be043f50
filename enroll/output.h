/*
 * output: what a run says to programs (--json): one JSON document on stdout, and everything meant for people
 * on stderr.
 *
 * The document is an object that the verb fills (output_note) or gives whole (output_set); a run that fails
 * carries a member "error" in it. docs/tool-output.md documents the documents. A verb that writes its own
 * (log show, which can be long) uses output_stream. Owner: struct output is the app's. Thread rule: one
 * thread; output_end may be another's.
 */
#ifndef PINWARD_ENROLL_OUTPUT_H
#define PINWARD_ENROLL_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

#include <jansson.h>

#include "common/error.h"

struct output {
    FILE *stream;     /* the real stdout; NULL: the run prints for people */
    json_t *document; /* NULL: nothing has been noted */
    bool written;     /* a document is on the stream already */
};

/* From now on stdout is stderr, and documents go to what was stdout. */
enum error_code output_begin(struct output *output, struct error *err);

/* Notes one member of the document. value is taken over, whatever happens; without --json it is dropped. */
void output_note(struct output *output, const char *name, json_t *value);

/* Text as a member: what is no UTF-8, as a file's name need not be, has a '?' for each such byte, since JSON cannot hold
 * it. text NULL: null. NULL: no memory. */
json_t *output_text(const char *text);

/* The whole document, an object; taken over. Members noted before it stay. */
void output_set(struct output *output, json_t *document);

/* For a verb that writes its document itself. */
FILE *output_stream(struct output *output);

/* Writes the document of a run of verb that ended with err (err->code ERROR_NONE: well), and ends the output.
 * false: it could not be written. Nothing to do without --json. */
bool output_end(struct output *output, const char *verb, const struct error *err);

#endif
