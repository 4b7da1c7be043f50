#include "common/log.h"
#include "pkcs11-module/entry.h"
#include "pkcs11-module/runtime.h"
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
    session_forget_facts(&rt->sessions);
    return rv;
}
