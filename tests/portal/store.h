/*
 * store: the portal's SQLite database: opening, transactions, statements. What the rows mean is in store_*.h.
 *
 * Purpose: the server and pinward-portal-admin may work on the same database at once (WAL, busy timeout).
 * Every change of state is made inside store_begin ... store_commit, so that a kill leaves the database
 * whole. Owner: the caller of store_open; statements are ended by whoever queried them. Thread rule: one
 * thread at a time for each struct store. Failures are written to stderr where they happen, without any bound
 * value, and remembered: the caller needs only to stop and, at the end, to ask store_failure.
 */
#ifndef PINWARD_PORTAL_STORE_H
#define PINWARD_PORTAL_STORE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"

struct store;

enum store_result {
    STORE_ROW,    /* a row is there / was found */
    STORE_DONE,   /* no (further) row */
    STORE_FAILED, /* see store_failure */
};

enum store_failure {
    STORE_FAILURE_NONE,
    STORE_FAILURE_BUSY, /* another process held the write lock for longer than the busy timeout */
    STORE_FAILURE_OTHER,
};

/* Opens DIR/portal.db, which must exist and carry this program's schema version. */
enum error_code store_open(const char *data_dir, struct store **store, struct error *err);

/* Creates DIR/portal.db (mode 0600) with an empty schema and opens it; refuses when it exists. */
enum error_code store_create(const char *data_dir, struct store **store, struct error *err);

void store_close(struct store **store);

enum store_failure store_failure(const struct store *store);
void store_failure_clear(struct store *store);

/* BEGIN IMMEDIATE: takes the write lock now, so that what is read next stays true until the commit. */
bool store_begin(struct store *store);
bool store_commit(struct store *store);
void store_rollback(struct store *store); /* nothing when no transaction is open */

/* A statement with its values bound, ready to step; NULL on failure. types has one letter a value:
 * 's' const char * (may be NULL), 'i' int64_t, 'b' const void * and size_t. */
sqlite3_stmt *store_query(struct store *store, const char *sql, const char *types, ...);
enum store_result store_step(struct store *store, sqlite3_stmt *statement);

/* Runs a statement that returns no rows. *changes, when wanted, is the number of rows it changed. */
bool store_run(struct store *store, int *changes, const char *sql, const char *types, ...);

/* A column's text copied into out, cut at size; an SQL NULL gives "". */
void store_column_text(sqlite3_stmt *statement, int column, char *out, size_t size);

/* One small named text (the portal's address): "" when it was never set. */
enum store_result store_setting_get(struct store *store, const char *name, char *out, size_t size);
bool store_setting_set(struct store *store, const char *name, const char *value);

#endif
