#include "common/log.h"
#include "pkcs11-module/entry.h"
#include "pkcs11-module/gate.h"
#include "pkcs11-module/template.h"

/* PKCS#11 2.40, 5.14: key management. */

/* New keys get the level of the configuration: at high the token itself asks for the PIN at every use, where it
 * can. */
static bool born_high(const struct runtime *rt)
{
    return rt->config.module.level == CONFIG_LEVEL_HIGH;
}

static CK_RV generate_protected(struct runtime *rt, CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism,
                                CK_ATTRIBUTE_PTR public_template, CK_ULONG public_count,
                                CK_ATTRIBUTE_PTR private_template, CK_ULONG private_count,
                                bool always_authenticate, CK_OBJECT_HANDLE_PTR public_key,
                                CK_OBJECT_HANDLE_PTR private_key)
{
    struct template protected;
    CK_RV rv = template_protect(private_template, private_count, always_authenticate, &protected);

    if (rv != CKR_OK)
        return rv;
    rv = rt->backend.functions->C_GenerateKeyPair(session, mechanism, public_template, public_count,
                                                  protected.attributes, protected.count, public_key, private_key);
    template_clear(&protected);
    return rv;
}

CK_RV own_C_GenerateKeyPair(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism,
                            CK_ATTRIBUTE_PTR public_key_template, CK_ULONG public_key_attribute_count,
                            CK_ATTRIBUTE_PTR private_key_template, CK_ULONG private_key_attribute_count,
                            CK_OBJECT_HANDLE_PTR public_key, CK_OBJECT_HANDLE_PTR private_key)
{
    struct runtime *rt = runtime_get();
    CK_RV rv;

    if (!rt)
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    rv = generate_protected(rt, session, mechanism, public_key_template, public_key_attribute_count,
                            private_key_template, private_key_attribute_count, born_high(rt), public_key,
                            private_key);
    if (born_high(rt) && template_may_lack_always_authenticate(rv)) {
        log_debug("the token does not know CKA_ALWAYS_AUTHENTICATE (0x%08lx): the gate alone protects the key", rv);
        rv = generate_protected(rt, session, mechanism, public_key_template, public_key_attribute_count,
                                private_key_template, private_key_attribute_count, false, public_key, private_key);
    }
    return rv;
}

/* Wrapping a private key is an export, unwrapping with one a use: neither has a gate yet. */

CK_RV refuse_C_WrapKey(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE wrapping_key,
                       CK_OBJECT_HANDLE key, CK_BYTE_PTR wrapped_key, CK_ULONG_PTR wrapped_key_len)
{
    struct runtime *rt = runtime_get();
    CK_RV rv;

    if (!rt)
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    rv = gate_refuse_private_key(rt, session, key, CKR_KEY_UNEXTRACTABLE, CKR_KEY_HANDLE_INVALID);
    /* As wrapping key a private key would sign or encrypt raw. */
    if (rv == CKR_OK)
        rv = gate_refuse_private_key(rt, session, wrapping_key, CKR_WRAPPING_KEY_TYPE_INCONSISTENT,
                                     CKR_WRAPPING_KEY_HANDLE_INVALID);
    return rv == CKR_OK ? rt->backend.functions->C_WrapKey(session, mechanism, wrapping_key, key, wrapped_key,
                                                           wrapped_key_len)
                        : rv;
}

CK_RV refuse_C_UnwrapKey(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE unwrapping_key,
                         CK_BYTE_PTR wrapped_key, CK_ULONG wrapped_key_len, CK_ATTRIBUTE_PTR template,
                         CK_ULONG count, CK_OBJECT_HANDLE_PTR key)
{
    struct runtime *rt = runtime_get();
    CK_RV rv;

    if (!rt)
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    rv = gate_refuse_private_key(rt, session, unwrapping_key, CKR_KEY_FUNCTION_NOT_PERMITTED,
                                 CKR_UNWRAPPING_KEY_HANDLE_INVALID);
    if (rv == CKR_OK && template_makes_private_key(template, count))
        rv = CKR_TEMPLATE_INCONSISTENT; /* a private key that the application once knew in the clear */
    return rv == CKR_OK ? rt->backend.functions->C_UnwrapKey(session, mechanism, unwrapping_key, wrapped_key,
                                                             wrapped_key_len, template, count, key)
                        : rv;
}

CK_RV refuse_C_DeriveKey(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE base_key,
                         CK_ATTRIBUTE_PTR template, CK_ULONG count, CK_OBJECT_HANDLE_PTR key)
{
    struct runtime *rt = runtime_get();
    CK_RV rv;

    if (!rt)
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    rv = gate_refuse_private_key(rt, session, base_key, CKR_KEY_FUNCTION_NOT_PERMITTED, CKR_KEY_HANDLE_INVALID);
    if (rv == CKR_OK && template_makes_private_key(template, count))
        rv = CKR_TEMPLATE_INCONSISTENT;
    return rv == CKR_OK ? rt->backend.functions->C_DeriveKey(session, mechanism, base_key, template, count, key) : rv;
}
