/* The database's rules on a database of its own: captchas, tries, sessions, and that no query reads a whole
 * table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "store_captcha.h"
#include "store_certificate.h"
#include "uuid.h"

static char dir[] = STORE_TEST_DIR "/store-XXXXXX";

static int set_up(void **state)
{
    struct store *store = NULL;
    struct error err;

    if (mkdtemp(dir) == NULL || store_create(dir, &store, &err) != ERROR_NONE)
        return -1;
    *state = store;
    return 0;
}

static int tear_down(void **state)
{
    static const char *const names[] = {"portal.db", "portal.db-wal", "portal.db-shm"};
    struct store *store = *state;
    char path[sizeof dir + 16];

    store_close(&store);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
        (void)unlink(path);
    }
    return rmdir(dir);
}

static void a_captcha_is_taken_once(void **state)
{
    struct store *store = *state;
    char id[UUID_SIZE];

    uuid_make(id);
    assert_true(captcha_add(store, id, "ABC", 1000));
    assert_int_equal(captcha_take(store, id, "abc", 1000 + CAPTCHA_LIFETIME_S - 1), STORE_ROW);
    assert_int_equal(captcha_take(store, id, "abc", 1000), STORE_DONE);
    assert_true(captcha_add(store, id, "ABC", 1000));
    assert_int_equal(captcha_take(store, id, "abd", 1000), STORE_DONE);
    assert_int_equal(captcha_take(store, id, "abc", 1000), STORE_DONE);
    assert_true(captcha_add(store, id, "ABC", 1000));
    assert_int_equal(captcha_take(store, id, "abc", 1000 + CAPTCHA_LIFETIME_S), STORE_DONE);
}

static void only_the_newest_thousand_captchas_stay_open(void **state)
{
    struct store *store = *state;
    char first[UUID_SIZE], second[UUID_SIZE], id[UUID_SIZE];

    uuid_make(first);
    uuid_make(second);
    assert_true(captcha_add(store, first, "A", 5000));
    assert_true(captcha_add(store, second, "A", 5000));
    for (int i = 0; i < CAPTCHA_OPEN_MAX - 1; i++) {
        uuid_make(id);
        assert_true(captcha_add(store, id, "A", 5000));
    }
    assert_int_equal(captcha_take(store, first, "A", 5000), STORE_DONE);
    assert_int_equal(captcha_take(store, second, "A", 5000), STORE_ROW);
}

static void add_account(struct store *store, const char *name)
{
    struct account account = {.approved = true,
                              .registration = {"Ming", "", "TW", "ming@example.org", "R-1"}};

    snprintf(account.name, sizeof(account.name), "%s", name);
    snprintf(account.password_hash, sizeof(account.password_hash), "x");
    assert_int_equal(account_add(store, &account, 1000), STORE_ROW);
    assert_int_equal(account_add(store, &account, 1000), STORE_DONE);
}

static void tries_are_counted_before_the_password_is_judged(void **state)
{
    struct store *store = *state;
    int64_t count = 0;

    add_account(store, "counted");
    for (int64_t i = 1; i <= ACCOUNT_TRIES_MAX; i++) {
        assert_true(account_try_begin(store, "counted", &count));
        assert_int_equal(count, i);
    }
    assert_true(account_try_begin(store, "counted", &count));
    assert_int_equal(count, ACCOUNT_TRIES_MAX + 1);
    assert_int_equal(account_unlock(store, "counted"), STORE_ROW);
    assert_true(account_try_begin(store, "counted", &count));
    assert_int_equal(count, 1);
    assert_int_equal(account_unlock(store, "nobody"), STORE_DONE);
}

static void unknown_names_are_counted_the_same_and_forgotten_when_registered(void **state)
{
    struct store *store = *state;
    int64_t count = 0;

    for (int64_t i = 1; i <= ACCOUNT_TRIES_MAX + 1; i++) {
        assert_true(account_try_begin(store, "stranger", &count));
        assert_int_equal(count, i);
    }
    add_account(store, "stranger");
    assert_true(account_try_begin(store, "stranger", &count));
    assert_int_equal(count, 1);
}

static void sessions_end_by_idling_and_by_age(void **state)
{
    const uint8_t hash[SESSION_HASH_SIZE] = {1};
    struct store *store = *state;
    struct session session;

    add_account(store, "session-user");
    assert_true(session_add(store, hash, "session-user", 1000));
    assert_int_equal(session_find(store, hash, 1099, 100, &session), STORE_ROW);
    assert_int_equal(session.expires_at, 1199);
    assert_true(session.password_change_required);
    assert_int_equal(session_find(store, hash, 1199, 100, &session), STORE_DONE);
    assert_true(session_add(store, hash, "session-user", 1000));
    assert_int_equal(session_find(store, hash, 1000 + SESSION_LIFETIME_S - 1, SESSION_LIFETIME_S, &session),
                     STORE_ROW);
    assert_int_equal(session.expires_at, 1000 + SESSION_LIFETIME_S);
    assert_int_equal(session_find(store, hash, 1000 + SESSION_LIFETIME_S, SESSION_LIFETIME_S, &session),
                     STORE_DONE);
}

/* SQLite's plan for a query must search every table by an index; reading one in index order is for the lists
 * of the registration authority alone. */
