#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "pkcs11-module/attribute.h"
#include "pkcs11-module/attribute_rules.h"
#include "pkcs11-module/decision.h"
#include "pkcs11-module/entry.h"
#include "pkcs11-module/gate_once.h"
#include "pkcs11-module/gate_session.h"
#include "pkcs11-module/key_birth.h"
#include "pkcs11-module/key_change.h"
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
    if (gate_session_is_beside(rt, session))
        return CKR_SESSION_HANDLE_INVALID;
    if (!template_is_possible(template, count))
        return CKR_ARGUMENTS_BAD;
    if (!template_makes_private_key(template, count))
        return rt->backend.functions->C_CreateObject(session, template, count, object);
    high = key_birth_is_high(rt, session, template, count);
    rv = create_protected(rt, session, template, count, high, object);
    if (high && template_may_lack_always_authenticate(rv))
        rv = create_protected(rt, session, template, count, false, object);
    session_forget_facts(&rt->sessions);
    return rv;
}

/* Can these attributes be given to the object, by setting them or by copying it? refusal: what the function says of
 * attributes that would weaken a key or change its role; those are refused whatever the key's level and the user's
 * wish (docs/security-model.md). */
static CK_RV agree_to_attributes(struct runtime *rt, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                                 const struct key_facts *facts, enum policy_use use, CK_ATTRIBUTE_PTR template, CK_ULONG count, CK_RV refusal)
{
    if (facts->object_class == CKO_SECRET_KEY)
        return attribute_rules_secret(template, count) == ATTRIBUTE_REFUSE ? refusal : CKR_OK;
    if (!key_facts_is_private_key(facts))
        return policy_is_free(facts) ? CKR_OK : refusal;
    switch (attribute_rules_private(template, count)) {
    case ATTRIBUTE_REFUSE:
        log_warning("key \"%s\": a change that would weaken it or give it another role was refused", facts->label);
        return decision_refuse(rt, session, facts, policy_use_name(use), "would weaken the key", refusal);
    case ATTRIBUTE_FREE:
        if (use == POLICY_USE_CHANGE)
            return CKR_OK;
        break;
    case ATTRIBUTE_CONSENT:
        break;
    }
    if (key_change_lowers_level(rt, session, facts, template, count)) {
        log_warning("key \"%s\": a name that a lower level is configured for was refused", facts->label);
        return decision_refuse(rt, session, facts, policy_use_name(use), "would lower the level", refusal);
    }
    return gate_agree_once(rt, session, object, facts, use, NULL, 0);
}

/* A copy of a key that its token guards is guarded too (PKCS#11 2.40, 5.7: it has the attributes of the original).
 * softokn's forgets CKA_ALWAYS_AUTHENTICATE unless it is asked for; SoftHSM2 keeps it and takes no such wish. */
static CK_RV copy_guarded(CK_FUNCTION_LIST *backend, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                          const struct template *copy, CK_OBJECT_HANDLE_PTR new_object)
{
    CK_OBJECT_HANDLE made = CK_INVALID_HANDLE;
    struct template guarded;
    CK_RV rv = template_guard(copy->attributes, copy->count, &guarded);

    if (rv != CKR_OK)
        return rv;
    rv = backend->C_CopyObject(session, object, guarded.attributes, guarded.count, &made);
    template_clear(&guarded);
    if (template_may_lack_always_authenticate(rv))
        rv = backend->C_CopyObject(session, object, copy->attributes, copy->count, &made);
    if (rv != CKR_OK)
        return rv;
    if (!attribute_read_bool(backend, session, made, CKA_ALWAYS_AUTHENTICATE, false)) {
        log_warning("the token would make a copy that is used without the PIN: it is not made");
        (void)backend->C_DestroyObject(session, made);
        return CKR_ACTION_PROHIBITED;
    }
    *new_object = made;
    return CKR_OK;
}

static CK_RV copy_object(CK_FUNCTION_LIST *backend, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                         const struct key_facts *facts, const struct template *copy, CK_OBJECT_HANDLE_PTR new_object)
{
    if (facts->always_authenticate)
        return copy_guarded(backend, session, object, copy, new_object);
    return backend->C_CopyObject(session, object, copy->attributes, copy->count, new_object);
}

CK_RV gate_C_CopyObject(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_PTR template, CK_ULONG count,
                        CK_OBJECT_HANDLE_PTR new_object)
{
    struct runtime *rt = runtime_get();
    struct template copy;
    struct key_facts facts;
    int cancel_state;
    CK_RV rv;

    if (!rt)
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    if (!new_object)
        return CKR_ARGUMENTS_BAD;
    rv = template_copy(template, count, &copy);
    if (rv != CKR_OK)
        return rv;
    rv = gate_facts(rt, session, object, CKR_OBJECT_HANDLE_INVALID, &facts);
    if (rv == CKR_OK)
        rv = agree_to_attributes(rt, session, object, &facts, POLICY_USE_COPY, copy.attributes, copy.count,
                                 CKR_TEMPLATE_INCONSISTENT);
    if (rv == CKR_OK)
        rv = gate_enter_once(rt, &cancel_state);
    if (rv == CKR_OK) {
        rv = copy_object(rt->backend.functions, session, object, &facts, &copy, new_object);
        gate_leave_once(rt, cancel_state);
    }
    session_forget_facts(&rt->sessions);
    template_clear(&copy);
    return rv;
}

/* A deleted key is a lost key: the user agrees, and the grace of a login does not cover it. */
CK_RV gate_C_DestroyObject(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object)
{
    struct runtime *rt = runtime_get();
    struct key_facts facts;
    int cancel_state;
    CK_RV rv;

    if (!rt)
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    rv = gate_facts(rt, session, object, CKR_OBJECT_HANDLE_INVALID, &facts);
    if (rv == CKR_OK)
        rv = gate_agree_once(rt, session, object, &facts, POLICY_USE_DELETE, NULL, 0);
    if (rv == CKR_OK)
        rv = gate_enter_once(rt, &cancel_state);
    if (rv == CKR_OK) {
        rv = rt->backend.functions->C_DestroyObject(session, object);
        gate_leave_once(rt, cancel_state);
    }
    session_forget_facts(&rt->sessions);
    return rv;
}

CK_RV gate_C_SetAttributeValue(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_PTR template,
                               CK_ULONG count)
{
    struct runtime *rt = runtime_get();
    struct template copy;
    struct key_facts facts;
    int cancel_state;
    CK_RV rv;

    if (!rt)
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    rv = template_copy(template, count, &copy);
    if (rv != CKR_OK)
        return rv;
    rv = gate_facts(rt, session, object, CKR_OBJECT_HANDLE_INVALID, &facts);
    if (rv == CKR_OK)
        rv = agree_to_attributes(rt, session, object, &facts, POLICY_USE_CHANGE, copy.attributes, copy.count,
                                 CKR_ATTRIBUTE_READ_ONLY);
    if (rv == CKR_OK)
        rv = gate_enter_once(rt, &cancel_state);
    if (rv == CKR_OK) {
        rv = rt->backend.functions->C_SetAttributeValue(session, object, copy.attributes, copy.count);
        gate_leave_once(rt, cancel_state);
    }
    session_forget_facts(&rt->sessions);
    template_clear(&copy);
    return rv;
}
