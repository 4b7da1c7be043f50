#include "pkcs11-module/attribute_rules.h"

#include <string.h>

/* The value of a CK_BBOOL attribute; anything that is not one counts as what is worse. */
static bool is_true(const CK_ATTRIBUTE *attribute, bool worse)
{
    CK_BBOOL value;

    if (!attribute->pValue || attribute->ulValueLen != sizeof value)
        return worse;
    memcpy(&value, attribute->pValue, sizeof value);
    return value != CK_FALSE;
}

/* What protects a key's value and its use. false: left as protected as it was, or more. */
static bool weakens(const CK_ATTRIBUTE *attribute)
{
    switch (attribute->type) {
    case CKA_SENSITIVE:
    case CKA_PRIVATE:
    case CKA_ALWAYS_AUTHENTICATE:
    case CKA_WRAP_WITH_TRUSTED:
        return !is_true(attribute, false);
    case CKA_EXTRACTABLE:
    case CKA_TRUSTED:
        return is_true(attribute, true);
    default:
        return false;
    }
}

/* What a key is for. A key that changes roles is how the published attacks on the interface work. */
static bool is_role(CK_ATTRIBUTE_TYPE type)
{
    switch (type) {
    case CKA_ENCRYPT:
    case CKA_DECRYPT:
    case CKA_SIGN:
    case CKA_SIGN_RECOVER:
    case CKA_WRAP:
    case CKA_UNWRAP:
    case CKA_DERIVE:
    case CKA_WRAP_TEMPLATE:
    case CKA_UNWRAP_TEMPLATE:
    case CKA_ALLOWED_MECHANISMS:
        return true;
    default:
        return false;
    }
}

/* Strengthening needs nobody. */
static bool strengthens(const CK_ATTRIBUTE *attribute)
{
    return attribute->type == CKA_SENSITIVE || attribute->type == CKA_PRIVATE ||
           attribute->type == CKA_ALWAYS_AUTHENTICATE || attribute->type == CKA_WRAP_WITH_TRUSTED ||
           attribute->type == CKA_EXTRACTABLE;
}

static enum attribute_verdict verdict_private(const CK_ATTRIBUTE *attribute)
{
    if (weakens(attribute) || is_role(attribute->type))
        return ATTRIBUTE_REFUSE;
    return strengthens(attribute) ? ATTRIBUTE_FREE : ATTRIBUTE_CONSENT;
}

enum attribute_verdict attribute_rules_private(const CK_ATTRIBUTE *template, CK_ULONG count)
{
    enum attribute_verdict worst = ATTRIBUTE_FREE;

    for (CK_ULONG i = 0; template && i < count; i++) {
        const enum attribute_verdict verdict = verdict_private(&template[i]);

        if (verdict > worst)
            worst = verdict;
    }
    return worst;
}

enum attribute_verdict attribute_rules_secret(const CK_ATTRIBUTE *template, CK_ULONG count)
{
    for (CK_ULONG i = 0; template && i < count; i++)
        if (weakens(&template[i]) || is_role(template[i].type))
            return ATTRIBUTE_REFUSE;
    return ATTRIBUTE_FREE;
}
