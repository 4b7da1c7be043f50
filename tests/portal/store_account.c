#include "store_account.h"

#include <sodium.h>
#include <string.h>

#define UNKNOWN_ACCOUNTS_MAX 10000

static void read_registration(sqlite3_stmt *row, int column, struct registration *out)
{
    store_column_text(row, column, out->common_name, sizeof(out->common_name));
    store_column_text(row, column + 1, out->organization, sizeof(out->organization));
    store_column_text(row, column + 2, out->country, sizeof(out->country));
    store_column_text(row, column + 3, out->email, sizeof(out->email));
    store_column_text(row, column + 4, out->registration_number, sizeof(out->registration_number));
}

enum store_result account_find(struct store *store, const char *name, int64_t now_s, struct account *account)
{
    sqlite3_stmt *row = store_query(
        store,
        "SELECT account, password_hash, password_change_required, created_at, failed_tries,"
        "  approved_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM certificate WHERE account = a.account"
        "    AND state IN ('active', 'suspended') AND not_after > a.approved_at AND not_after < ?2),"
        "  common_name, organization, country, email, registration_number FROM account AS a WHERE account = "
        "?1",
        "si", name, now_s);
    enum store_result result = store_step(store, row);

    if (result == STORE_ROW) {
        memset(account, 0, sizeof(*account));
        store_column_text(row, 0, account->name, sizeof(account->name));
        store_column_text(row, 1, account->password_hash, sizeof(account->password_hash));
        account->password_change_required = sqlite3_column_int(row, 2) != 0;
        account->created_at = sqlite3_column_int64(row, 3);
        account->failed_tries = sqlite3_column_int64(row, 4);
        account->approved = sqlite3_column_int(row, 5) != 0;
        read_registration(row, 6, &account->registration);
    }
    sqlite3_finalize(row);
    return result;
}

static void unknown_name_hash(const char *name, uint8_t out[crypto_hash_sha256_BYTES])
{
    crypto_hash_sha256(out, (const unsigned char *)name, strlen(name));
}

enum store_result account_add(struct store *store, const struct account *account, int64_t now_s)
{
    const struct registration *r = &account->registration;
    uint8_t name_hash[crypto_hash_sha256_BYTES];
    int added = 0;

    unknown_name_hash(account->name, name_hash);
    if (!store_run(
            store, &added,
            "INSERT INTO account (account, password_hash, password_change_required, created_at, approved_at,"
            "  common_name, organization, country, email, registration_number)"
            " VALUES (?1, ?2, 1, ?3, iif(?4, ?3, NULL), ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO NOTHING",
            "ssiisssss", account->name, account->password_hash, now_s, (int64_t)account->approved,
            r->common_name, r->organization[0] == '\0' ? NULL : r->organization, r->country, r->email,
            r->registration_number))
        return STORE_FAILED;
    if (added == 0)
        return STORE_DONE;
    if (!store_run(store, NULL, "DELETE FROM unknown_account WHERE name_hash = ?", "b", name_hash,
                   sizeof(name_hash)))
        return STORE_FAILED;
    return STORE_ROW;
}

static enum store_result change_one(bool ran, int changes)
{
    if (!ran)
        return STORE_FAILED;
    return changes == 0 ? STORE_DONE : STORE_ROW;
}

enum store_result account_approve(struct store *store, const char *name, int64_t now_s)
{
    int changes = 0;
    bool ran =
        store_run(store, &changes, "UPDATE account SET approved_at = ? WHERE account = ?", "is", now_s, name);

    return change_one(ran, changes);
}

bool account_set_password(struct store *store, const char *name, const char *hash, bool change_required)
{
    return store_run(store, NULL,
                     "UPDATE account SET password_hash = ?, password_change_required = ?, failed_tries = 0"
                     " WHERE account = ?",
                     "sis", hash, (int64_t)change_required, name);
}

static enum store_result read_count(struct store *store, sqlite3_stmt *row, int64_t *count)
{
    enum store_result result = store_step(store, row);

    if (result == STORE_ROW)
        *count = sqlite3_column_int64(row, 0);
    sqlite3_finalize(row);
    return result;
}

