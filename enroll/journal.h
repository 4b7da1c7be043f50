/*
 * journal: how far an enrollment has come, on disk before each act, so that a run that is killed anywhere is
 * gone on with by the same command: no orphan key, no second certificate, no lost one.
 *
 * All ids (of keys, of requests) are chosen when the journal is begun. A step therefore finds what an earlier
 * run of it has left, on the token by the key's id and at the portal by the request's id. One journal for
 * each portal and account, in the state folder; it is removed when the enrollment is complete. Owner: struct
 * journal is the caller's, who holds the file's lock as long as it lives. Thread rule: one thread; a second
 * process is kept out by the lock.
 */
#ifndef PINWARD_ENROLL_JOURNAL_H
#define PINWARD_ENROLL_JOURNAL_H

#include <stdbool.h>

#include <jansson.h>

#include "common/error.h"

/* Each state is reached by one step; the file holds its name. */
enum journal_state {
    JOURNAL_NONE,      /* nothing has been begun */
    JOURNAL_PLANNED,   /* ids are chosen, the terms accepted */
    JOURNAL_KEYED,     /* both pairs are on the token */
    JOURNAL_REQUESTED, /* the request is signed */
    JOURNAL_SUBMITTED, /* the portal has it */
    JOURNAL_ACTIVATED, /* the portal has activated the certificates */
    JOURNAL_WRITTEN,   /* the certificates are on the token */
};

struct journal {
    char *path;
    int lock;
    enum journal_state state;
    bool renewal;
    bool exportable; /* the new keys can leave the token */
    /* Strings; NULL: not known yet. */
    char *account;
    char *token_label;
    char *token_serial;
    char *signing_id; /* CKA_ID in hex */
    char *signing_label;
    char *encryption_id;
    char *encryption_label;
    char *terms_version;
    char *terms_sha256;
    char *request_id;
    char *activation_id; /* request id of the activation */
    char *request;       /* base64 of what is sent */
    char *application_id;
    char *old_signing_serial; /* of a renewal */
    char *old_encryption_serial;
    json_t *registration; /* as it was shown: what the certificates must keep to */
};

/* Opens and locks the journal of portal and account in folder; state is JOURNAL_NONE when there is none.
 * ERROR_STATE: another process has it, or it is damaged (the sentence says which). */
enum error_code journal_open(const char *folder, const char *portal, const char *account,
                             struct journal *journal, struct error *err);

/* Replaces one of its strings. */
enum error_code journal_set(char **field, const char *value, struct error *err);

/* Writes it durably. */
enum error_code journal_save(const struct journal *journal, struct error *err);

/* The enrollment is over: removes the file and empties the journal; the lock is kept. */
enum error_code journal_finish(struct journal *journal, struct error *err);

/* Gives the lock back and frees everything; the file stays. */
void journal_close(struct journal *journal);

#endif
