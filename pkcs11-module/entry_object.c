#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "pkcs11-module/entry.h"
#include "pkcs11-module/gate.h"
#include "pkcs11-module/template.h"

/* PKCS#11 2.40, 5.7: object management. */

static CK_RV create_protected(struct runtime *rt, CK_SESSION_HANDLE session, CK_ATTRIBUTE_PTR template,
                              CK_ULONG count, bool always_authenticate, CK_OBJECT_HANDLE_PTR object)
{
    struct template protected;
    CK_RV rv = template_protect(template, count, always_authenticate, &protected);

    if (rv != CKR_OK)
        return rv;
    rv = rt->backend.functions->C_CreateObject(session, protected.attributes, protected.count, object);
    template_clear(&protected);
    return rv;
}

/* An imported private key is protected like one that was generated on the token. */
CK_RV own_C_CreateObject(CK_SESSION_HANDLE session, CK_ATTRIBUTE_PTR template, CK_ULONG count,
                         CK_OBJECT_HANDLE_PTR object)
{
    struct runtime *rt = runtime_get();
    bool high;
    CK_RV rv;

    if (!rt)
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    if (!template_makes_private_key(template, count))
        return rt->backend.functions->C_CreateObject(session, template, count, object);
    high = rt->config.module.level == CONFIG_LEVEL_HIGH;
    rv = create_protected(rt, session, template, count, high, object);
    if (high && template_may_lack_always_authenticate(rv))
        rv = create_protected(rt, session, template, count, false, object);
    return rv;
}

/* A copy could be weaker than its original: copies of private keys have no gate yet. */
CK_RV refuse_C_CopyObject(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_PTR template,
                          CK_ULONG count, CK_OBJECT_HANDLE_PTR new_object)
{
    struct runtime *rt = runtime_get();
    CK_RV rv;

    if (!rt)
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    rv = gate_refuse_private_key(rt, session, object, CKR_ACTION_PROHIBITED, CKR_OBJECT_HANDLE_INVALID);
    return rv == CKR_OK ? rt->backend.functions->C_CopyObject(session, object, template, count, new_object) : rv;
}

/* A deleted key is a lost key: the user agrees, and the grace of a login does not cover it. */
CK_RV gate_C_DestroyObject(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object)
{
    struct runtime *rt = runtime_get();
    CK_RV rv;

    if (!rt)
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    rv = gate_agree_once(rt, session, object, POLICY_USE_DELETE);
    if (rv != CKR_OK)
        return rv;
    rv = rt->backend.functions->C_DestroyObject(session, object);
    session_forget_facts(&rt->sessions);
    return rv;
}

/* Changing a private key's attributes could weaken it: it has no gate yet. */
CK_RV refuse_C_SetAttributeValue(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_PTR template,
                                 CK_ULONG count)
{
    struct runtime *rt = runtime_get();
    CK_RV rv;

    if (!rt)
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    rv = gate_refuse_private_key(rt, session, object, CKR_ATTRIBUTE_READ_ONLY, CKR_OBJECT_HANDLE_INVALID);
    return rv == CKR_OK ? rt->backend.functions->C_SetAttributeValue(session, object, template, count) : rv;
}
