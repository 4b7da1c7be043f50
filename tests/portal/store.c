#include "store.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store_schema.h"

#define STORE_BUSY_TIMEOUT_MS 4000

struct store {
    sqlite3 *db;
    enum store_failure failure;
};

static void note_failure(struct store *store, const char *what)
{
    int code = sqlite3_errcode(store->db) & 0xff;

    store->failure = code == SQLITE_BUSY || code == SQLITE_LOCKED ? STORE_FAILURE_BUSY : STORE_FAILURE_OTHER;
    fprintf(stderr, "pinward-portal: database: %s: %s\n", what, sqlite3_errmsg(store->db));
}

static bool exec(struct store *store, const char *sql)
{
    if (sqlite3_exec(store->db, sql, NULL, NULL, NULL) == SQLITE_OK)
        return true;
    note_failure(store, "cannot execute");
    return false;
}

static int user_version(struct store *store)
{
    sqlite3_stmt *statement = store_query(store, "PRAGMA user_version", "");
    int version = -1;

    if (statement != NULL && store_step(store, statement) == STORE_ROW)
        version = sqlite3_column_int(statement, 0);
    sqlite3_finalize(statement);
    return version;
}

static enum error_code open_file(const char *data_dir, int flags, struct store **store, struct error *err)
{
    struct store *new_store = NULL;
    char path[4096];

    if (snprintf(path, sizeof(path), "%s/portal.db", data_dir) >= (int)sizeof(path))
        return error_set(err, ERROR_USAGE, "The data folder's name is too long; use a shorter one.");
    new_store = calloc(1, sizeof(*new_store));
    if (new_store == NULL)
        return error_set(err, ERROR_MEMORY, "There is no memory to open the database.");
    /* One thread at a time uses a store, so SQLite needs no mutex of its own for it. */
    if (sqlite3_open_v2(path, &new_store->db, flags | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) {
        store_close(&new_store);
        return error_set(err, ERROR_IO,
                         "The database %s cannot be opened; run \"pinward-portal-admin init\" first.", path);
    }
    sqlite3_busy_timeout(new_store->db, STORE_BUSY_TIMEOUT_MS);
    if (!exec(new_store, "PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL;")) {
        store_close(&new_store);
        return error_set(err, ERROR_IO, "The database %s cannot be used; see the message above.", path);
    }
    *store = new_store;
    return ERROR_NONE;
}

enum error_code store_open(const char *data_dir, struct store **store, struct error *err)
{
    struct store *new_store = NULL;
    enum error_code status = open_file(data_dir, SQLITE_OPEN_READWRITE, &new_store, err);

    if (status != ERROR_NONE)
        return status;
    if (user_version(new_store) != STORE_SCHEMA_VERSION) {
        store_close(&new_store);
        return error_set(err, ERROR_STATE,
                         "The database in %s was made by another version of the portal; use that one.",
                         data_dir);
    }
    *store = new_store;
    return ERROR_NONE;
}

enum error_code store_create(const char *data_dir, struct store **store, struct error *err)
{
    struct store *new_store = NULL;
    enum error_code status;
    mode_t mask = umask(0077);