static void assert_searches(struct store *store, sqlite3_stmt *query)
{
    sqlite3_stmt *plan;
    char sql[4096];

    snprintf(sql, sizeof(sql), "EXPLAIN QUERY PLAN %s", sqlite3_sql(query));
    sqlite3_finalize(query);
    plan = store_query(store, sql, "");
    assert_non_null(plan);
    while (store_step(store, plan) == STORE_ROW) {
        const char *detail = (const char *)sqlite3_column_text(plan, 3);

        if (strncmp(detail, "SCAN", 4) == 0 && strstr(detail, "CONSTANT ROW") == NULL)
            fail_msg("%s: %s", detail, sql);
        assert_null(strstr(detail, "TEMP B-TREE"));
    }
    sqlite3_finalize(plan);
}

static void lists_are_searched_not_scanned(void **state)
{
    struct store *store = *state;

    assert_searches(store, application_list(store, "counted"));
    assert_searches(store, certificate_list(store, "counted"));
    assert_searches(store, certificate_list_revoked(store, 1000, 10));
}

static void what_was_not_committed_did_not_happen(void **state)
{
    struct store *store = *state;
    char value[16];

    assert_true(store_begin(store));
    assert_true(store_setting_set(store, "name", "value"));
    store_rollback(store);
    assert_int_equal(store_setting_get(store, "name", value, sizeof(value)), STORE_DONE);
    assert_string_equal(value, "");
    assert_true(store_begin(store));
    assert_true(store_setting_set(store, "name", "value"));
    assert_true(store_commit(store));
    store_rollback(store);
    assert_int_equal(store_setting_get(store, "name", value, sizeof(value)), STORE_ROW);
    assert_string_equal(value, "value");
}

static void a_database_is_made_once_and_found_again(void **state)
{
    struct store *again = NULL;
    struct error err = {0};

    (void)state;
    assert_int_equal(store_create(dir, &again, &err), ERROR_STATE);
    assert_null(again);
    assert_int_equal(store_open(dir, &again, &err), ERROR_NONE);
    store_close(&again);
    assert_int_equal(store_open("/nowhere", &again, &err), ERROR_IO);
    assert_null(again);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_captcha_is_taken_once),
        cmocka_unit_test(only_the_newest_thousand_captchas_stay_open),
        cmocka_unit_test(tries_are_counted_before_the_password_is_judged),
        cmocka_unit_test(unknown_names_are_counted_the_same_and_forgotten_when_registered),
        cmocka_unit_test(sessions_end_by_idling_and_by_age),
        cmocka_unit_test(lists_are_searched_not_scanned),
        cmocka_unit_test(what_was_not_committed_did_not_happen),
        cmocka_unit_test(a_database_is_made_once_and_found_again),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