/* Counts the try of an unknown name and forgets the oldest names beyond the limit. */
static bool count_unknown(struct store *store, const char *name, int64_t *count)
{
    uint8_t name_hash[crypto_hash_sha256_BYTES];

    unknown_name_hash(name, name_hash);
    if (!store_run(store, NULL,
                   "INSERT INTO unknown_account (name_hash, failed_tries) VALUES (?, 1)"
                   " ON CONFLICT DO UPDATE SET failed_tries = min(failed_tries + 1, 4)",
                   "b", name_hash, sizeof(name_hash)))
        return false;
    if (!store_run(store, NULL,
                   "DELETE FROM unknown_account WHERE seq <= (SELECT max(seq) FROM unknown_account) - ?", "i",
                   (int64_t)UNKNOWN_ACCOUNTS_MAX))
        return false;
    return read_count(store,
                      store_query(store, "SELECT failed_tries FROM unknown_account WHERE name_hash = ?", "b",
                                  name_hash, sizeof(name_hash)),
                      count) == STORE_ROW;
}

static bool count_try(struct store *store, const char *name, int64_t *count)
{
    enum store_result known;

    known = read_count(
        store, store_query(store, "SELECT failed_tries FROM account WHERE account = ?", "s", name), count);
    if (known == STORE_FAILED)
        return false;
    if (known == STORE_DONE)
        return count_unknown(store, name, count);
    *count += 1;
    if (*count > ACCOUNT_TRIES_MAX)
        return true;
    return store_run(store, NULL, "UPDATE account SET failed_tries = ? WHERE account = ?", "is", *count,
                     name);
}

bool account_try_begin(struct store *store, const char *name, int64_t *count)
{
    int64_t new_count = 0;

    if (!store_begin(store) || !count_try(store, name, &new_count) || !store_commit(store)) {
        store_rollback(store);
        return false;
    }
    *count = new_count;
    return true;
}

bool account_try_succeeded(struct store *store, const char *name)
{
    return store_run(store, NULL, "UPDATE account SET failed_tries = 0 WHERE account = ?", "s", name);
}

enum store_result account_unlock(struct store *store, const char *name)
{
    int changes = 0;
    bool ran = store_run(store, &changes, "UPDATE account SET failed_tries = 0 WHERE account = ?", "s", name);

    return change_one(ran, changes);
}

bool session_add(struct store *store, const uint8_t token_hash[SESSION_HASH_SIZE], const char *account,
                 int64_t now_s)
{
    return store_run(store, NULL, "DELETE FROM session WHERE last_used_at < ?", "i",
                     now_s - SESSION_LIFETIME_S) &&
           store_run(store, NULL, "INSERT INTO session VALUES (?1, ?2, ?3, ?3)", "bsi", token_hash,
                     (size_t)SESSION_HASH_SIZE, account, now_s);
}

enum store_result session_find(struct store *store, const uint8_t token_hash[SESSION_HASH_SIZE],
                               int64_t now_s, int64_t idle_limit_s, struct session *session)
{
    sqlite3_stmt *row =
        store_query(store,
                    "SELECT account, password_change_required, session.created_at, last_used_at"
                    " FROM session JOIN account USING (account) WHERE token_hash = ?",
                    "b", token_hash, (size_t)SESSION_HASH_SIZE);
    enum store_result result = store_step(store, row);
    int64_t end_s = 0, last_used_s = 0;

    if (result == STORE_ROW) {
        store_column_text(row, 0, session->account, sizeof(session->account));
        session->password_change_required = sqlite3_column_int(row, 1) != 0;
        end_s = sqlite3_column_int64(row, 2) + SESSION_LIFETIME_S;
        last_used_s = sqlite3_column_int64(row, 3);
    }
    sqlite3_finalize(row);
    if (result != STORE_ROW)
        return result;
    if (now_s >= end_s || now_s >= last_used_s + idle_limit_s)
        return session_remove(store, token_hash) ? STORE_DONE : STORE_FAILED;
    session->expires_at = now_s + idle_limit_s < end_s ? now_s + idle_limit_s : end_s;
    if (now_s == last_used_s)
        return STORE_ROW;
    return store_run(store, NULL, "UPDATE session SET last_used_at = ? WHERE token_hash = ?", "ib", now_s,
                     token_hash, (size_t)SESSION_HASH_SIZE)
               ? STORE_ROW
               : STORE_FAILED;
}

bool session_remove(struct store *store, const uint8_t token_hash[SESSION_HASH_SIZE])
{
    return store_run(store, NULL, "DELETE FROM session WHERE token_hash = ?", "b", token_hash,
                     (size_t)SESSION_HASH_SIZE);
}

bool session_remove_others(struct store *store, const char *account, const uint8_t *keep)
{
    return store_run(store, NULL, "DELETE FROM session WHERE account = ? AND token_hash <> ?", "sb", account,
                     keep == NULL ? (const uint8_t *)"" : keep,
                     keep == NULL ? (size_t)0 : (size_t)SESSION_HASH_SIZE);
}
