#include "pkcs11-module/search.h"

#include <string.h>

#include "include/pinward.h"
#include "pkcs11-module/gate_once.h"
#include "pkcs11-module/profile.h"
#include "pkcs11-module/shown.h"

/* Wanted twice, it can only be both when both are the same. What is no CK_BBOOL is no value of any key. */
static enum search_flag wanted(enum search_flag before, const CK_ATTRIBUTE *attribute)
{
    enum search_flag flag = SEARCH_NOTHING;
    CK_BBOOL value;

    if (attribute->pValue && attribute->ulValueLen == sizeof value) {
        memcpy(&value, attribute->pValue, sizeof value);
        flag = value ? SEARCH_TRUE : SEARCH_FALSE;
    }
    return before == SEARCH_ANY || before == flag ? flag : SEARCH_NOTHING;
}

CK_ULONG search_wish_take(struct search_wish *wish, const CK_ATTRIBUTE *template, CK_ULONG count, CK_ATTRIBUTE *rest)
{
    CK_ULONG left = 0;

    memset(wish, 0, sizeof *wish);
    for (CK_ULONG i = 0; template && i < count; i++) {
        if (template[i].type == CKA_ALWAYS_AUTHENTICATE)
            wish->always_authenticate = wanted(wish->always_authenticate, &template[i]);
        else if (template[i].type == CKA_PINWARD_ENFORCED)
            wish->enforced = wanted(wish->enforced, &template[i]);
        else
            rest[left++] = template[i];
        if (shown_is_private_part(template[i].type))
            wish->without_private_keys = true;
    }
    return left;
}

bool search_wish_is_empty(const struct search_wish *wish)
{
    return !wish->without_profiles && !wish->without_private_keys && wish->always_authenticate == SEARCH_ANY &&
           wish->enforced == SEARCH_ANY;
}

static bool agrees(enum search_flag flag, bool value)
{
    return flag == SEARCH_ANY || flag == (value ? SEARCH_TRUE : SEARCH_FALSE);
}

/* Only private keys have the two attributes. */
static bool is_wanted(struct runtime *rt, CK_SESSION_HANDLE session, const struct search_wish *wish,
                      CK_OBJECT_HANDLE object)
{
    struct key_facts facts;

    if (gate_facts(rt, session, object, CKR_OBJECT_HANDLE_INVALID, &facts) != CKR_OK)
        return false;
    if (!key_facts_is_private_key(&facts))
        return wish->always_authenticate == SEARCH_ANY && wish->enforced == SEARCH_ANY;
    return !wish->without_private_keys &&
           agrees(wish->always_authenticate, shown_always_authenticate(rt, &facts)) &&
           agrees(wish->enforced, facts.always_authenticate);
}

CK_ULONG search_filter(struct runtime *rt, CK_SESSION_HANDLE session, const struct search_wish *wish,
                       CK_OBJECT_HANDLE *objects, CK_ULONG count)
{
    struct search_wish without_keys = *wish;
    CK_ULONG kept = 0;

    if (wish->without_profiles)
        count = profile_filter(rt, session, objects, count);
    without_keys.without_profiles = false;
    if (search_wish_is_empty(&without_keys))
        return count;
    for (CK_ULONG i = 0; i < count; i++)
        if (is_wanted(rt, session, wish, objects[i]))
            objects[kept++] = objects[i];
    return kept;
}
