#include "pkcs11-module/entry.h"
#include "pkcs11-module/gate.h"
#include "pkcs11-module/profile.h"
#include "pkcs11-module/template.h"

/* C_FindObjectsInit and C_FindObjects (PKCS#11 2.40, 5.7). With a backend of 2.40 they are as good as forwarded. */

static CK_RV note_filter(struct runtime *rt, CK_SESSION_HANDLE handle, bool filtered)
{
    struct session *session;
    CK_RV rv = gate_session(rt, handle, &session);

    if (rv != CKR_OK)
        return rv;
    pthread_mutex_lock(&session->lock);
    session->search_is_filtered = filtered;
    pthread_mutex_unlock(&session->lock);
    session_put(&rt->sessions, session);
    return CKR_OK;
}

static bool is_filtered(struct runtime *rt, CK_SESSION_HANDLE handle)
{
    struct session *session = session_get(&rt->sessions, handle);
    bool filtered = true;

    if (!session)
        return filtered;
    pthread_mutex_lock(&session->lock);
    filtered = session->search_is_filtered;
    pthread_mutex_unlock(&session->lock);
    session_put(&rt->sessions, session);
    return filtered;
}

/* Noted only when the search was begun: one that is in progress stays filtered as it is. */
CK_RV own_C_FindObjectsInit(CK_SESSION_HANDLE session, CK_ATTRIBUTE_PTR template, CK_ULONG count)
{
    struct runtime *rt = runtime_get();
    CK_RV rv;

    if (!rt)
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    if (gate_session_is_beside(rt, session))
        return CKR_SESSION_HANDLE_INVALID;
    if (!template_is_possible(template, count))
        return CKR_ARGUMENTS_BAD;
    rv = rt->backend.functions->C_FindObjectsInit(session, template, count);
    if (rv == CKR_OK && rt->backend.functions_3)
        rv = note_filter(rt, session, profile_may_be_found(template, count));
    return rv;
}

/* None found means the end of the search (5.7), so what is taken out is made up for. */
CK_RV own_C_FindObjects(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE_PTR object, CK_ULONG max_object_count,
                        CK_ULONG_PTR object_count)
{
    struct runtime *rt = runtime_get();
    CK_ULONG kept = 0;
    CK_ULONG found;
    CK_RV rv;

    if (!rt)
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    if (gate_session_is_beside(rt, session))
        return CKR_SESSION_HANDLE_INVALID;
    if (!rt->backend.functions_3 || !object || !object_count || !is_filtered(rt, session))
        return rt->backend.functions->C_FindObjects(session, object, max_object_count, object_count);
    do {
        found = 0;
        rv = rt->backend.functions->C_FindObjects(session, object + kept, max_object_count - kept, &found);
        if (rv == CKR_OK)
            kept += profile_filter(rt, session, object + kept, found);
    } while (rv == CKR_OK && found > 0 && kept < max_object_count);
    if (rv == CKR_OK)
        *object_count = kept;
    return rv;
}
