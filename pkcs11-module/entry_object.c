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

/* ------------------------------------------------------------------ CKA_ALWAYS_AUTHENTICATE as it is shown */

static bool asks_for_always_authenticate(const CK_ATTRIBUTE *template, CK_ULONG count)
{
    for (CK_ULONG i = 0; template && i < count; i++)
        if (template[i].type == CKA_ALWAYS_AUTHENTICATE)
            return true;
    return false;
}

/* One attribute answered here (5.7, C_GetAttributeValue, the cases 1 to 5). */
static CK_RV answer_bool(CK_ATTRIBUTE_PTR attribute, CK_BBOOL value)
{
    if (attribute->pValue && attribute->ulValueLen < sizeof value) {
        attribute->ulValueLen = CK_UNAVAILABLE_INFORMATION;
        return CKR_BUFFER_TOO_SMALL;
    }
    if (attribute->pValue)
        memcpy(attribute->pValue, &value, sizeof value);
    attribute->ulValueLen = sizeof value;
    return CKR_OK;
}

/* Everything but CKA_ALWAYS_AUTHENTICATE from the token, that one from the gate. */
static CK_RV get_with_answer(CK_FUNCTION_LIST *backend, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                             CK_ATTRIBUTE_PTR template, CK_ULONG count, CK_BBOOL shown)
{
    CK_ATTRIBUTE_PTR rest = calloc(count, sizeof *rest);
    CK_ULONG rest_count = 0;
    CK_RV rv = CKR_OK;

    if (!rest)
        return CKR_HOST_MEMORY;
    for (CK_ULONG i = 0; i < count; i++)
        if (template[i].type != CKA_ALWAYS_AUTHENTICATE)
            rest[rest_count++] = template[i];
    if (rest_count > 0)
        rv = backend->C_GetAttributeValue(session, object, rest, rest_count);
    rest_count = 0;
    for (CK_ULONG i = 0; i < count; i++) {
        if (template[i].type != CKA_ALWAYS_AUTHENTICATE) {
            template[i].ulValueLen = rest[rest_count++].ulValueLen;
        } else {
            CK_RV answered = answer_bool(&template[i], shown);

            rv = rv == CKR_OK ? answered : rv;
        }
    }
    free(rest);
    return rv;
}

/* prompt = module: applications must not ask for a PIN themselves, so no key shows that it wants one.
 * prompt = application: every key of level high shows it, whether or not the backend has the attribute. */
CK_RV own_C_GetAttributeValue(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_PTR template,
                              CK_ULONG count)
{
    struct runtime *rt = runtime_get();
    struct session *known;
    struct key_facts facts;
    bool shown;
    CK_RV rv;

    if (!rt)
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    if (!asks_for_always_authenticate(template, count))
        return rt->backend.functions->C_GetAttributeValue(session, object, template, count);
    rv = gate_session(rt, session, &known);
    if (rv != CKR_OK)
        return rv;
    rv = session_key_facts(&rt->sessions, rt->backend.functions, known, object, &facts);
    session_put(&rt->sessions, known);
    if (rv != CKR_OK)
        return rv;
    if (!key_facts_is_private_key(&facts))
        return rt->backend.functions->C_GetAttributeValue(session, object, template, count);
    shown = rt->config.module.prompt == CONFIG_PROMPT_APPLICATION &&
            policy_level(&rt->config, &facts) == CONFIG_LEVEL_HIGH;
    return get_with_answer(rt->backend.functions, session, object, template, count, shown ? CK_TRUE : CK_FALSE);
}
