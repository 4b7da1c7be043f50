#include <stdlib.h>
#include <string.h>

#include "pkcs11-module/entry.h"
#include "pkcs11-module/gate.h"
#include "pkcs11-module/profile.h"
#include "pkcs11-module/shown.h"
#include "pkcs11-module/template.h"
#include "include/pinward.h"

/* C_GetAttributeValue (PKCS#11 2.40, 5.7): three kinds of attribute of a private key are answered here, and the private
 * parts of an object of an unknown class, which may be one. But for CKA_VALUE: vendors keep in it what is public (NSS its
 * CRLs). */

static bool any_answered_here(const CK_ATTRIBUTE *template, CK_ULONG count)
{
    for (CK_ULONG i = 0; template && i < count; i++)
        if (shown_by_gate(template[i].type))
            return true;
    return false;
}

static bool is_answered_here(const struct key_facts *facts, CK_ATTRIBUTE_TYPE type)
{
    return key_facts_is_private_key(facts) ? shown_by_gate(type) : shown_is_private_part(type) && type != CKA_VALUE;
}

/* One CK_BBOOL (5.7, the cases 1 to 5). */
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

static CK_RV answer(CK_ATTRIBUTE_PTR attribute, const struct key_facts *facts, CK_BBOOL always_authenticate)
{
    if (attribute->type == CKA_ALWAYS_AUTHENTICATE)
        return answer_bool(attribute, always_authenticate);
    if (attribute->type == CKA_PINWARD_ENFORCED)
        return answer_bool(attribute, facts->always_authenticate ? CK_TRUE : CK_FALSE);
    attribute->ulValueLen = CK_UNAVAILABLE_INFORMATION;
    return CKR_ATTRIBUTE_SENSITIVE;
}

/* Everything else from the token, those from the gate. */
static CK_RV get_with_answers(CK_FUNCTION_LIST *backend, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                              CK_ATTRIBUTE_PTR template, CK_ULONG count, const struct key_facts *facts,
                              CK_BBOOL always_authenticate)
{
    CK_ATTRIBUTE_PTR rest = calloc(count, sizeof *rest);
    CK_ULONG rest_count = 0;
    CK_RV rv = CKR_OK;

    if (!rest)
        return CKR_HOST_MEMORY;
    for (CK_ULONG i = 0; i < count; i++)
        if (!is_answered_here(facts, template[i].type))
            rest[rest_count++] = template[i];
    if (rest_count > 0)
        rv = backend->C_GetAttributeValue(session, object, rest, rest_count);
    rest_count = 0;
    for (CK_ULONG i = 0; i < count; i++) {
        if (!is_answered_here(facts, template[i].type)) {
            template[i].ulValueLen = rest[rest_count++].ulValueLen;
        } else {
            const CK_RV answered = answer(&template[i], facts, always_authenticate);

            rv = rv == CKR_OK ? answered : rv;
        }
    }
    free(rest);
    return rv;
}

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
    if (gate_session_is_beside(rt, session))
        return CKR_SESSION_HANDLE_INVALID;
    if (!template_is_possible(template, count))
        return CKR_ARGUMENTS_BAD;
    if (rt->backend.functions_3 && profile_is_one(rt, session, object))
        return CKR_OBJECT_HANDLE_INVALID;
    if (!any_answered_here(template, count))
        return rt->backend.functions->C_GetAttributeValue(session, object, template, count);
    rv = gate_session(rt, session, &known);
    if (rv != CKR_OK)
        return rv;
    rv = session_key_facts(&rt->sessions, rt->backend.functions, known, object, &facts);
    session_put(&rt->sessions, known);
    if (rv != CKR_OK)
        return rv;
    if (!key_facts_is_private_key(&facts) && policy_is_free(&facts))
        return rt->backend.functions->C_GetAttributeValue(session, object, template, count);
    shown = shown_always_authenticate(rt, &facts);
    return get_with_answers(rt->backend.functions, session, object, template, count, &facts, shown ? CK_TRUE : CK_FALSE);
}
