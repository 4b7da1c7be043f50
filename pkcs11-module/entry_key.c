#include "common/log.h"
#include "pkcs11-module/entry.h"
#include "pkcs11-module/export.h"
#include "pkcs11-module/gate_once.h"
#include "pkcs11-module/gate_session.h"
#include "pkcs11-module/key_birth.h"
#include "pkcs11-module/runtime.h"
#include "pkcs11-module/template.h"

/* PKCS#11 2.40, 5.14: key management. */

/* It makes secret keys. A template that says private key would, with a backend that believes it, make one that nobody has
 * protected. */
CK_RV refuse_C_GenerateKey(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_ATTRIBUTE_PTR template,
                           CK_ULONG count, CK_OBJECT_HANDLE_PTR key)
{
    struct runtime *rt = runtime_get();
    struct template copy;
    CK_RV rv;

    if (!rt)
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    if (gate_session_is_beside(rt, session))
        return CKR_SESSION_HANDLE_INVALID;
    rv = template_copy(template, count, &copy);
    if (rv != CKR_OK)
        return rv;
    if (template_makes_private_key(copy.attributes, copy.count))
        rv = CKR_TEMPLATE_INCONSISTENT;
    else
        rv = rt->backend.functions->C_GenerateKey(session, mechanism, copy.attributes, copy.count, key);
    template_clear(&copy);
    return rv;
}

/* A pair that is to be made. The private key's template is a copy: what is judged and shown is what is done. */
struct pair {
    CK_MECHANISM_PTR mechanism;
    CK_ATTRIBUTE_PTR public_template;
    CK_ULONG public_count;
    struct template private_template;
    bool high;  /* its token is to ask for the PIN itself */
    bool leaves; /* it can be exported */
};

static CK_RV generate_protected(struct runtime *rt, CK_SESSION_HANDLE session, const struct pair *pair,
                                bool always_authenticate, CK_OBJECT_HANDLE_PTR public_key,
                                CK_OBJECT_HANDLE_PTR private_key)
{
    struct template protected;
    CK_RV rv = template_protect(pair->private_template.attributes, pair->private_template.count, always_authenticate,
                                &protected);

    if (rv != CKR_OK)
        return rv;
    if (pair->leaves)
        template_let_leave(&protected);
    rv = rt->backend.functions->C_GenerateKeyPair(session, pair->mechanism, pair->public_template, pair->public_count,
                                                  protected.attributes, protected.count, public_key, private_key);
    template_clear(&protected);
    return rv;
}

static CK_RV generate(struct runtime *rt, CK_SESSION_HANDLE session, const struct pair *pair,
                      CK_OBJECT_HANDLE_PTR public_key, CK_OBJECT_HANDLE_PTR private_key)
{
    CK_RV rv = generate_protected(rt, session, pair, pair->high, public_key, private_key);

    if (pair->high && template_may_lack_always_authenticate(rv)) {
        log_debug("the token does not know CKA_ALWAYS_AUTHENTICATE (0x%08lx): the gate alone protects the key", rv);
        rv = generate_protected(rt, session, pair, false, public_key, private_key);
    }
    return rv;
}

/* A key that can leave its token: the user agrees to that when it is made. */
static CK_RV generate_exportable(struct runtime *rt, CK_SESSION_HANDLE session, struct pair *pair,
                                 CK_OBJECT_HANDLE_PTR public_key, CK_OBJECT_HANDLE_PTR private_key)
{
    struct key_facts facts;
    int cancel_state;
    CK_RV rv;

    if (!key_birth_describe(pair->private_template.attributes, pair->private_template.count, &facts))
        return CKR_TEMPLATE_INCONSISTENT;
    rv = export_agree_to_birth(rt, session, &facts);
    if (rv == CKR_OK)
        rv = gate_enter_once(rt, &cancel_state);
    if (rv != CKR_OK)
        return rv;
    pair->leaves = true;
    rv = generate(rt, session, pair, public_key, private_key);
    gate_leave_once(rt, cancel_state);
    return rv;
}

CK_RV own_C_GenerateKeyPair(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism,
                            CK_ATTRIBUTE_PTR public_key_template, CK_ULONG public_key_attribute_count,
                            CK_ATTRIBUTE_PTR private_key_template, CK_ULONG private_key_attribute_count,
                            CK_OBJECT_HANDLE_PTR public_key, CK_OBJECT_HANDLE_PTR private_key)
{
    struct runtime *rt = runtime_get();
    struct pair pair = {mechanism, public_key_template, public_key_attribute_count, {0}, false, false};
    CK_RV rv;

    if (!rt)
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    if (gate_session_is_beside(rt, session))
        return CKR_SESSION_HANDLE_INVALID;
    if (!template_is_possible(public_key_template, public_key_attribute_count))
        return CKR_ARGUMENTS_BAD;
    rv = template_copy(private_key_template, private_key_attribute_count, &pair.private_template);
    if (rv != CKR_OK)
        return rv;
    pair.high = key_birth_is_high(rt, session, pair.private_template.attributes, pair.private_template.count);
    if (export_may_be_born(rt, pair.private_template.attributes, pair.private_template.count))
        rv = generate_exportable(rt, session, &pair, public_key, private_key);
    else
        rv = generate(rt, session, &pair, public_key, private_key);
    session_forget_facts(&rt->sessions);
    template_clear(&pair.private_template);
    return rv;
}
