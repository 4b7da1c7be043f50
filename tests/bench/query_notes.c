/*
 * query_notes: for LD_PRELOAD: notes every SQL statement that a program runs with SQLite, how often, for how long, and in how
 * many steps of SQLite's machine, and appends that to the file PINWARD_BENCH_QUERIES when the program ends.
 *
 * One line for each statement: runs, steps in all, nanoseconds in all, and the text, with tabs between them.
 * Owner: the process. Thread rule: any thread.
 */
#include <dlfcn.h>
#include <inttypes.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STATEMENTS_MAX 256

#define VISIBLE __attribute__((visibility("default")))

struct statement {
    char *sql;
    uint64_t runs, steps, took_ns;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct statement statements[STATEMENTS_MAX];
static size_t statement_count;

/* With the lock held; NULL when there is no more room. */
static struct statement *statement_of(const char *sql)
{
    for (size_t i = 0; i < statement_count; i++)
        if (strcmp(statements[i].sql, sql) == 0)
            return &statements[i];
    if (statement_count == STATEMENTS_MAX)
        return NULL;
    statements[statement_count].sql = strdup(sql);
    return statements[statement_count].sql ? &statements[statement_count++] : NULL;
}

/* What SQLite calls when a statement has run (sqlite3_trace_v2, SQLITE_TRACE_PROFILE). */
static int note(unsigned type, void *context, void *prepared, void *took)
{
    sqlite3_stmt *stmt = prepared;
    const char *sql = sqlite3_sql(stmt);
    const int steps = sqlite3_stmt_status(stmt, SQLITE_STMTSTATUS_VM_STEP, 1);
    struct statement *statement;

    (void)type, (void)context;
    pthread_mutex_lock(&lock);
    statement = sql ? statement_of(sql) : NULL;
    if (statement) {
        statement->runs++;
        statement->steps += (uint64_t)steps;
        statement->took_ns += *(sqlite3_uint64 *)took;
    }
    pthread_mutex_unlock(&lock);
    return 0;
}

VISIBLE int sqlite3_open_v2(const char *filename, sqlite3 **db, int flags, const char *vfs)
{
    int (*open_v2)(const char *, sqlite3 **, int, const char *);
    int status;

    *(void **)&open_v2 = dlsym(RTLD_NEXT, "sqlite3_open_v2");
    status = open_v2(filename, db, flags, vfs);
    if (status == SQLITE_OK)
        (void)sqlite3_trace_v2(*db, SQLITE_TRACE_PROFILE, note, NULL);
    return status;
}

static void __attribute__((destructor)) write_notes(void)
{
    const char *path = getenv("PINWARD_BENCH_QUERIES");
    FILE *file = path && statement_count > 0 ? fopen(path, "ae") : NULL;

    for (size_t i = 0; i < statement_count; i++) {
        if (file)
            fprintf(file, "%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%s\n", statements[i].runs, statements[i].steps,
                    statements[i].took_ns, statements[i].sql);
        free(statements[i].sql);
    }
    if (file)
        fclose(file);
}
