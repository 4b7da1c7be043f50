#include <stdlib.h>
#include <string.h>

#include "pkcs11-module/attribute.h"
#include "pkcs11-module/decision.h"
#include "pkcs11-module/entry.h"
#include "pkcs11-module/export.h"
#include "pkcs11-module/gate_once.h"
#include "pkcs11-module/key_birth.h"
#include "pkcs11-module/mechanism.h"
#include "pkcs11-module/mechanism_keys.h"
#include "pkcs11-module/template.h"

/* PKCS#11 2.40, 5.14: wrapping, unwrapping and deriving. */

/* ------------------------------------------------------------------ wrapping */

/* A call that the token would refuse in any case, or whose buffer is too small for the key, is not worth a consent. The
 * length query that tells it gives nothing away. */
static CK_RV wrapping_would_fit(struct runtime *rt, CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism,
                                CK_OBJECT_HANDLE wrapping_key, CK_OBJECT_HANDLE key, CK_ULONG_PTR wrapped_key_len)
{
    CK_ULONG needed = 0;
    CK_RV rv;

    if (!wrapped_key_len)
        return CKR_ARGUMENTS_BAD;
    rv = rt->backend.functions->C_WrapKey(session, mechanism, wrapping_key, key, NULL, &needed);
    if (rv != CKR_OK || needed <= *wrapped_key_len)
        return rv;
    *wrapped_key_len = needed;
    return CKR_BUFFER_TOO_SMALL;
}

/* Nobody is asked before a carrier of the program's own is destroyed, and another key may have its handle by now. */
static CK_RV look_at_carrier_again(struct runtime *rt, CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism,
                                   CK_OBJECT_HANDLE carrier, const struct key_facts *facts, enum policy_use agreed)
{
    struct key_facts now;
    enum policy_use use;
    CK_RV rv = gate_facts(rt, session, carrier, CKR_WRAPPING_KEY_HANDLE_INVALID, &now);

    if (rv != CKR_OK)
        return rv;
    rv = export_permit(rt, session, carrier, &now, mechanism->mechanism, facts, &use);
    return rv == CKR_OK && use != agreed ? CKR_FUNCTION_REJECTED : rv;
}

/* May this key be wrapped under that one? A length query asks nobody. */
static CK_RV agree_to_wrapping(struct runtime *rt, CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism,
                               CK_OBJECT_HANDLE wrapping_key, CK_OBJECT_HANDLE key, CK_BYTE_PTR wrapped_key,
                               CK_ULONG_PTR wrapped_key_len)
{
    struct key_facts wrapping, facts;
    enum policy_use use;
    CK_RV rv = gate_facts(rt, session, key, CKR_KEY_HANDLE_INVALID, &facts);

    if (rv == CKR_OK)
        rv = gate_facts(rt, session, wrapping_key, CKR_WRAPPING_KEY_HANDLE_INVALID, &wrapping);
    if (rv != CKR_OK)
        return rv;
    /* As wrapping key a private key would sign or encrypt raw. */
    if (key_facts_is_private_key(&wrapping) || !policy_is_free(&wrapping))
        return decision_refuse(rt, session, &wrapping, "other", "not for private keys",
                               CKR_WRAPPING_KEY_TYPE_INCONSISTENT);
    if (!key_facts_is_private_key(&facts) && !policy_is_free(&facts)) /* of a class that nobody knows */
        return decision_refuse(rt, session, &facts, policy_use_name(POLICY_USE_EXPORT), "class not known",
                               CKR_KEY_NOT_WRAPPABLE);
    if (!key_facts_is_private_key(&facts) || !wrapped_key)
        return CKR_OK;
    rv = export_permit(rt, session, wrapping_key, &wrapping, mechanism->mechanism, &facts, &use);
    if (rv == CKR_OK)
        rv = wrapping_would_fit(rt, session, mechanism, wrapping_key, key, wrapped_key_len);
    if (rv == CKR_OK)
        rv = export_agree(rt, session, key, &facts, use);
    return rv == CKR_OK ? look_at_carrier_again(rt, session, mechanism, wrapping_key, &facts, use) : rv;
}

