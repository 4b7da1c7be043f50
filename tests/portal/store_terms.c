#include "store_terms.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum store_result terms_current(struct store *store, const char *language, struct terms *terms)
{
    sqlite3_stmt *row = store_query(store,
                                    "SELECT version, language, sha256, text FROM terms"
                                    " WHERE seq = (SELECT max(seq) FROM terms) AND language IN (?1, 'en')"
                                    " ORDER BY language = ?1 DESC LIMIT 1",
                                    "s", language);
    enum store_result result = store_step(store, row);
    char *text = NULL;

    if (result == STORE_ROW) {
        text = strdup((const char *)sqlite3_column_text(row, 3));
        if (text == NULL)
            result = STORE_FAILED;
    }
    if (result == STORE_ROW) {
        store_column_text(row, 0, terms->version, sizeof(terms->version));
        store_column_text(row, 1, terms->language, sizeof(terms->language));
        store_column_text(row, 2, terms->sha256, sizeof(terms->sha256));
        terms->text = text;
    }
    sqlite3_finalize(row);
    return result;
}

void terms_clear(struct terms *terms)
{
    free(terms->text);
    memset(terms, 0, sizeof(*terms));
}

enum store_result terms_are_current(struct store *store, const char *version, const char *sha256)
{
    sqlite3_stmt *row = store_query(
        store, "SELECT 1 FROM terms WHERE seq = (SELECT max(seq) FROM terms) AND version = ? AND sha256 = ?",
        "ss", version, sha256);
    enum store_result result = store_step(store, row);

    sqlite3_finalize(row);
    return result;
}

static bool publish_one(struct store *store, const char *version, const char *language, const char *text,
                        int *added)
{
    uint8_t digest[crypto_hash_sha256_BYTES];
    char sha256[TERMS_SHA256_SIZE];

    crypto_hash_sha256(digest, (const unsigned char *)text, strlen(text));
    sodium_bin2hex(sha256, sizeof(sha256), digest, sizeof(digest));
    return store_run(store, added,
                     "INSERT INTO terms SELECT coalesce((SELECT seq FROM terms WHERE version = ?1),"
                     "  (SELECT coalesce(max(seq), 0) + 1 FROM terms)), ?2, ?1, ?3, ?4 WHERE true"
                     " ON CONFLICT DO NOTHING",
                     "ssss", version, language, text, sha256);
}

enum store_result terms_publish(struct store *store, const char *version, const char *english,
                                const char *chinese)
{
    int added_english = 0, added_chinese = 0;

    if (!publish_one(store, version, "en", english, &added_english) ||
        !publish_one(store, version, "zh-TW", chinese, &added_chinese))
        return STORE_FAILED;
    return added_english == 1 && added_chinese == 1 ? STORE_ROW : STORE_DONE;
}
