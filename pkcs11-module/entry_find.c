#include <stdlib.h>

#include "pkcs11-module/entry.h"
#include "pkcs11-module/gate.h"
#include "pkcs11-module/profile.h"
#include "pkcs11-module/search.h"
#include "pkcs11-module/template.h"

/* C_FindObjectsInit and C_FindObjects (PKCS#11 2.40, 5.7). A search that wants nothing of the gate is as good as
 * forwarded. */

static CK_RV note_wish(struct runtime *rt, CK_SESSION_HANDLE handle, const struct search_wish *wish)
{
    struct session *session;
    CK_RV rv = gate_session(rt, handle, &session);

    if (rv != CKR_OK)
        return rv;
    pthread_mutex_lock(&session->lock);
    session->search = *wish;
    pthread_mutex_unlock(&session->lock);
    session_put(&rt->sessions, session);
    return CKR_OK;
}

/* CKR_SESSION_HANDLE_INVALID: a session that the gate does not know has no search to show. */
static CK_RV wish_of(struct runtime *rt, CK_SESSION_HANDLE handle, struct search_wish *wish)
{
    struct session *session = session_get(&rt->sessions, handle);

    if (!session)
        return CKR_SESSION_HANDLE_INVALID;
    pthread_mutex_lock(&session->lock);
    *wish = session->search;
    pthread_mutex_unlock(&session->lock);
    session_put(&rt->sessions, session);
    return CKR_OK;
}

/* Begins the search for the part of the template that the backend can judge. */
static CK_RV begin_search(struct runtime *rt, CK_SESSION_HANDLE session, CK_ATTRIBUTE_PTR template, CK_ULONG count,
                          struct search_wish *wish)
{
    CK_ATTRIBUTE *rest = template && count > 0 ? calloc(count, sizeof *rest) : NULL;
    CK_ULONG left;
    CK_RV rv;

    if (template && count > 0 && !rest)
        return CKR_HOST_MEMORY;
    left = search_wish_take(wish, template, count, rest);
    wish->without_profiles = rt->backend.functions_3 && profile_may_be_found(template, count);
    if (left == count || !template)
        rv = rt->backend.functions->C_FindObjectsInit(session, template, count);
    else
        rv = rt->backend.functions->C_FindObjectsInit(session, left ? rest : NULL, left);
    free(rest);
    return rv;
}

/* Noted only when the search was begun: one that is in progress stays filtered as it is. */
CK_RV own_C_FindObjectsInit(CK_SESSION_HANDLE session, CK_ATTRIBUTE_PTR template, CK_ULONG count)
{
    struct runtime *rt = runtime_get();
    struct search_wish wish;
    CK_RV rv;

    if (!rt)
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    if (gate_session_is_beside(rt, session))
        return CKR_SESSION_HANDLE_INVALID;
    if (!template_is_possible(template, count))
        return CKR_ARGUMENTS_BAD;
    rv = begin_search(rt, session, template, count, &wish);
    return rv == CKR_OK ? note_wish(rt, session, &wish) : rv;
}

/* None found means the end of the search (5.7), so what is taken out is made up for. */
CK_RV own_C_FindObjects(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE_PTR object, CK_ULONG max_object_count,
                        CK_ULONG_PTR object_count)
{
    struct runtime *rt = runtime_get();
    struct search_wish wish;
    CK_ULONG kept = 0;
    CK_ULONG found;
    CK_RV rv;

    if (!rt)
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    if (gate_session_is_beside(rt, session))
        return CKR_SESSION_HANDLE_INVALID;
    if (!object || !object_count || wish_of(rt, session, &wish) != CKR_OK || search_wish_is_empty(&wish))
        return rt->backend.functions->C_FindObjects(session, object, max_object_count, object_count);
    do {
        found = 0;
        rv = rt->backend.functions->C_FindObjects(session, object + kept, max_object_count - kept, &found);
        if (rv == CKR_OK && found > max_object_count - kept)
            rv = CKR_DEVICE_ERROR; /* more than there is room for */
        if (rv == CKR_OK)
            kept += search_filter(rt, session, &wish, object + kept, found);
    } while (rv == CKR_OK && found > 0 && kept < max_object_count);
    if (rv == CKR_OK)
        *object_count = kept;
    return rv;
}