CK_RV gate_C_WrapKey(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE wrapping_key,
                     CK_OBJECT_HANDLE key, CK_BYTE_PTR wrapped_key, CK_ULONG_PTR wrapped_key_len)
{
    struct runtime *rt = runtime_get();
    struct mechanism m;
    int cancel_state;
    CK_RV rv;

    if (!rt)
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    rv = mechanism_copy(mechanism, &m);
    if (rv != CKR_OK)
        return rv;
    rv = mechanism_names_private_key(rt, session, &m.copy);
    if (rv == CKR_OK)
        rv = agree_to_wrapping(rt, session, &m.copy, wrapping_key, key, wrapped_key, wrapped_key_len);
    if (rv == CKR_OK)
        rv = gate_enter_once(rt, &cancel_state);
    if (rv == CKR_OK) {
        rv = rt->backend.functions->C_WrapKey(session, &m.copy, wrapping_key, key, wrapped_key, wrapped_key_len);
        gate_leave_once(rt, cancel_state);
    }
    mechanism_clear(&m);
    return rv;
}

/* ------------------------------------------------------------------ unwrapping and deriving */

/* A key that is to come into being, in copies that no thread of the host can change while the user is asked. */
struct birth {
    struct mechanism mechanism;
    struct template template;
    bool high;           /* it is a private key, and its token is to ask for the PIN itself */
    CK_BYTE_PTR wrapped; /* what is unwrapped; NULL: it is derived */
    CK_ULONG wrapped_len;
};

static void birth_clear(struct birth *birth)
{
    free(birth->wrapped);
    template_clear(&birth->template);
    mechanism_clear(&birth->mechanism);
}

/* A private key that comes into being here is protected like any other. */
static CK_RV birth_protect(struct runtime *rt, CK_SESSION_HANDLE session, struct birth *birth)
{
    struct template as_wished = birth->template;
    CK_RV rv;

    if (!template_makes_private_key(as_wished.attributes, as_wished.count))
        return CKR_OK;
    birth->high = key_birth_is_high(rt, session, as_wished.attributes, as_wished.count);
    rv = template_protect(as_wished.attributes, as_wished.count, birth->high, &birth->template);
    if (rv == CKR_OK)
        template_clear(&as_wished);
    return rv;
}

/* wrapped: NULL when the key is derived. On CKR_OK birth_clear must follow. */
static CK_RV birth_init(struct runtime *rt, CK_SESSION_HANDLE session, const CK_MECHANISM *mechanism,
                        CK_ATTRIBUTE_PTR template, CK_ULONG count, const CK_BYTE *wrapped, CK_ULONG wrapped_len,
                        struct birth *birth)
{
    CK_RV rv;

    *birth = (struct birth){.wrapped_len = wrapped_len};
    rv = mechanism_copy(mechanism, &birth->mechanism);
    if (rv != CKR_OK)
        return rv;
    rv = mechanism_names_private_key(rt, session, &birth->mechanism.copy);
    if (rv == CKR_OK)
        rv = template_copy(template, count, &birth->template);
    if (rv == CKR_OK)
        rv = birth_protect(rt, session, birth);
    if (rv == CKR_OK && wrapped) {
        birth->wrapped = malloc(wrapped_len ? wrapped_len : 1);
        if (!birth->wrapped)
            rv = CKR_HOST_MEMORY;
        else
            memcpy(birth->wrapped, wrapped, wrapped_len);
    }
    if (rv != CKR_OK)
        birth_clear(birth);
    return rv;
}

static CK_RV birth_call(struct runtime *rt, CK_SESSION_HANDLE session, struct birth *birth, CK_OBJECT_HANDLE key,
                        const struct template *template, CK_OBJECT_HANDLE_PTR made)
{
    CK_MECHANISM_PTR mechanism = &birth->mechanism.copy;

    if (birth->wrapped)
        return rt->backend.functions->C_UnwrapKey(session, mechanism, key, birth->wrapped, birth->wrapped_len,
                                                  template->attributes, template->count, made);
    return rt->backend.functions->C_DeriveKey(session, mechanism, key, template->attributes, template->count, made);
}