    status = open_file(data_dir, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, &new_store, err);
    umask(mask);
    if (status != ERROR_NONE)
        return status;
    if (user_version(new_store) != 0) {
        status =
            error_set(err, ERROR_STATE, "There is a portal in %s already; choose an empty folder.", data_dir);
        goto out;
    }
    if (!exec(new_store, "PRAGMA journal_mode = WAL;") || !store_begin(new_store) ||
        !exec(new_store, store_schema_sql) || !exec(new_store, "PRAGMA user_version = 1;") ||
        !store_commit(new_store)) {
        status = error_set(err, ERROR_IO, "The database in %s cannot be created; see the message above.",
                           data_dir);
        goto out;
    }
    *store = new_store;
    new_store = NULL;
out:
    store_close(&new_store);
    return status;
}

void store_close(struct store **store)
{
    if (store == NULL || *store == NULL)
        return;
    sqlite3_close((*store)->db);
    free(*store);
    *store = NULL;
}

enum store_failure store_failure(const struct store *store)
{
    return store->failure;
}

void store_failure_clear(struct store *store)
{
    store->failure = STORE_FAILURE_NONE;
}

bool store_begin(struct store *store)
{
    return exec(store, "BEGIN IMMEDIATE");
}

bool store_commit(struct store *store)
{
    return exec(store, "COMMIT");
}

void store_rollback(struct store *store)
{
    if (sqlite3_get_autocommit(store->db) == 0)
        (void)exec(store, "ROLLBACK");
}

static int bind_value(sqlite3_stmt *statement, int index, char type, va_list *values)
{
    const void *data;
    size_t len;

    if (type == 'i')
        return sqlite3_bind_int64(statement, index, va_arg(*values, int64_t));
    if (type == 's') {
        data = va_arg(*values, const char *);
        return data == NULL ? sqlite3_bind_null(statement, index)
                            : sqlite3_bind_text(statement, index, data, -1, SQLITE_TRANSIENT);
    }
    data = va_arg(*values, const void *);
    len = va_arg(*values, size_t);
    return sqlite3_bind_blob64(statement, index, data, len, SQLITE_TRANSIENT);
}

static sqlite3_stmt *query_va(struct store *store, const char *sql, const char *types, va_list *values)
{
    sqlite3_stmt *statement = NULL;

    if (sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL) != SQLITE_OK) {
        note_failure(store, "cannot prepare");
        return NULL;
    }
    for (int i = 0; types[i] != '\0'; i++) {
        if (bind_value(statement, i + 1, types[i], values) != SQLITE_OK) {
            note_failure(store, "cannot bind");
            sqlite3_finalize(statement);
            return NULL;
        }
    }
    return statement;
}

sqlite3_stmt *store_query(struct store *store, const char *sql, const char *types, ...)
{
    sqlite3_stmt *statement;
    va_list values;

    va_start(values, types);
    statement = query_va(store, sql, types, &values);
    va_end(values);
    return statement;
}

enum store_result store_step(struct store *store, sqlite3_stmt *statement)
{
    int status = statement == NULL ? SQLITE_ERROR : sqlite3_step(statement);

    if (status == SQLITE_ROW)
        return STORE_ROW;
    if (status == SQLITE_DONE)
        return STORE_DONE;
    if (statement != NULL)
        note_failure(store, "cannot step");
    return STORE_FAILED;
}

bool store_run(struct store *store, int *changes, const char *sql, const char *types, ...)
{
    enum store_result result = STORE_FAILED;
    sqlite3_stmt *statement;
    va_list values;

    va_start(values, types);
    statement = query_va(store, sql, types, &values);
    va_end(values);
    result = store_step(store, statement);
    if (result == STORE_DONE && changes != NULL)
        *changes = sqlite3_changes(store->db);
    sqlite3_finalize(statement);
    return result == STORE_DONE;
}

void store_column_text(sqlite3_stmt *statement, int column, char *out, size_t size)
{
    const char *text = (const char *)sqlite3_column_text(statement, column);

    snprintf(out, size, "%s", text == NULL ? "" : text);
}

enum store_result store_setting_get(struct store *store, const char *name, char *out, size_t size)
{
    sqlite3_stmt *statement = store_query(store, "SELECT value FROM setting WHERE name = ?", "s", name);
    enum store_result result = store_step(store, statement);

    if (result != STORE_FAILED)
        out[0] = '\0';
    if (result == STORE_ROW)
        store_column_text(statement, 0, out, size);
    sqlite3_finalize(statement);
    return result;
}

bool store_setting_set(struct store *store, const char *name, const char *value)
{
    return store_run(store, NULL,
                     "INSERT INTO setting VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
                     "ss", name, value);
}
