#include "common/log.h"
#include "pkcs11-module/entry.h"
#include "pkcs11-module/gate_session.h"
#include "pkcs11-module/key_birth.h"
#include "pkcs11-module/runtime.h"
#include "pkcs11-module/template.h"

/* PKCS#11 2.40, 5.14: key management. */

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
    bool high;
    CK_RV rv;

    if (!rt)
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    if (gate_session_is_beside(rt, session))
        return CKR_SESSION_HANDLE_INVALID;
    high = key_birth_is_high(rt, session, private_key_template, private_key_attribute_count);
    rv = generate_protected(rt, session, mechanism, public_key_template, public_key_attribute_count,
                            private_key_template, private_key_attribute_count, high, public_key, private_key);
    if (high && template_may_lack_always_authenticate(rv)) {
        log_debug("the token does not know CKA_ALWAYS_AUTHENTICATE (0x%08lx): the gate alone protects the key", rv);
        rv = generate_protected(rt, session, mechanism, public_key_template, public_key_attribute_count,
                                private_key_template, private_key_attribute_count, false, public_key, private_key);
    }
    session_forget_facts(&rt->sessions);
    return rv;
}
