#include "pkcs11-module/session.h"

#include <stdlib.h>
#include <string.h>

static unsigned shard_index(CK_SESSION_HANDLE handle)
{
    /* Backends count handles up from 1: neighbours must not share a shard. Fibonacci hashing. */
    return (unsigned)((handle * UINT64_C(0x9E3779B97F4A7C15)) >> 58);
}

_Static_assert(SESSION_SHARDS == 64, "shard_index keeps the upper 6 bits");

static void session_free(struct session *session)
{
    pthread_mutex_destroy(&session->lock);
    free(session);
}

/* With the shard's lock held: true when that was the last reference. */
static bool session_release(struct session *session)
{
    return --session->references == 0;
}

struct session *session_get(struct session_table *table, CK_SESSION_HANDLE handle)
{
    const unsigned i = shard_index(handle);
    struct session *found = NULL;

    pthread_mutex_lock(&table->shards[i].lock);
    for (struct session *s = table->shards[i].first; s && !found; s = s->next)
        if (s->handle == handle)
            found = s;
    if (found)
        found->references++;
    pthread_mutex_unlock(&table->shards[i].lock);
    return found;
}

void session_put(struct session_table *table, struct session *session)
{
    const unsigned i = shard_index(session->handle);
    bool last;

    pthread_mutex_lock(&table->shards[i].lock);
    last = session_release(session);
    pthread_mutex_unlock(&table->shards[i].lock);
    if (last)
        session_free(session);
}

bool session_is_one_beside(struct session_table *table, CK_SESSION_HANDLE handle)
{
    struct session *session = session_get(table, handle);
    bool beside;

    if (!session)
        return false;
    beside = session->beside;
    session_put(table, session);
    return beside;
}

struct operation_rest operation_end(struct operation *operation)
{
    const struct operation_rest rest = {.on = operation->on, .with = operation->with};

    memset(operation, 0, sizeof *operation);
    return rest;
}

/* Ends every operation that no thread is busy with, dooms the others, and hands out the sessions beside that are to be
 * closed. With the session's lock held. */
static void session_drop_operations(struct session *session, struct operation_rest rest[OPERATION_KINDS])
{
    for (int kind = 0; kind < OPERATION_KINDS; kind++) {
        struct operation *op = &session->operations[kind];

        rest[kind] = (struct operation_rest){.on = CK_INVALID_HANDLE};
        if (op->state == OPERATION_ASKING || op->state == OPERATION_RUNNING)
            op->doomed = true;
        else
            rest[kind] = operation_end(op);
        session->free[kind].active = false;
    }
    session->presented_end_ms = 0;
}

static void close_all_beside(struct session_table *table, CK_FUNCTION_LIST *backend,
                             const struct operation_rest rest[OPERATION_KINDS])
{
    for (int kind = 0; kind < OPERATION_KINDS; kind++)
        if (rest[kind].on != CK_INVALID_HANDLE)
            session_close_beside(table, backend, &rest[kind]);
}

/* A session that has just left the table: no thread may go on with it, and what runs beside it is closed. */
static void session_retire(struct session_table *table, CK_FUNCTION_LIST *backend, struct session *session)
{
    struct operation_rest rest[OPERATION_KINDS];

    pthread_mutex_lock(&session->lock);
    session->closed = true;
    session_drop_operations(session, rest);
    pthread_mutex_unlock(&session->lock);
    close_all_beside(table, backend, rest);
    session_put(table, session);
}

/* Which sessions are meant. */
struct selection {
    bool by_handle, by_slot, beside_only;
    CK_SESSION_HANDLE handle;
    CK_SLOT_ID slot;
};

static bool is_selected(const struct session *session, const struct selection *wanted)
{
    return (!wanted->by_handle || session->handle == wanted->handle) &&
           (!wanted->by_slot || session->slot == wanted->slot) && (!wanted->beside_only || session->beside);
}

/* Unlinks the first session of a shard that is meant; the table's reference goes to the caller. */
static struct session *shard_take(struct session_table *table, unsigned i, const struct selection *wanted)
{
    struct session *taken = NULL;

    pthread_mutex_lock(&table->shards[i].lock);
    for (struct session **link = &table->shards[i].first; *link && !taken;) {
        struct session *s = *link;

        if (is_selected(s, wanted)) {
            *link = s->next;
            taken = s;
        } else {
            link = &s->next;
        }
    }
    pthread_mutex_unlock(&table->shards[i].lock);
    if (taken && taken->beside)
        atomic_fetch_sub(&table->beside, 1);
    return taken;
}

CK_RV session_backend_open(struct session_table *table, CK_FUNCTION_LIST *backend, CK_SLOT_ID slot, CK_FLAGS flags,
                           CK_VOID_PTR application, CK_NOTIFY notify, CK_SESSION_HANDLE *handle)
{
    CK_RV rv;

    pthread_mutex_lock(&table->backend_lock);
    rv = backend->C_OpenSession(slot, flags, application, notify, handle);
    pthread_mutex_unlock(&table->backend_lock);
    return rv;
}

CK_RV session_backend_close(struct session_table *table, CK_FUNCTION_LIST *backend, CK_SESSION_HANDLE handle)
{
    CK_RV rv;

    pthread_mutex_lock(&table->backend_lock);
    rv = backend->C_CloseSession(handle);
    pthread_mutex_unlock(&table->backend_lock);
    return rv;
}

