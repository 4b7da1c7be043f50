#include "store_application.h"

#include <stdlib.h>
#include <string.h>

#define APPLICATION_COLUMNS                                                                                  \
    "SELECT a.application_id, a.account, a.kind = 'renewal', a.state, a.request_id, a.request_sha256,"       \
    " a.terms_version, a.terms_sha256, a.replaces, a.submitted_at, a.issued_at, a.activated_at,"             \
    " a.activation_request_id,"                                                                              \
    " (SELECT serial FROM certificate AS c WHERE c.application_id = a.application_id AND use = 'signing'),"  \
    " (SELECT serial FROM certificate AS c WHERE c.application_id = a.application_id AND use = "             \
    "'encryption')"                                                                                          \
    " FROM application AS a "

static const char *const state_names[] = {
    [APPLICATION_SUBMITTED] = "submitted",
    [APPLICATION_ISSUED] = "issued",
    [APPLICATION_ACTIVATED] = "activated",
};

const char *application_state_name(enum application_state state)
{
    return state_names[state];
}

static enum application_state read_state(const char *name)
{
    if (strcmp(name, "activated") == 0)
        return APPLICATION_ACTIVATED;
    return strcmp(name, "issued") == 0 ? APPLICATION_ISSUED : APPLICATION_SUBMITTED;
}

static void read_blob(sqlite3_stmt *row, int column, uint8_t *out, size_t size)
{
    if ((size_t)sqlite3_column_bytes(row, column) == size)
        memcpy(out, sqlite3_column_blob(row, column), size);
}

void application_read(sqlite3_stmt *row, struct application *application)
{
    memset(application, 0, sizeof(*application));
    store_column_text(row, 0, application->application_id, sizeof(application->application_id));
    store_column_text(row, 1, application->account, sizeof(application->account));
    application->renewal = sqlite3_column_int(row, 2) != 0;
    application->state = read_state((const char *)sqlite3_column_text(row, 3));
    store_column_text(row, 4, application->request_id, sizeof(application->request_id));
    read_blob(row, 5, application->request_sha256, sizeof(application->request_sha256));
    store_column_text(row, 6, application->terms_version, sizeof(application->terms_version));
    store_column_text(row, 7, application->terms_sha256, sizeof(application->terms_sha256));
    store_column_text(row, 8, application->replaces, sizeof(application->replaces));
    application->submitted_at = sqlite3_column_int64(row, 9);
    application->issued_at = sqlite3_column_int64(row, 10);
    application->activated_at = sqlite3_column_int64(row, 11);
    store_column_text(row, 12, application->activation_request_id, sizeof(application->activation_request_id));
    store_column_text(row, 13, application->signing_serial, sizeof(application->signing_serial));
    store_column_text(row, 14, application->encryption_serial, sizeof(application->encryption_serial));
}

static enum store_result read_one(struct store *store, sqlite3_stmt *row, struct application *application)
{
    enum store_result result = store_step(store, row);

    if (result == STORE_ROW)
        application_read(row, application);
    sqlite3_finalize(row);
    return result;
}

enum store_result application_find(struct store *store, const char *application_id,
                                   struct application *application)
{
    return read_one(store,
                    store_query(store, APPLICATION_COLUMNS "WHERE a.application_id = ?", "s", application_id),
                    application);
}

enum store_result application_find_by_request(struct store *store, const char *account,
                                              const char *request_id, struct application *application)
{
    return read_one(store,
                    store_query(store, APPLICATION_COLUMNS "WHERE a.account = ? AND a.request_id = ?", "ss",
                                account, request_id),
                    application);
}

enum store_result application_find_open(struct store *store, const char *account, int64_t now_s,
                                        struct application *application)
{
    return read_one(store,
                    store_query(store,
                                APPLICATION_COLUMNS
                                "WHERE a.account = ? AND a.state <> 'activated' AND NOT EXISTS (SELECT 1"
                                " FROM certificate AS c WHERE c.application_id = a.application_id"
                                " AND (c.state <> 'issued' OR c.not_after < ?)) LIMIT 1",
                                "si", account, now_s),
                    application);
}

