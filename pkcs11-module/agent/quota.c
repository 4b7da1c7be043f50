#include "pkcs11-module/agent/quota.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "common/log.h"

#define OF_TOKEN 0 /* no session: CK_INVALID_HANDLE */

/* A session and its slot, or an object and its session. */
struct pair {
    CK_ULONG handle;
    CK_ULONG owner;
};

struct table {
    struct pair *rows;
    size_t count;
    size_t coming; /* calls that are under way will add as many */
    size_t room;
    size_t most;
    bool told; /* the log has a line about it: one is enough */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of the tables; not held while a function is called */
static struct table sessions;
static struct table objects;
static CK_FUNCTION_LIST counted; /* the functions that are behind these */

/* ------------------------------------------------------------------ the tables */

static bool table_grow(struct table *table)
{
    const size_t room = table->room > 0 ? 2 * table->room : 16;
    struct pair *rows = realloc(table->rows, room * sizeof *rows);

    if (!rows)
        return false;
    table->rows = rows;
    table->room = room;
    return true;
}

/* Room for more, before there is anything to note: refused is what the client is told when there is none. table_note must
 * follow, with as many. */
static CK_RV table_reserve(struct table *table, size_t more, const char *what, CK_RV refused)
{
    CK_RV rv = CKR_OK;

    pthread_mutex_lock(&lock);
    if (table->count + table->coming + more > table->most)
        rv = refused;
    else if (table->count + table->coming + more > table->room && !table_grow(table))
        rv = CKR_HOST_MEMORY;
    if (rv == CKR_OK)
        table->coming += more;
    else if (!table->told)
        log_warning("the client has %zu %s and is refused more", table->count, what);
    table->told = table->told || rv != CKR_OK;
    pthread_mutex_unlock(&lock);
    return rv;
}

/* What was reserved has come, or (rv) not. */
static void table_note(struct table *table, CK_RV rv, CK_ULONG handle, CK_ULONG owner)
{
    pthread_mutex_lock(&lock);
    table->coming--;
    if (rv == CKR_OK)
        table->rows[table->count++] = (struct pair){handle, owner};
    pthread_mutex_unlock(&lock);
}

/* With the lock: those of that handle; those of that owner. */
static void table_forget(struct table *table, CK_ULONG handle)
{
    for (size_t i = table->count; i-- > 0;)
        if (table->rows[i].handle == handle)
            table->rows[i] = table->rows[--table->count];
}

static void table_forget_of(struct table *table, CK_ULONG owner)
{
    for (size_t i = table->count; i-- > 0;)
        if (table->rows[i].owner == owner)
            table->rows[i] = table->rows[--table->count];
}

/* ------------------------------------------------------------------ sessions */

static CK_RV quota_open_session(CK_SLOT_ID slot, CK_FLAGS flags, CK_VOID_PTR application, CK_NOTIFY notify,
                                CK_SESSION_HANDLE_PTR session)
{
    CK_RV rv = table_reserve(&sessions, 1, "sessions", CKR_SESSION_COUNT);

    if (rv != CKR_OK)
        return rv;
    rv = counted.C_OpenSession(slot, flags, application, notify, session);
    table_note(&sessions, rv, rv == CKR_OK ? *session : 0, slot);
    return rv;
}

/* With the lock. */
static void forget_session(CK_SESSION_HANDLE session)
{
    table_forget(&sessions, session);
    table_forget_of(&objects, session);
}

/* A session that the token has ended by itself (a card that was pulled) is no session any more. */
static CK_RV quota_close_session(CK_SESSION_HANDLE session)
{
    const CK_RV rv = counted.C_CloseSession(session);

    pthread_mutex_lock(&lock);
    if (rv == CKR_OK || rv == CKR_SESSION_HANDLE_INVALID)
        forget_session(session);
    pthread_mutex_unlock(&lock);
    return rv;
}

static CK_RV quota_close_all(CK_SLOT_ID slot)
{
    const CK_RV rv = counted.C_CloseAllSessions(slot);

    pthread_mutex_lock(&lock);
    for (size_t i = sessions.count; rv == CKR_OK && i-- > 0;)
        if (sessions.rows[i].owner == slot)
            forget_session(sessions.rows[i].handle);
    pthread_mutex_unlock(&lock);
    return rv;
}

static CK_RV quota_finalize(CK_VOID_PTR reserved)
{
    const CK_RV rv = counted.C_Finalize(reserved);

    pthread_mutex_lock(&lock);
    if (rv == CKR_OK)
        sessions.count = objects.count = 0;
    pthread_mutex_unlock(&lock);
    return rv;
}

/* ------------------------------------------------------------------ objects */

static CK_RV reserve_objects(size_t more)
{
    return table_reserve(&objects, more, "objects", CKR_DEVICE_MEMORY);
}

/* Whose an object is that was made from the template. */
static CK_ULONG owner_of(CK_SESSION_HANDLE session, const CK_ATTRIBUTE *template, CK_ULONG count)
{
    for (CK_ULONG i = 0; i < count; i++)
        if (template[i].type == CKA_TOKEN && template[i].pValue && template[i].ulValueLen == sizeof(CK_BBOOL))
            return *(const CK_BBOOL *)template[i].pValue ? OF_TOKEN : session;
    return session;
}

/* A mechanism that makes several keys (PKCS#11 2.40, 5.13) has none where this one would be. */
static void note_object(CK_RV rv, const CK_OBJECT_HANDLE *object, CK_ULONG owner)
{
    table_note(&objects, object ? rv : CKR_GENERAL_ERROR, object && rv == CKR_OK ? *object : 0, owner);
}

static bool says_whose(const CK_ATTRIBUTE *template, CK_ULONG count)
{
    for (CK_ULONG i = 0; i < count; i++)
        if (template[i].type == CKA_TOKEN)
            return true;
    return false;
}

static CK_RV quota_create(CK_SESSION_HANDLE session, CK_ATTRIBUTE_PTR template, CK_ULONG count,
                          CK_OBJECT_HANDLE_PTR object)
{
    CK_RV rv = reserve_objects(1);

    if (rv != CKR_OK)
        return rv;
    rv = counted.C_CreateObject(session, template, count, object);
    note_object(rv, object, owner_of(session, template, count));
    return rv;
}

/* A copy is the token's when its template does not say that it is not: it may be like what it is a copy of. */
static CK_RV quota_copy(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_PTR template, CK_ULONG count,
                        CK_OBJECT_HANDLE_PTR copy)
{
    CK_RV rv = reserve_objects(1);

    if (rv != CKR_OK)
        return rv;
    rv = counted.C_CopyObject(session, object, template, count, copy);
    note_object(rv, copy, says_whose(template, count) ? owner_of(session, template, count) : OF_TOKEN);
    return rv;
}

static CK_RV quota_generate(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_ATTRIBUTE_PTR template,
                            CK_ULONG count, CK_OBJECT_HANDLE_PTR key)
{
    CK_RV rv = reserve_objects(1);

    if (rv != CKR_OK)
        return rv;
    rv = counted.C_GenerateKey(session, mechanism, template, count, key);
    note_object(rv, key, owner_of(session, template, count));
    return rv;
}

static CK_RV quota_generate_pair(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_ATTRIBUTE_PTR public_template,
                                 CK_ULONG public_count, CK_ATTRIBUTE_PTR private_template, CK_ULONG private_count,
                                 CK_OBJECT_HANDLE_PTR public_key, CK_OBJECT_HANDLE_PTR private_key)
{
    CK_RV rv = reserve_objects(2);

    if (rv != CKR_OK)
        return rv;
    rv = counted.C_GenerateKeyPair(session, mechanism, public_template, public_count, private_template, private_count,
                                   public_key, private_key);
    note_object(rv, public_key, owner_of(session, public_template, public_count));
    note_object(rv, private_key, owner_of(session, private_template, private_count));
    return rv;
}

static CK_RV quota_unwrap(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE unwrapping,
                          CK_BYTE_PTR wrapped, CK_ULONG wrapped_len, CK_ATTRIBUTE_PTR template, CK_ULONG count,
                          CK_OBJECT_HANDLE_PTR key)
{
    CK_RV rv = reserve_objects(1);

    if (rv != CKR_OK)
        return rv;
    rv = counted.C_UnwrapKey(session, mechanism, unwrapping, wrapped, wrapped_len, template, count, key);
    note_object(rv, key, owner_of(session, template, count));
    return rv;
}

static CK_RV quota_derive(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE base,
                          CK_ATTRIBUTE_PTR template, CK_ULONG count, CK_OBJECT_HANDLE_PTR key)
{
    CK_RV rv = reserve_objects(1);

    if (rv != CKR_OK)
        return rv;
    rv = counted.C_DeriveKey(session, mechanism, base, template, count, key);
    note_object(rv, key, owner_of(session, template, count));
    return rv;
}

static CK_RV quota_destroy(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object)
{
    const CK_RV rv = counted.C_DestroyObject(session, object);

    pthread_mutex_lock(&lock);
    if (rv == CKR_OK)
        table_forget(&objects, object);
    pthread_mutex_unlock(&lock);
    return rv;
}

void quota_install(const struct config *config, CK_FUNCTION_LIST *functions)
{
    counted = *functions;
    sessions.most = config->agent.client_sessions;
    objects.most = config->agent.client_objects;
    functions->C_Finalize = quota_finalize;
    functions->C_OpenSession = quota_open_session;
    functions->C_CloseSession = quota_close_session;
    functions->C_CloseAllSessions = quota_close_all;
    functions->C_CreateObject = quota_create;
    functions->C_CopyObject = quota_copy;
    functions->C_GenerateKey = quota_generate;
    functions->C_GenerateKeyPair = quota_generate_pair;
    functions->C_UnwrapKey = quota_unwrap;
    functions->C_DeriveKey = quota_derive;
    functions->C_DestroyObject = quota_destroy;
}
