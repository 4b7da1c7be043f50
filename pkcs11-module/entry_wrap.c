#include "common/log.h"
#include "pkcs11-module/entry.h"
#include "pkcs11-module/gate_once.h"
#include "pkcs11-module/key_birth.h"
#include "pkcs11-module/mechanism.h"
#include "pkcs11-module/mechanism_keys.h"
#include "pkcs11-module/template.h"

/* PKCS#11 2.40, 5.14: wrapping, unwrapping and deriving. */

/* What else a private key that comes into being here must be: protected like any other. */
static CK_RV protect_result(struct runtime *rt, CK_SESSION_HANDLE session, CK_ATTRIBUTE_PTR template, CK_ULONG count,
                            struct template *result)
{
    if (template_makes_private_key(template, count))
        return template_protect(template, count, key_birth_is_high(rt, session, template, count), result);
    return template_copy(template, count, result);
}

/* ------------------------------------------------------------------ wrapping */

static bool read_flag(CK_FUNCTION_LIST *backend, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                      CK_ATTRIBUTE_TYPE type, bool otherwise)
{
    CK_BBOOL value = CK_FALSE;
    CK_ATTRIBUTE attribute = {type, &value, sizeof value};

    if (backend->C_GetAttributeValue(session, object, &attribute, 1) != CKR_OK || attribute.ulValueLen != sizeof value)
        return otherwise;
    return value != CK_FALSE;
}

/* A key may carry a private key out only if nobody can know it and it has no second role that would open the wrapping
 * again (Clulow 2003; Bortolozzo, Centenaro, Focardi and Steel 2010): a secret key that was made on the token, was
 * always sensitive, was never extractable, and neither decrypts nor unwraps. */
static bool may_carry(CK_FUNCTION_LIST *backend, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key,
                      const struct key_facts *facts)
{
    return facts->object_class == CKO_SECRET_KEY && read_flag(backend, session, key, CKA_LOCAL, false) &&
           read_flag(backend, session, key, CKA_ALWAYS_SENSITIVE, false) &&
           read_flag(backend, session, key, CKA_NEVER_EXTRACTABLE, false) &&
           !read_flag(backend, session, key, CKA_DECRYPT, true) && !read_flag(backend, session, key, CKA_UNWRAP, true);
}

static CK_RV agree_to_export(struct runtime *rt, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE wrapping_key,
                             const struct key_facts *wrapping, const struct key_facts *facts)
{
    if (!facts->extractable)
        return CKR_KEY_UNEXTRACTABLE;
    if (!may_carry(rt->backend.functions, session, wrapping_key, wrapping)) {
        log_warning("key \"%s\" is not exported under a key that somebody may know or that has another role",
                    facts->label);
        return CKR_KEY_NOT_WRAPPABLE;
    }
    return gate_agree_once(rt, session, facts, POLICY_USE_EXPORT, NULL, 0);
}

CK_RV gate_C_WrapKey(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE wrapping_key,
                     CK_OBJECT_HANDLE key, CK_BYTE_PTR wrapped_key, CK_ULONG_PTR wrapped_key_len)
{
    struct runtime *rt = runtime_get();
    struct key_facts wrapping, facts;
    struct mechanism m;
    CK_RV rv;

    if (!rt)
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    rv = mechanism_copy(mechanism, &m);
    if (rv != CKR_OK)
        return rv;
    rv = mechanism_names_private_key(rt, session, &m.copy);
    if (rv == CKR_OK)
        rv = gate_facts(rt, session, key, CKR_KEY_HANDLE_INVALID, &facts);
    if (rv == CKR_OK)
        rv = gate_facts(rt, session, wrapping_key, CKR_WRAPPING_KEY_HANDLE_INVALID, &wrapping);
    /* As wrapping key a private key would sign or encrypt raw. */
    if (rv == CKR_OK && key_facts_is_private_key(&wrapping))
        rv = CKR_WRAPPING_KEY_TYPE_INCONSISTENT;
    /* A length query gives nothing away and asks nobody. */
    if (rv == CKR_OK && key_facts_is_private_key(&facts) && wrapped_key)
        rv = agree_to_export(rt, session, wrapping_key, &wrapping, &facts);
    if (rv == CKR_OK)
        rv = rt->backend.functions->C_WrapKey(session, &m.copy, wrapping_key, key, wrapped_key, wrapped_key_len);
    mechanism_clear(&m);
    return rv;
}

/* ------------------------------------------------------------------ unwrapping and deriving */

CK_RV gate_C_UnwrapKey(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE unwrapping_key,
                       CK_BYTE_PTR wrapped_key, CK_ULONG wrapped_key_len, CK_ATTRIBUTE_PTR template, CK_ULONG count,
                       CK_OBJECT_HANDLE_PTR key)
{
    struct runtime *rt = runtime_get();
    struct template result = {0};
    struct key_facts facts;
    struct mechanism m;
    CK_RV rv;

    if (!rt)
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    if (!wrapped_key || !key)
        return CKR_ARGUMENTS_BAD;
    rv = mechanism_copy(mechanism, &m);
    if (rv != CKR_OK)
        return rv;
    rv = mechanism_names_private_key(rt, session, &m.copy);
    if (rv == CKR_OK)
        rv = gate_facts(rt, session, unwrapping_key, CKR_UNWRAPPING_KEY_HANDLE_INVALID, &facts);
    if (rv == CKR_OK)
        rv = protect_result(rt, session, template, count, &result);
    if (rv == CKR_OK)
        rv = gate_agree_once(rt, session, &facts, POLICY_USE_UNWRAP, wrapped_key, wrapped_key_len);
    if (rv == CKR_OK)
        rv = rt->backend.functions->C_UnwrapKey(session, &m.copy, unwrapping_key, wrapped_key, wrapped_key_len,
                                                result.attributes, result.count, key);
    session_forget_facts(&rt->sessions);
    template_clear(&result);
    mechanism_clear(&m);
    return rv;
}

CK_RV gate_C_DeriveKey(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE base_key,
                       CK_ATTRIBUTE_PTR template, CK_ULONG count, CK_OBJECT_HANDLE_PTR key)
{
    struct runtime *rt = runtime_get();
    struct template result = {0};
    struct key_facts facts;
    struct mechanism m;
    CK_RV rv;

    if (!rt)
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    rv = mechanism_copy(mechanism, &m);
    if (rv != CKR_OK)
        return rv;
    rv = mechanism_names_private_key(rt, session, &m.copy);
    if (rv == CKR_OK)
        rv = gate_facts(rt, session, base_key, CKR_KEY_HANDLE_INVALID, &facts);
    if (rv == CKR_OK)
        rv = protect_result(rt, session, template, count, &result);
    if (rv == CKR_OK)
        rv = gate_agree_once(rt, session, &facts, POLICY_USE_DERIVE, NULL, 0);
    if (rv == CKR_OK)
        rv = rt->backend.functions->C_DeriveKey(session, &m.copy, base_key, result.attributes, result.count, key);
    session_forget_facts(&rt->sessions);
    template_clear(&result);
    mechanism_clear(&m);
    return rv;
}
