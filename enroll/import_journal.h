/*
 * import_journal: how far the import of a pair onto a token has come, so that the same command goes on after it was
 * killed. It holds ids, names and fingerprints, never a key or a password.
 *
 * One for each token, in the state folder; removed when the import is complete.
 * Owner: struct import_journal is the caller's, who holds the lock as long as it lives. Thread rule: one thread; a second
 * process is kept out by the lock.
 */
#ifndef PINWARD_ENROLL_IMPORT_JOURNAL_H
#define PINWARD_ENROLL_IMPORT_JOURNAL_H

#include "common/error.h"
#include "enroll/codec.h"

enum import_state {
    IMPORT_NONE,       /* nothing has been begun */
    IMPORT_PLANNED,    /* ids and labels are chosen */
    IMPORT_SIGNING,    /* the signing key is on the token */
    IMPORT_ENCRYPTION, /* and the encryption key */
    IMPORT_WRITTEN,    /* and the certificates */
};

struct import_journal {
    char *path;
    int lock;
    enum import_state state;
    char *name;
    char *signing_id; /* CKA_ID in hex */
    char *encryption_id;
    char *signing_fingerprint; /* SHA-256 of the certificate, in hex */
    char *encryption_fingerprint;
};

/* ERROR_STATE: another process has it, or it is damaged. */
enum error_code import_journal_open(const char *folder, const char *token_serial, struct import_journal *journal,
                                    struct error *err);

/* Writes it durably. */
enum error_code import_journal_save(const struct import_journal *journal, struct error *err);

/* The import is over: removes the file; the lock is kept. */
enum error_code import_journal_finish(struct import_journal *journal, struct error *err);

void import_journal_close(struct import_journal *journal);

#endif
