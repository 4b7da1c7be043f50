#include "store_captcha.h"

#include <strings.h>

static bool add(struct store *store, const char *captcha_id, const char *text, int64_t now_s)
{
    return store_run(store, NULL, "DELETE FROM captcha WHERE expires_at <= ?", "i", now_s) &&
           store_run(store, NULL,
                     "DELETE FROM captcha WHERE seq IN (SELECT seq FROM captcha ORDER BY seq DESC LIMIT -1 "
                     "OFFSET ?)",
                     "i", (int64_t)CAPTCHA_OPEN_MAX - 1) &&
           store_run(store, NULL, "INSERT INTO captcha (captcha_id, text, expires_at) VALUES (?, ?, ?)",
                     "ssi", captcha_id, text, now_s + CAPTCHA_LIFETIME_S);
}

bool captcha_add(struct store *store, const char *captcha_id, const char *text, int64_t now_s)
{
    if (store_begin(store) && add(store, captcha_id, text, now_s) && store_commit(store))
        return true;
    store_rollback(store);
    return false;
}

enum store_result captcha_take(struct store *store, const char *captcha_id, const char *text, int64_t now_s)
{
    /* One statement: of two tries at the same time only one gets the row. */
    sqlite3_stmt *row = store_query(
        store, "DELETE FROM captcha WHERE captcha_id = ? RETURNING text, expires_at", "s", captcha_id);
    enum store_result result = store_step(store, row);

    if (result == STORE_ROW && (sqlite3_column_int64(row, 1) <= now_s ||
                                strcasecmp((const char *)sqlite3_column_text(row, 0), text) != 0))
        result = STORE_DONE;
    if (result != STORE_FAILED && store_step(store, row) == STORE_FAILED)
        result = STORE_FAILED;
    sqlite3_finalize(row);
    return result;
}
