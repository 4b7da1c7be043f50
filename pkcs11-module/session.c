#include "pkcs11-module/session.h"

#include <stdlib.h>
#include <string.h>

#include "common/log.h"

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

/* Ends every operation that no thread is busy with, dooms the others, and hands out the sessions beside that are to be
 * closed. With the session's lock held. */
static void session_drop_operations(struct session *session, CK_SESSION_HANDLE beside[OPERATION_KINDS])
{
    for (int kind = 0; kind < OPERATION_KINDS; kind++) {
        struct operation *op = &session->operations[kind];

        beside[kind] = CK_INVALID_HANDLE;
        if (op->state == OPERATION_ASKING || op->state == OPERATION_RUNNING) {
            op->doomed = true;
        } else {
            beside[kind] = op->on;
            memset(op, 0, sizeof *op);
        }
        session->free[kind].active = false;
    }
    session->presented_end_ms = 0;
}

static void close_all_beside(struct session_table *table, CK_FUNCTION_LIST *backend,
                             const CK_SESSION_HANDLE beside[OPERATION_KINDS])
{
    for (int kind = 0; kind < OPERATION_KINDS; kind++)
        if (beside[kind] != CK_INVALID_HANDLE)
            session_close_beside(table, backend, beside[kind]);
}

/* A session that has just left the table: no thread may go on with it, and what runs beside it is closed. */
static void session_retire(struct session_table *table, CK_FUNCTION_LIST *backend, struct session *session)
{
    CK_SESSION_HANDLE beside[OPERATION_KINDS];

    pthread_mutex_lock(&session->lock);
    session->closed = true;
    session_drop_operations(session, beside);
    pthread_mutex_unlock(&session->lock);
    close_all_beside(table, backend, beside);
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
    return taken;
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

void session_close_beside(struct session_table *table, CK_FUNCTION_LIST *backend, CK_SESSION_HANDLE handle)
{
    const struct selection wanted = {.by_handle = true, .beside_only = true, .handle = handle};
    struct session *session = shard_take(table, shard_index(handle), &wanted);

    if (!session)
        return;
    session_put(table, session);
    if (backend)
        (void)backend->C_CloseSession(handle);
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
            CK_SESSION_HANDLE beside[OPERATION_KINDS];

            pthread_mutex_lock(&session->lock);
            session_drop_operations(session, beside);
            pthread_mutex_unlock(&session->lock);
            close_all_beside(table, backend, beside);
            session_put(table, session);
        }
    }
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

/* ------------------------------------------------------------------ facts about keys */

void session_table_judge_by(struct session_table *table, const struct config *config, const char *program)
{
    pthread_mutex_lock(&table->policy_lock);
    table->config = config;
    table->program = program;
    pthread_mutex_unlock(&table->policy_lock);
}

static enum config_level judge(struct session_table *table, const struct policy_token *token,
                               const struct key_facts *facts, bool any_program)
{
    struct policy_verdict verdict = {.level = CONFIG_LEVEL_HIGH};

    pthread_mutex_lock(&table->policy_lock);
    if (table->config) {
        const struct policy_case judged = {facts, token, any_program ? NULL : table->program};

        verdict = policy_judge(table->config, &judged);
        if (verdict.rule)
            log_debug("key \"%s\": level %s by [%s], line %u", facts->label, config_level_name(verdict.level),
                      verdict.rule->section, verdict.rule->line);
    }
    pthread_mutex_unlock(&table->policy_lock);
    return verdict.level;
}

/* Which token is it? Asked before a key's facts are read: when these can be read, the session is still there, and so
 * was its token when it was asked, since a session ends with the removal of its token. */
static CK_RV session_token(CK_FUNCTION_LIST *backend, struct session *session, struct policy_token *token)
{
    CK_TOKEN_INFO info;
    bool known;
    CK_RV rv;

    pthread_mutex_lock(&session->lock);
    known = session->token_known;
    *token = session->token;
    pthread_mutex_unlock(&session->lock);
    if (known)
        return CKR_OK;
    rv = backend->C_GetTokenInfo(session->slot, &info);
    if (rv == CKR_OK)
        policy_token_init(token, &info);
    return rv;
}

static CK_RV read_facts(struct session_table *table, CK_FUNCTION_LIST *backend, struct session *session,
                        CK_OBJECT_HANDLE object, struct policy_token *token, struct key_facts *facts)
{
    struct key_facts read;
    CK_RV rv = session_token(backend, session, token);

    if (rv == CKR_OK)
        rv = key_facts_read(backend, session->handle, object, &read);
    if (rv != CKR_OK)
        return rv;
    if (key_facts_is_private_key(&read))
        read.level = judge(table, token, &read, false);
    *facts = read;
    return CKR_OK;
}

CK_RV session_key_facts(struct session_table *table, CK_FUNCTION_LIST *backend, struct session *session,
                        CK_OBJECT_HANDLE object, struct key_facts *facts)
{
    /* Taken before the token is read: what changes while it is read makes the result stale, not wrong for good. */
    const uint64_t epoch = atomic_load(&table->facts_epoch) + 1;
    struct policy_token token;
    bool known = false;
    CK_RV rv;

    pthread_mutex_lock(&session->lock);
    for (int i = 0; i < SESSION_FACTS_KEPT && !known; i++) {
        if (session->facts[i].object == object && session->facts[i].epoch == epoch) {
            *facts = session->facts[i].facts;
            known = true;
        }
    }
    pthread_mutex_unlock(&session->lock);
    if (known)
        return CKR_OK;
    rv = read_facts(table, backend, session, object, &token, facts);
    if (rv != CKR_OK)
        return rv;
    pthread_mutex_lock(&session->lock);
    session->facts[session->facts_next].object = object;
    session->facts[session->facts_next].epoch = epoch;
    session->facts[session->facts_next].facts = *facts;
    session->facts_next = (session->facts_next + 1) % SESSION_FACTS_KEPT;
    session->token = token;
    session->token_known = true;
    pthread_mutex_unlock(&session->lock);
    return CKR_OK;
}

CK_RV session_new_key_level(struct session_table *table, CK_FUNCTION_LIST *backend, struct session *session,
                            const struct key_facts *facts, enum config_level *level)
{
    struct policy_token token;
    CK_RV rv = session_token(backend, session, &token);

    if (rv == CKR_OK)
        *level = judge(table, &token, facts, true);
    return rv;
}

void session_forget_facts(struct session_table *table)
{
    atomic_fetch_add(&table->facts_epoch, 1);
}
