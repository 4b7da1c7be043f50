/*
 * ledger_head: the small file beside the ledger (FILE.head) that says where the ledger ends: how many lines, how many
 * bytes, and the hash of the last line. Lines cut off at the end leave a chain that is whole; only this shows them.
 *
 * It is always LEDGER_HEAD_SIZE bytes, so that it is overwritten in place by one small write and needs no more room on
 * a full disk.
 * Owner: plain values. Thread rule: whoever reads or writes it holds the ledger's lock.
 */
#ifndef PINWARD_COMMON_LEDGER_HEAD_H
#define PINWARD_COMMON_LEDGER_HEAD_H

#include <stdbool.h>
#include <stdint.h>

#include "common/ledger_line.h"

#define LEDGER_HEAD_SIZE 134

struct ledger_head {
    uint64_t lines; /* the seq of the last line */
    uint64_t bytes; /* of the ledger, the last line's newline included */
    unsigned char last[LEDGER_HASH_BYTES]; /* SHA-256 of the last line; zeros when there is none */
};

/* FILE.head, on the heap; NULL: no memory. */
char *ledger_head_path(const char *ledger_path);

/* false when the file is empty or is not what ledger_head_write writes; *head is then untouched. */
bool ledger_head_read(int fd, struct ledger_head *head);
bool ledger_head_write(int fd, const struct ledger_head *head);

#endif