CK_RV session_backend_close_all(struct session_table *table, CK_FUNCTION_LIST *backend, CK_SLOT_ID slot)
{
    CK_RV rv;

    pthread_mutex_lock(&table->backend_lock);
    rv = backend->C_CloseAllSessions(slot);
    pthread_mutex_unlock(&table->backend_lock);
    return rv;
}

CK_RV session_add(struct session_table *table, CK_SESSION_HANDLE handle, CK_SLOT_ID slot, CK_FLAGS flags, bool beside)
{
    const unsigned i = shard_index(handle);
    struct session *session = calloc(1, sizeof *session);

    if (!session)
        return CKR_HOST_MEMORY;
    if (pthread_mutex_init(&session->lock, NULL) != 0) {
        free(session);
        return CKR_HOST_MEMORY;
    }
    session->handle = handle;
    session->slot = slot;
    session->flags = flags;
    session->beside = beside;
    session->references = 1;
    /* A backend gives a number again once the token was pulled: the old record must not answer for the new one. What
     * ran beside the old one went with the token, and its number may be somebody else's by now: it is not closed. */
    session_remove(table, NULL, handle);
    if (beside)
        atomic_fetch_add(&table->beside, 1);
    pthread_mutex_lock(&table->shards[i].lock);
    session->next = table->shards[i].first;
    table->shards[i].first = session;
    pthread_mutex_unlock(&table->shards[i].lock);
    return CKR_OK;
}

void session_remove(struct session_table *table, CK_FUNCTION_LIST *backend, CK_SESSION_HANDLE handle)
{
    const struct selection wanted = {.by_handle = true, .handle = handle};
    struct session *session = shard_take(table, shard_index(handle), &wanted);

    if (session)
        session_retire(table, backend, session);
}

static void session_remove_all(struct session_table *table, CK_FUNCTION_LIST *backend, const struct selection *wanted)
{
    struct session *session;

    for (unsigned i = 0; i < SESSION_SHARDS; i++)
        while ((session = shard_take(table, i, wanted)) != NULL)
            session_retire(table, backend, session);
}

void session_remove_slot(struct session_table *table, CK_FUNCTION_LIST *backend, CK_SLOT_ID slot)
{
    const struct selection wanted = {.by_slot = true, .slot = slot};

    session_remove_all(table, backend, &wanted);
}

void session_table_clear(struct session_table *table)
{
    const struct selection all = {0};

    session_remove_all(table, NULL, &all);
}

void session_close_beside(struct session_table *table, CK_FUNCTION_LIST *backend, const struct operation_rest *rest)
{
    const struct selection wanted = {.by_handle = true, .beside_only = true, .handle = rest->on};
    struct session *session = shard_take(table, shard_index(rest->on), &wanted);

    if (session) {
        session_put(table, session);
        if (backend)
            (void)session_backend_close(table, backend, rest->on);
    }
    mechanism_free(rest->with);
}

/* A session of the shard that is of the slot and has not been visited in this round, referenced; NULL when there is none. */
static struct session *shard_next(struct session_table *table, unsigned i, CK_SLOT_ID slot, uint64_t round)
{
    struct session *s;

    pthread_mutex_lock(&table->shards[i].lock);
    s = table->shards[i].first;
    while (s && (s->slot != slot || s->visited >= round))
        s = s->next;
    if (s) {
        s->visited = round;
        s->references++;
    }
    pthread_mutex_unlock(&table->shards[i].lock);
    return s;
}

void session_end_operations(struct session_table *table, CK_FUNCTION_LIST *backend, CK_SLOT_ID slot)
{
    const uint64_t round = atomic_fetch_add(&table->rounds, 1) + 1;

    for (unsigned i = 0; i < SESSION_SHARDS; i++) {
        struct session *session;

        while ((session = shard_next(table, i, slot, round)) != NULL) {
            struct operation_rest rest[OPERATION_KINDS];

            pthread_mutex_lock(&session->lock);
            session_drop_operations(session, rest);
            pthread_mutex_unlock(&session->lock);
            close_all_beside(table, backend, rest);
            session_put(table, session);
        }
    }
}

bool session_any_read_only(struct session_table *table, CK_SLOT_ID slot)
{
    bool any = false;

    for (unsigned i = 0; i < SESSION_SHARDS && !any; i++) {
        pthread_mutex_lock(&table->shards[i].lock);
        for (const struct session *s = table->shards[i].first; s && !any; s = s->next)
            any = s->slot == slot && !s->beside && !(s->flags & CKF_RW_SESSION);
        pthread_mutex_unlock(&table->shards[i].lock);
    }
    return any;
}

bool session_any_on_slot(struct session_table *table, CK_SLOT_ID slot)
{
    bool any = false;

    for (unsigned i = 0; i < SESSION_SHARDS && !any; i++) {
        pthread_mutex_lock(&table->shards[i].lock);
        for (const struct session *s = table->shards[i].first; s && !any; s = s->next)
            any = s->slot == slot && !s->beside;
        pthread_mutex_unlock(&table->shards[i].lock);
    }
    return any;
}
