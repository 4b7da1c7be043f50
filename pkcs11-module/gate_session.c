#include "pkcs11-module/gate_session.h"

#include "pkcs11-module/answer.h"

/* A session that was opened past the gate, or whose record C_Finalize has just dropped: in that case the record made here
 * must go again. Either C_Finalize, which refuses calls first and drops the records then, finds it, or this thread sees
 * that calls are refused. */
static CK_RV make_known(struct runtime *rt, CK_SESSION_HANDLE handle)
{
    CK_SESSION_INFO info;
    CK_RV rv = rt->backend.functions->C_GetSessionInfo(handle, &info);

    if (rv == CKR_OK)
        rv = session_add(&rt->sessions, handle, info.slotID, info.flags, false);
    if (rv != CKR_OK || runtime_get())
        return rv;
    session_remove(&rt->sessions, NULL, handle);
    return CKR_CRYPTOKI_NOT_INITIALIZED;
}

CK_RV gate_session(struct runtime *rt, CK_SESSION_HANDLE handle, struct session **session)
{
    struct session *found = session_get(&rt->sessions, handle);
    CK_RV rv = CKR_OK;

    if (!found) {
        rv = make_known(rt, handle);
        if (rv != CKR_OK)
            return answer_inner(rv);
        found = session_get(&rt->sessions, handle);
    }
    if (!found)
        return runtime_get() ? CKR_SESSION_HANDLE_INVALID : CKR_CRYPTOKI_NOT_INITIALIZED;
    if (found->beside) {
        session_put(&rt->sessions, found);
        return CKR_SESSION_HANDLE_INVALID;
    }
    *session = found;
    return CKR_OK;
}

bool gate_session_is_beside(struct runtime *rt, CK_SESSION_HANDLE handle)
{
    return session_is_beside(&rt->sessions, handle);
}

CK_RV gate_session_info(struct runtime *rt, CK_SESSION_HANDLE handle, CK_SESSION_INFO_PTR info)
{
    if (gate_session_is_beside(rt, handle))
        return CKR_SESSION_HANDLE_INVALID;
    return answer_inner(rt->backend.functions->C_GetSessionInfo(handle, info));
}

bool gate_session_is_closed(struct session *session)
{
    bool closed;

    pthread_mutex_lock(&session->lock);
    closed = session->closed;
    pthread_mutex_unlock(&session->lock);
    return closed;
}
