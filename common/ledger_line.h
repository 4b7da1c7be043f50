/*
 * ledger_line: one decision as one line of JSON (RFC 8259), bounded in every part.
 *
 * What comes from outside (labels, paths, serial numbers) is escaped: characters that could drive a terminal as
 * \uXXXX, bytes that are not UTF-8 as a backslash, x and two hexadecimal digits; what is too long is cut and ends with
 * an ellipsis. A whole line is never longer than LEDGER_LINE_MAX.
 * Owner: struct ledger_line is the caller's. Thread rule: pure.
 */
#ifndef PINWARD_COMMON_LEDGER_LINE_H
#define PINWARD_COMMON_LEDGER_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#define LEDGER_LINE_MAX   4096 /* its newline included */
#define LEDGER_HASH_BYTES 32   /* SHA-256 */

/* What is recorded of a decision. Strings may be NULL: there is none. Never a secret. */
struct ledger_entry {
    const char *program; /* path of the executable that asked */
    pid_t pid;
    uid_t uid;
    bool remote;        /* it only passed on what another machine asked */
    const char *key;    /* CKA_LABEL */
    const char *key_id; /* CKA_ID, hexadecimal */
    const char *token;  /* label */
    const char *token_serial;
    const char *operation;
    const unsigned char *data; /* SHA-256 of the data, where the call carries all of it; else NULL */
    bool allowed;
    const char *how; /* what decided */
    unsigned long batch; /* number of the batch consent that was given or used; 0: none */
    const char *purpose; /* of a batch that is asked for; with it: */
    unsigned long uses;
    unsigned long time_s;
    unsigned long rv;
};

struct ledger_line {
    char bytes[LEDGER_LINE_MAX + 1]; /* without a newline; NUL-terminated */
    size_t len;
};

/* seq is the line's number, counted from 1, and prev the SHA-256 of the line before (zeros for the first). seq 0 and
 * prev NULL: of a decision that no ledger holds. */
void ledger_line_render(const struct ledger_entry *entry, const struct timespec *when, uint64_t seq,
                        const unsigned char *prev, struct ledger_line *line);

#endif
