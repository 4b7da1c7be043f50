#include "pkcs11-module/export.h"

#include <string.h>

#include "common/log.h"
#include "pkcs11-module/attribute.h"
#include "pkcs11-module/decision.h"
#include "pkcs11-module/gate_once.h"

/* PKCS#11 3.0; p11-kit's header leaves it out. */
#define MECHANISM_AES_KEY_WRAP_KWP 0x210bUL

/* ------------------------------------------------------------------ birth */

bool export_may_be_born(const struct runtime *rt, const CK_ATTRIBUTE *template, CK_ULONG count)
{
    const CK_ATTRIBUTE *wish = NULL;
    CK_BBOOL value = CK_FALSE;

    if (rt->config.module.export != CONFIG_EXPORT_ASK)
        return false;
    for (CK_ULONG i = 0; template && i < count; i++) {
        if (template[i].type != CKA_EXTRACTABLE)
            continue;
        if (wish || !template[i].pValue || template[i].ulValueLen != sizeof value)
            return false;
        wish = &template[i];
    }
    if (wish)
        memcpy(&value, wish->pValue, sizeof value);
    return value != CK_FALSE;
}

/* Rules that make a key's uses easier do not make it easier to lose. */
static CK_RV agree_at_high(struct runtime *rt, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key,
                           const struct key_facts *facts, enum policy_use use)
{
    struct key_facts high = *facts;

    high.level = CONFIG_LEVEL_HIGH;
    return gate_agree_once(rt, session, key, &high, use, NULL, 0);
}

CK_RV export_agree_to_birth(struct runtime *rt, CK_SESSION_HANDLE session, const struct key_facts *facts)
{
    return agree_at_high(rt, session, CK_INVALID_HANDLE, facts, POLICY_USE_CREATE_EXPORTABLE);
}

/* ------------------------------------------------------------------ export */

/* A key may carry a private key out only if nobody can know it and it has no second role that would open the wrapping
 * again (Clulow 2003; Bortolozzo, Centenaro, Focardi and Steel 2010): a secret key that was made on the token, was
 * always sensitive, was never extractable, and neither decrypts nor unwraps. */
static bool is_unknown_to_all(CK_FUNCTION_LIST *backend, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key,
                              const struct key_facts *facts)
{
    return facts->object_class == CKO_SECRET_KEY && attribute_read_bool(backend, session, key, CKA_LOCAL, false) &&
           attribute_read_bool(backend, session, key, CKA_ALWAYS_SENSITIVE, false) &&
           attribute_read_bool(backend, session, key, CKA_NEVER_EXTRACTABLE, false) &&
           !attribute_read_bool(backend, session, key, CKA_DECRYPT, true) && !attribute_read_bool(backend, session, key, CKA_UNWRAP, true);
}

/* A secret key that the program has brought for this session: nobody else has been given it, nor finds it later on the
 * token. */
static bool is_programs_own(CK_FUNCTION_LIST *backend, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key,
                            const struct key_facts *facts)
{
    return facts->object_class == CKO_SECRET_KEY && !attribute_read_bool(backend, session, key, CKA_TOKEN, true);
}

/* What these wrap, encrypting does not open again. In a stream or counter mode (CTR, GCM, OFB, ChaCha20) a second
 * encryption is the decryption, so that a carrier that may encrypt would be enough. What is not known here is one. */
static bool is_opened_by_decrypting_only(CK_MECHANISM_TYPE mechanism)
{
    switch (mechanism) {
    case CKM_AES_KEY_WRAP:
    case CKM_AES_KEY_WRAP_PAD:
    case MECHANISM_AES_KEY_WRAP_KWP:
    case CKM_AES_CBC_PAD:
    case CKM_DES3_CBC_PAD:
        return true;
    default:
        return false;
    }
}

static CK_RV refuse_export(struct runtime *rt, CK_SESSION_HANDLE session, const struct key_facts *facts,
                           const char *how, CK_RV refusal)
{
    return decision_refuse(rt, session, facts, policy_use_name(POLICY_USE_EXPORT), how, refusal);
}

CK_RV export_permit(struct runtime *rt, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE carrier,
                    const struct key_facts *carrier_facts, CK_MECHANISM_TYPE mechanism, const struct key_facts *facts,
                    enum policy_use *use)
{
    CK_FUNCTION_LIST *backend = rt->backend.functions;
    const bool unknown = is_unknown_to_all(backend, session, carrier, carrier_facts);

    if (!facts->extractable)
        return CKR_KEY_UNEXTRACTABLE;
    if (unknown && is_opened_by_decrypting_only(mechanism)) {
        *use = POLICY_USE_EXPORT;
        return CKR_OK;
    }
    if (rt->config.module.export == CONFIG_EXPORT_ASK && is_programs_own(backend, session, carrier, carrier_facts)) {
        *use = POLICY_USE_EXPORT_TO_PROGRAM;
        return CKR_OK;
    }
    log_warning("key \"%s\" is not exported %s", facts->label,
                unknown ? "by a mechanism that encrypting might undo"
                        : "under a key that somebody may know or that has another role");
    return unknown ? refuse_export(rt, session, facts, "mechanism not trusted", CKR_MECHANISM_INVALID)
                   : refuse_export(rt, session, facts, "wrapping key not trusted", CKR_KEY_NOT_WRAPPABLE);
}

CK_RV export_agree(struct runtime *rt, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key, const struct key_facts *facts,
                   enum policy_use use)
{
    if (use == POLICY_USE_EXPORT_TO_PROGRAM)
        return agree_at_high(rt, session, key, facts, use);
    return gate_agree_once(rt, session, key, facts, use, NULL, 0);
}
