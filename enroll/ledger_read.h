/*
 * ledger_read: the ledger (common/ledger.h) line by line, as it was at one moment.
 *
 * Programs go on writing to it meanwhile: its lock is held only while size and head are looked at, never while lines
 * are read, for a decision that waits too long is denied.
 * Owner: struct ledger_reader is the caller's, from _open to _close. Thread rule: one thread.
 */
#ifndef PINWARD_ENROLL_LEDGER_READ_H
#define PINWARD_ENROLL_LEDGER_READ_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

#include "common/error.h"
#include "common/ledger_head.h"

struct ledger_reader {
    FILE *file;
    uint64_t size; /* bytes that are looked at */
    uint64_t left; /* of them, still to be read */
    char *buffer;
    size_t buffer_size;
    bool has_head;
    struct ledger_head head;
};

/* One line, valid until the next is read. */
struct ledger_read_line {
    const char *text; /* without its newline */
    size_t len;
    bool ended; /* with a newline */
    unsigned char hash[LEDGER_HASH_BYTES];
};

/* ERROR_STATE: there is no ledger at path. ERROR_IO. */
enum error_code ledger_reader_open(const char *path, struct ledger_reader *reader, struct error *err);
void ledger_reader_close(struct ledger_reader *reader);

/* false after the last line. */
bool ledger_reader_next(struct ledger_reader *reader, struct ledger_read_line *line);

/* Back to the first line, and no further than before. */
void ledger_reader_rewind(struct ledger_reader *reader);

/* The line's object, to be given back with json_decref; NULL when it is not one line of JSON that the ledger's writer
 * could have written. */
json_t *ledger_line_parse(const struct ledger_read_line *line);

#endif
