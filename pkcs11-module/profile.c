#include "pkcs11-module/profile.h"

#include <string.h>

#include "pkcs11-module/attribute.h"

bool profile_may_be_found(const CK_ATTRIBUTE *template, CK_ULONG count)
{
    CK_OBJECT_CLASS object_class;

    for (CK_ULONG i = 0; template && i < count; i++) {
        if (template[i].type != CKA_CLASS || !template[i].pValue || template[i].ulValueLen != sizeof object_class)
            continue;
        memcpy(&object_class, template[i].pValue, sizeof object_class);
        if (object_class != CKO_PROFILE)
            return false;
    }
    return true;
}

static bool has_class_profile(struct runtime *rt, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object)
{
    CK_OBJECT_CLASS object_class = 0;
    CK_ULONG len = 0;

    return attribute_read(rt->backend.functions, session, object, CKA_CLASS, &object_class, sizeof object_class, &len) ==
               CKR_OK &&
           len == sizeof object_class && object_class == CKO_PROFILE;
}

CK_ULONG profile_filter(struct runtime *rt, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE *objects, CK_ULONG count)
{
    CK_ULONG kept = 0;

    for (CK_ULONG i = 0; i < count; i++)
        if (!has_class_profile(rt, session, objects[i]))
            objects[kept++] = objects[i];
    return kept;
}

/* Programs read an object's attributes in several calls: the last one that was seen to be none is remembered. */
bool profile_is_one(struct runtime *rt, CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE object)
{
    const uint64_t epoch = atomic_load(&rt->sessions.facts_epoch) + 1;
    struct session *session = session_get(&rt->sessions, handle);
    bool known = false;
    bool is_one;

    if (!session)
        return has_class_profile(rt, handle, object);
    pthread_mutex_lock(&session->lock);
    known = session->no_profile == object && session->no_profile_epoch == epoch;
    pthread_mutex_unlock(&session->lock);
    is_one = !known && has_class_profile(rt, handle, object);
    if (!known && !is_one) {
        pthread_mutex_lock(&session->lock);
        session->no_profile = object;
        session->no_profile_epoch = epoch;
        pthread_mutex_unlock(&session->lock);
    }
    session_put(&rt->sessions, session);
    return is_one;
}
