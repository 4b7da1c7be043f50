#include "store_certificate.h"

#include <stdlib.h>
#include <string.h>

#define CERTIFICATE_COLUMNS                                                                                  \
    "SELECT c.serial, c.application_id, c.account, c.use = 'encryption', c.state, c.state_since, c.reason,"  \
    " c.subject_dn, c.not_before, c.not_after, (SELECT p.serial FROM certificate AS p"                       \
    " WHERE p.application_id = c.application_id AND p.use <> c.use) FROM certificate AS c "

static const char *const use_names[] = {
    [CERTIFICATE_SIGNING] = "signing",
    [CERTIFICATE_ENCRYPTION] = "encryption",
};

static const char *const state_names[] = {
    [CERTIFICATE_ISSUED] = "issued",   [CERTIFICATE_ACTIVE] = "active",
    [CERTIFICATE_RENEWED] = "renewed", [CERTIFICATE_SUSPENDED] = "suspended",
    [CERTIFICATE_REVOKED] = "revoked", [CERTIFICATE_EXPIRED] = "expired",
};

const char *certificate_use_name(enum certificate_use use)
{
    return use_names[use];
}

const char *certificate_state_name(enum certificate_state state)
{
    return state_names[state];
}

static enum certificate_state read_state(const char *name, int64_t not_after, int64_t now_s)
{
    enum certificate_state state = CERTIFICATE_ISSUED;

    while (state < CERTIFICATE_REVOKED && strcmp(name, state_names[state]) != 0)
        state++;
    return state != CERTIFICATE_REVOKED && now_s > not_after ? CERTIFICATE_EXPIRED : state;
}

void certificate_read(sqlite3_stmt *row, int64_t now_s, struct certificate *out)
{
    memset(out, 0, sizeof(*out));
    store_column_text(row, 0, out->serial, sizeof(out->serial));
    store_column_text(row, 1, out->application_id, sizeof(out->application_id));
    store_column_text(row, 2, out->account, sizeof(out->account));
    out->use = sqlite3_column_int(row, 3) != 0 ? CERTIFICATE_ENCRYPTION : CERTIFICATE_SIGNING;
    out->state_since = sqlite3_column_int64(row, 5);
    out->reason = sqlite3_column_int(row, 6);
    store_column_text(row, 7, out->subject_dn, sizeof(out->subject_dn));
    out->not_before = sqlite3_column_int64(row, 8);
    out->not_after = sqlite3_column_int64(row, 9);
    out->state = read_state((const char *)sqlite3_column_text(row, 4), out->not_after, now_s);
    store_column_text(row, 10, out->partner_serial, sizeof(out->partner_serial));
}

static enum store_result read_one(struct store *store, sqlite3_stmt *row, int64_t now_s,
                                  struct certificate *out)
{
    enum store_result result = store_step(store, row);

    if (result == STORE_ROW)
        certificate_read(row, now_s, out);
    sqlite3_finalize(row);
    return result;
}

enum store_result certificate_find(struct store *store, const char *serial, int64_t now_s,
                                   struct certificate *out)
{
    return read_one(store, store_query(store, CERTIFICATE_COLUMNS "WHERE c.serial = ?", "s", serial), now_s,
                    out);
}

enum store_result certificate_find_of(struct store *store, const char *application_id,
                                      enum certificate_use use, int64_t now_s, struct certificate *out)
{
    return read_one(store,
                    store_query(store, CERTIFICATE_COLUMNS "WHERE c.application_id = ? AND c.use = ?", "ss",
                                application_id, use_names[use]),
                    now_s, out);
}

/* The blob in the column, copied into a new buffer. */
static enum store_result read_der(sqlite3_stmt *row, int column, uint8_t **der, size_t *len)
{
    size_t size = (size_t)sqlite3_column_bytes(row, column);
    uint8_t *copy = malloc(size + 1);

    if (copy == NULL)
        return STORE_FAILED;
    if (size > 0)
        memcpy(copy, sqlite3_column_blob(row, column), size);
    *der = copy;
    *len = size;
    return STORE_ROW;
}

enum store_result certificate_der(struct store *store, const char *serial, uint8_t **der, size_t *len)
{
    sqlite3_stmt *row = store_query(store, "SELECT der FROM certificate WHERE serial = ?", "s", serial);
    enum store_result result = store_step(store, row);

    if (result == STORE_ROW)
        result = read_der(row, 0, der, len);
    sqlite3_finalize(row);
    return result;
}

sqlite3_stmt *certificate_list(struct store *store, const char *account)
{
    if (account == NULL)
        return store_query(store, CERTIFICATE_COLUMNS "ORDER BY c.seq DESC", "");
    return store_query(store, CERTIFICATE_COLUMNS "WHERE c.account = ? ORDER BY c.seq DESC", "s", account);
}