/* The call that was agreed to. A token that does not know CKA_ALWAYS_AUTHENTICATE gets the template without it, as when
 * it generates a key: the first call made nothing. */
static CK_RV birth_give(struct runtime *rt, CK_SESSION_HANDLE session, struct birth *birth, CK_OBJECT_HANDLE key,
                        CK_OBJECT_HANDLE_PTR made)
{
    struct template without;
    int cancel_state;
    CK_RV rv = gate_enter_once(rt, &cancel_state);

    if (rv != CKR_OK)
        return rv;
    rv = birth_call(rt, session, birth, key, &birth->template, made);
    if (birth->high && template_may_lack_always_authenticate(rv)) {
        rv = template_protect(birth->template.attributes, birth->template.count, false, &without);
        if (rv == CKR_OK) {
            rv = birth_call(rt, session, birth, key, &without, made);
            template_clear(&without);
        }
    }
    gate_leave_once(rt, cancel_state);
    return rv;
}

/* What a private key is not for is said before anybody is asked: the backend would say it after, and the user's consent
 * would have bought nothing. NSS tries to unwrap with every key, and decrypts where it cannot. A token that does not say
 * what the key is for has the user asked. */
static CK_RV birth_is_permitted(struct runtime *rt, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key,
                                const struct key_facts *facts, CK_ATTRIBUTE_TYPE role)
{
    if (!key_facts_is_private_key(facts) || attribute_read_bool(rt->backend.functions, session, key, role, true))
        return CKR_OK;
    return CKR_KEY_FUNCTION_NOT_PERMITTED;
}

CK_RV gate_C_UnwrapKey(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE unwrapping_key,
                       CK_BYTE_PTR wrapped_key, CK_ULONG wrapped_key_len, CK_ATTRIBUTE_PTR template, CK_ULONG count,
                       CK_OBJECT_HANDLE_PTR key)
{
    struct runtime *rt = runtime_get();
    struct key_facts facts;
    struct birth birth;
    CK_RV rv;

    if (!rt)
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    if (!wrapped_key || wrapped_key_len == 0 || !key)
        return CKR_ARGUMENTS_BAD;
    rv = birth_init(rt, session, mechanism, template, count, wrapped_key, wrapped_key_len, &birth);
    if (rv != CKR_OK)
        return rv;
    rv = gate_facts(rt, session, unwrapping_key, CKR_UNWRAPPING_KEY_HANDLE_INVALID, &facts);
    if (rv == CKR_OK)
        rv = birth_is_permitted(rt, session, unwrapping_key, &facts, CKA_UNWRAP);
    if (rv == CKR_OK)
        rv = gate_agree_once(rt, session, unwrapping_key, &facts, POLICY_USE_UNWRAP, birth.wrapped, birth.wrapped_len);
    if (rv == CKR_OK)
        rv = birth_give(rt, session, &birth, unwrapping_key, key);
    session_forget_facts(&rt->sessions);
    birth_clear(&birth);
    return rv;
}

CK_RV gate_C_DeriveKey(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE base_key,
                       CK_ATTRIBUTE_PTR template, CK_ULONG count, CK_OBJECT_HANDLE_PTR key)
{
    struct runtime *rt = runtime_get();
    struct key_facts facts;
    struct birth birth;
    CK_RV rv;

    if (!rt)
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    rv = birth_init(rt, session, mechanism, template, count, NULL, 0, &birth);
    if (rv != CKR_OK)
        return rv;
    rv = gate_facts(rt, session, base_key, CKR_KEY_HANDLE_INVALID, &facts);
    /* Only derivations from the secrets of a TLS session may come without (5.14.5). */
    if (rv == CKR_OK && !key && key_facts_is_private_key(&facts))
        rv = CKR_ARGUMENTS_BAD;
    if (rv == CKR_OK)
        rv = birth_is_permitted(rt, session, base_key, &facts, CKA_DERIVE);
    if (rv == CKR_OK)
        rv = gate_agree_once(rt, session, base_key, &facts, POLICY_USE_DERIVE, NULL, 0);
    if (rv == CKR_OK)
        rv = birth_give(rt, session, &birth, base_key, key);
    session_forget_facts(&rt->sessions);
    birth_clear(&birth);
    return rv;
}
