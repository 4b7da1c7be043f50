#include "pkcs11-module/key_birth.h"

#include <string.h>

#include "pkcs11-module/gate.h"

/* The one attribute of this type; NULL when there is none, or it cannot be read. *clear: it is not there twice, and
 * can be read. */
static const CK_ATTRIBUTE *find_once(const CK_ATTRIBUTE *template, CK_ULONG count, CK_ATTRIBUTE_TYPE type, bool *clear)
{
    const CK_ATTRIBUTE *found = NULL;

    for (CK_ULONG i = 0; i < count; i++) {
        if (template[i].type != type)
            continue;
        if (found || (!template[i].pValue && template[i].ulValueLen > 0))
            *clear = false;
        found = &template[i];
    }
    return *clear ? found : NULL;
}

bool key_birth_describe(const CK_ATTRIBUTE *template, CK_ULONG count, struct key_facts *facts)
{
    bool clear = template || count == 0;
    const CK_ATTRIBUTE *label = clear ? find_once(template, count, CKA_LABEL, &clear) : NULL;
    const CK_ATTRIBUTE *id = clear ? find_once(template, count, CKA_ID, &clear) : NULL;

    if (!clear)
        return false;
    memset(facts, 0, sizeof *facts);
    facts->object_class = CKO_PRIVATE_KEY;
    if (label)
        key_facts_set_label(facts, label->pValue, label->ulValueLen);
    if (id && id->ulValueLen > 0 && id->ulValueLen <= sizeof facts->id) {
        memcpy(facts->id, id->pValue, id->ulValueLen);
        facts->id_len = id->ulValueLen;
    }
    return true;
}

bool key_birth_is_high(struct runtime *rt, CK_SESSION_HANDLE handle, const CK_ATTRIBUTE *template, CK_ULONG count)
{
    enum config_level level = CONFIG_LEVEL_HIGH;
    struct session *session;
    struct key_facts facts;

    if (!key_birth_describe(template, count, &facts) || gate_session(rt, handle, &session) != CKR_OK)
        return true;
    if (session_new_key_level(&rt->sessions, rt->backend.functions, session, &facts, &level) != CKR_OK)
        level = CONFIG_LEVEL_HIGH;
    session_put(&rt->sessions, session);
    return level == CONFIG_LEVEL_HIGH;
}
