/*
 * ledger: what was decided about the use of keys, one line of JSON for each decision, each holding the SHA-256 of the
 * line before; FILE.head says where it ends (see ledger_head.h).
 *
 * Written by many processes and threads at once, each line under an exclusive lock of the ledger's file. Nothing is
 * kept between two lines: every line opens the files anew, so there is no state to lose in a fork, no descriptor that
 * a host could close or write to, and a ledger that was moved away is simply begun anew.
 *
 * After a crash in the middle of a line, the next one closes the torn line off and chains on to it. After lines were
 * cut off, the next one chains on to the last that was written, so that the gap stays visible.
 * Nothing is synced to disk: after a power cut the last lines may be missing, and ledger verification says so.
 * Owner: nothing kept. Thread rule: any thread.
 */
#ifndef PINWARD_COMMON_LEDGER_H
#define PINWARD_COMMON_LEDGER_H

#include "common/error.h"
#include "common/ledger_line.h"

#define LEDGER_LOCK_TIMEOUT_MS 2000

/* Records the entry in the ledger of that path (NULL: there is none, which is an error), made with mode 0600 when it
 * is not there. *line is the line as written. ERROR_IO, ERROR_TIMEOUT, ERROR_MEMORY: it is not recorded, the ledger is
 * as it was, *line is untouched, and err says why. */
enum error_code ledger_append(const char *path, const struct ledger_entry *entry, struct ledger_line *line,
                              struct error *err);

#endif