enum store_result certificate_pair_in_use(struct store *store, const char *account, int64_t now_s)
{
    sqlite3_stmt *row =
        store_query(store,
                    "SELECT 1 FROM certificate AS c WHERE account = ?1"
                    " AND state IN ('active', 'suspended') AND not_after >= ?2 AND use = 'signing'"
                    " AND EXISTS (SELECT 1 FROM certificate AS p"
                    "  WHERE p.application_id = c.application_id AND p.use = 'encryption'"
                    "  AND p.state IN ('active', 'suspended')) LIMIT 1",
                    "si", account, now_s);
    enum store_result result = store_step(store, row);

    sqlite3_finalize(row);
    return result;
}

static bool crl_note_change(struct store *store)
{
    return store_run(store, NULL, "UPDATE crl SET change = change + 1", "");
}

bool certificate_add(struct store *store, const struct certificate *c, const uint8_t *der, size_t len)
{
    return store_run(store, NULL,
                     "INSERT INTO certificate (serial, application_id, account, use, state, state_since, "
                     "subject_dn,"
                     " not_before, not_after, der) VALUES (?, ?, ?, ?, 'issued', ?, ?, ?, ?, ?)",
                     "ssssisiib", c->serial, c->application_id, c->account, use_names[c->use], c->state_since,
                     c->subject_dn, c->not_before, c->not_after, der, len) &&
           crl_note_change(store);
}

bool certificate_activate(struct store *store, const char *application_id, int64_t now_s)
{
    return store_run(store, NULL,
                     "UPDATE certificate SET state = 'active', state_since = ?"
                     " WHERE application_id = ? AND state = 'issued'",
                     "is", now_s, application_id) &&
           crl_note_change(store);
}

bool certificate_set_renewed(struct store *store, const char *application_id, int64_t now_s)
{
    return store_run(store, NULL,
                     "UPDATE certificate SET state = 'renewed', state_since = ?"
                     " WHERE application_id = ? AND state = 'active'",
                     "is", now_s, application_id) &&
           store_run(store, NULL,
                     "UPDATE certificate SET resumes_to = 'renewed' WHERE application_id = ? AND state = "
                     "'suspended'",
                     "s", application_id);
}

static enum store_result change_state(struct store *store, const char *sql, const char *serial, int64_t now_s,
                                      int reason)
{
    int changes = 0;

    if (!store_run(store, &changes, sql, "sii", serial, now_s, (int64_t)reason))
        return STORE_FAILED;
    if (changes == 0)
        return STORE_DONE;
    return crl_note_change(store) ? STORE_ROW : STORE_FAILED;
}

enum store_result certificate_suspend(struct store *store, const char *serial, int64_t now_s)
{
    return change_state(
        store,
        "UPDATE certificate SET resumes_to = state, state = 'suspended', state_since = ?2, reason = ?3"
        " WHERE serial = ?1 AND state IN ('active', 'renewed') AND not_after >= ?2",
        serial, now_s, 6); /* certificateHold */
}

enum store_result certificate_resume(struct store *store, const char *serial, int64_t now_s)
{
    return change_state(store,
                        "UPDATE certificate SET state = resumes_to, resumes_to = NULL, state_since = ?2,"
                        " reason = nullif(?3, 0) WHERE serial = ?1 AND state = 'suspended'",
                        serial, now_s, 0);
}

enum store_result certificate_revoke(struct store *store, const char *serial, int reason, int64_t now_s)
{
    return change_state(
        store,
        "UPDATE certificate SET state = 'revoked', resumes_to = NULL, state_since = ?2, reason = ?3"
        " WHERE serial = ?1 AND state <> 'revoked' AND not_after >= ?2",
        serial, now_s, reason);
}

sqlite3_stmt *certificate_list_revoked(struct store *store, int64_t now_s, int64_t keep_s)
{
    return store_query(
        store, CERTIFICATE_COLUMNS "WHERE c.state IN ('issued', 'suspended', 'revoked') AND c.not_after >= ?",
        "i", now_s - keep_s);
}

enum store_result crl_state_get(struct store *store, struct crl_state *state, uint8_t **der, size_t *len)
{
    sqlite3_stmt *row =
        store_query(store, "SELECT change, made_change, number, this_update, der FROM crl", "");
    enum store_result result = store_step(store, row);

    if (result == STORE_ROW && der != NULL)
        result = read_der(row, 4, der, len);
    if (result == STORE_ROW) {
        state->change = sqlite3_column_int64(row, 0);
        state->made_change = sqlite3_column_int64(row, 1);
        state->number = sqlite3_column_int64(row, 2);
        state->this_update = sqlite3_column_int64(row, 3);
    }
    sqlite3_finalize(row);
    return result;
}

bool crl_state_set(struct store *store, const struct crl_state *state, const uint8_t *der, size_t len)
{
    return store_run(store, NULL, "UPDATE crl SET made_change = ?, number = ?, this_update = ?, der = ?",
                     "iiib", state->made_change, state->number, state->this_update, der, len);
}
