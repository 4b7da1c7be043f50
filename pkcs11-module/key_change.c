#include "pkcs11-module/key_change.h"

#include <string.h>

#include "pkcs11-module/gate.h"
#include "pkcs11-module/key_birth.h"

static bool has(const CK_ATTRIBUTE *template, CK_ULONG count, CK_ATTRIBUTE_TYPE type)
{
    for (CK_ULONG i = 0; i < count; i++)
        if (template[i].type == type)
            return true;
    return false;
}

/* The facts as they will be. false: the template contradicts itself or cannot be read. */
static bool describe_after(const struct key_facts *before, const CK_ATTRIBUTE *template, CK_ULONG count,
                           struct key_facts *after)
{
    struct key_facts given;

    if (!key_birth_describe(template, count, &given))
        return false;
    *after = *before;
    if (has(template, count, CKA_LABEL)) {
        memcpy(after->label, given.label, sizeof after->label);
        after->label_whole = given.label_whole;
    }
    if (has(template, count, CKA_ID)) {
        memcpy(after->id, given.id, sizeof after->id);
        after->id_len = given.id_len;
    }
    return true;
}

bool key_change_lowers_level(struct runtime *rt, CK_SESSION_HANDLE handle, const struct key_facts *facts,
                             const CK_ATTRIBUTE *template, CK_ULONG count)
{
    struct session *session;
    struct key_facts after;
    bool lowers = true;

    if (!has(template, count, CKA_LABEL) && !has(template, count, CKA_ID))
        return false;
    if (!describe_after(facts, template, count, &after) || gate_session(rt, handle, &session) != CKR_OK)
        return true;
    if (session_change_lowers_level(&rt->sessions, rt->backend.functions, session, facts, &after, &lowers) != CKR_OK)
        lowers = true;
    session_put(&rt->sessions, session);
    return lowers;
}