sqlite3_stmt *application_list(struct store *store, const char *account)
{
    if (account == NULL)
        return store_query(store, APPLICATION_COLUMNS "ORDER BY a.seq DESC", "");
    return store_query(store, APPLICATION_COLUMNS "WHERE a.account = ? ORDER BY a.seq DESC", "s", account);
}

enum store_result application_request(struct store *store, const char *application_id, uint8_t **der,
                                      size_t *len)
{
    sqlite3_stmt *row =
        store_query(store, "SELECT request FROM application WHERE application_id = ?", "s", application_id);
    enum store_result result = store_step(store, row);

    if (result == STORE_ROW) {
        size_t size = (size_t)sqlite3_column_bytes(row, 0);
        uint8_t *copy = malloc(size + 1);

        if (copy == NULL) {
            result = STORE_FAILED;
        } else {
            memcpy(copy, sqlite3_column_blob(row, 0), size);
            *der = copy;
            *len = size;
        }
    }
    sqlite3_finalize(row);
    return result;
}

bool application_add(struct store *store, const struct application *a, const uint8_t *request, size_t len)
{
    return store_run(
        store, NULL,
        "INSERT INTO application (application_id, account, kind, state, request_id, request_sha256,"
        " request, terms_version, terms_sha256, replaces, submitted_at)"
        " VALUES (?, ?, ?, 'submitted', ?, ?, ?, ?, ?, ?, ?)",
        "ssssbbsssi", a->application_id, a->account, a->renewal ? "renewal" : "new", a->request_id,
        a->request_sha256, (size_t)SHA256_SIZE, request, len, a->terms_version, a->terms_sha256,
        a->replaces[0] == '\0' ? NULL : a->replaces, a->submitted_at);
}

bool application_set_issued(struct store *store, const char *application_id, int64_t now_s)
{
    return store_run(store, NULL,
                     "UPDATE application SET state = 'issued', issued_at = ? WHERE application_id = ?", "is",
                     now_s, application_id);
}

bool application_set_activated(struct store *store, const char *application_id, const char *request_id,
                               int64_t now_s)
{
    return store_run(store, NULL,
                     "UPDATE application SET state = 'activated', activated_at = ?, activation_request_id = ?"
                     " WHERE application_id = ?",
                     "iss", now_s, request_id, application_id);
}

enum store_result key_add(struct store *store, const uint8_t spki_sha256[SHA256_SIZE],
                          const char *application_id)
{
    int added = 0;

    if (!store_run(store, &added, "INSERT INTO key VALUES (?, ?) ON CONFLICT DO NOTHING", "bs", spki_sha256,
                   (size_t)SHA256_SIZE, application_id))
        return STORE_FAILED;
    return added == 1 ? STORE_ROW : STORE_DONE;
}

bool challenge_set(struct store *store, const char *application_id, const struct challenge *c)
{
    return store_run(store, NULL, "INSERT OR REPLACE INTO challenge VALUES (?, ?, ?, ?, ?)", "ssbbi",
                     application_id, c->challenge_id, c->nonce, sizeof(c->nonce), c->enveloped_sha256,
                     sizeof(c->enveloped_sha256), c->expires_at);
}

enum store_result challenge_find(struct store *store, const char *application_id, struct challenge *challenge)
{
    sqlite3_stmt *row = store_query(
        store,
        "SELECT challenge_id, nonce, enveloped_sha256, expires_at FROM challenge WHERE application_id = ?",
        "s", application_id);
    enum store_result result = store_step(store, row);

    if (result == STORE_ROW) {
        memset(challenge, 0, sizeof(*challenge));
        store_column_text(row, 0, challenge->challenge_id, sizeof(challenge->challenge_id));
        read_blob(row, 1, challenge->nonce, sizeof(challenge->nonce));
        read_blob(row, 2, challenge->enveloped_sha256, sizeof(challenge->enveloped_sha256));
        challenge->expires_at = sqlite3_column_int64(row, 3);
    }
    sqlite3_finalize(row);
    return result;
}

bool challenge_remove(struct store *store, const char *application_id)
{
    return store_run(store, NULL, "DELETE FROM challenge WHERE application_id = ?", "s", application_id);
}
