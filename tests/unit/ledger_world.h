/*
 * ledger_world: a ledger in a folder of its own, and whether its lines are chained.
 *
 * Owner: the test program's, from one test's start to its stop. Thread rule: one thread, but for what says otherwise.
 */
#ifndef PINWARD_TESTS_LEDGER_WORLD_H
#define PINWARD_TESTS_LEDGER_WORLD_H

#include <stdbool.h>
#include <stddef.h>

#include "common/ledger.h"
#include "support/folder.h"

extern char world_folder[FOLDER_PATH_MAX];
extern char world_path[FOLDER_PATH_MAX];      /* the ledger's, in a folder below that is not there yet */
extern char world_head_path[FOLDER_PATH_MAX]; /* its head's */
extern const struct ledger_entry world_entry;

/* As cmocka's setup and teardown. */
int world_start(void **state);
int world_stop(void **state);

/* Appends world_entry; any thread or process. */
enum error_code world_append(struct error *err);

/* Appends it n times; the test fails when one fails. */
void world_append_ok(unsigned n);

/* The whole ledger, the caller's to free. */
char *world_read(void);

/* Does the head say that there are so many lines, and that this is the last? */
bool world_head_is(unsigned long long lines, const char *last, size_t len);

/* How many lines hold the hash of the line before them and their own number; the head must fit the last. Cuts the text
 * into lines. */
unsigned world_count_chained(char *ledger);

/* The ledger has this many lines, and they are chained. */
void world_assert_chained(unsigned lines);

#endif
