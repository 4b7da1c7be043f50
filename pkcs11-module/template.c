#include "pkcs11-module/template.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/secret.h"

static CK_BBOOL always = CK_TRUE;
static CK_BBOOL never = CK_FALSE;

static bool is_ours(CK_ATTRIBUTE_TYPE type)
{
    return type == CKA_PRIVATE || type == CKA_SENSITIVE || type == CKA_EXTRACTABLE ||
           type == CKA_ALWAYS_AUTHENTICATE;
}

static bool is_guard(CK_ATTRIBUTE_TYPE type)
{
    return type == CKA_ALWAYS_AUTHENTICATE;
}

static bool is_none(CK_ATTRIBUTE_TYPE type)
{
    (void)type;
    return false;
}

static bool has_value(const CK_ATTRIBUTE *attribute)
{
    return attribute->pValue && attribute->ulValueLen > 0 && attribute->ulValueLen != CK_UNAVAILABLE_INFORMATION;
}

bool template_is_possible(const CK_ATTRIBUTE *attributes, CK_ULONG count)
{
    return count == 0 || (attributes && count <= SIZE_MAX / sizeof *attributes);
}

/* Room for a copy of the attributes, for more behind them, and for the values. */
static CK_RV make_room(const CK_ATTRIBUTE *attributes, CK_ULONG count, CK_ULONG more, struct template *room)
{
    struct template made = {0};

    if (!template_is_possible(attributes, count))
        return CKR_ARGUMENTS_BAD;
    if (count > SIZE_MAX / sizeof *attributes - more - 1)
        return CKR_HOST_MEMORY;
    for (CK_ULONG i = 0; i < count; i++) {
        if (has_value(&attributes[i]) && attributes[i].ulValueLen > SIZE_MAX / 2 - made.values_len)
            return CKR_HOST_MEMORY;
        made.values_len += has_value(&attributes[i]) ? attributes[i].ulValueLen : 0;
    }
    made.attributes = malloc((count + more + 1) * sizeof *attributes);
    made.values = malloc(made.values_len + 1);
    if (!made.attributes || !made.values) {
        free(made.attributes);
        free(made.values);
        return CKR_HOST_MEMORY;
    }
    *room = made;
    return CKR_OK;
}

/* Copies the attributes but for those that are replaced, each read once. Of a value that a host lengthens meanwhile only what there is room for. */
static void copy_attributes(const CK_ATTRIBUTE *attributes, CK_ULONG count, bool is_replaced(CK_ATTRIBUTE_TYPE),
                            struct template *copy)
{
    unsigned char *value = copy->values;
    size_t room = copy->values_len;

    for (CK_ULONG i = 0; i < count; i++) {
        CK_ATTRIBUTE attribute = attributes[i];

        if (is_replaced(attribute.type))
            continue;
        if (has_value(&attribute)) {
            attribute.ulValueLen = attribute.ulValueLen < room ? attribute.ulValueLen : room;
            memcpy(value, attribute.pValue, attribute.ulValueLen);
            attribute.pValue = value;
            value += attribute.ulValueLen;
            room -= attribute.ulValueLen;
        }
        copy->attributes[copy->count++] = attribute;
    }
}

CK_RV template_protect(CK_ATTRIBUTE_PTR attributes, CK_ULONG count, bool always_authenticate,
                       struct template *protected)
{
    const CK_ATTRIBUTE ours[] = {
        {CKA_PRIVATE, &always, sizeof always},
        {CKA_SENSITIVE, &always, sizeof always},
        {CKA_EXTRACTABLE, &never, sizeof never},
        {CKA_ALWAYS_AUTHENTICATE, &always, sizeof always},
    };
    const CK_ULONG ours_count = always_authenticate ? 4 : 3;
    struct template made;
    CK_RV rv = make_room(attributes, count, ours_count, &made);

    if (rv != CKR_OK)
        return rv;
    copy_attributes(attributes, count, is_ours, &made);
    memcpy(made.attributes + made.count, ours, ours_count * sizeof *ours);
    made.count += ours_count;
    *protected = made;
    return CKR_OK;
}

void template_let_leave(struct template *protected)
{
    for (CK_ULONG i = 0; i < protected->count; i++)
        if (protected->attributes[i].type == CKA_EXTRACTABLE)
            protected->attributes[i].pValue = &always;
}

CK_RV template_guard(CK_ATTRIBUTE_PTR attributes, CK_ULONG count, struct template *guarded)
{
    struct template made;
    CK_RV rv = make_room(attributes, count, 1, &made);

    if (rv != CKR_OK)
        return rv;
    copy_attributes(attributes, count, is_guard, &made);
    made.attributes[made.count++] = (CK_ATTRIBUTE){CKA_ALWAYS_AUTHENTICATE, &always, sizeof always};
    *guarded = made;
    return CKR_OK;
}

CK_RV template_copy(CK_ATTRIBUTE_PTR attributes, CK_ULONG count, struct template *copy)
{
    struct template made = {0};
    CK_RV rv = CKR_OK;

    /* None at all stays none: what it means is the token's to say. */
    if (attributes || count > 0)
        rv = make_room(attributes, count, 0, &made);
    if (rv != CKR_OK)
        return rv;
    copy_attributes(attributes, count, is_none, &made);
    *copy = made;
    return CKR_OK;
}

void template_clear(struct template *template)
{
    if (template->values)
        secret_wipe(template->values, template->values_len);
    free(template->values);
    free(template->attributes);
    memset(template, 0, sizeof *template);
}

bool template_makes_private_key(CK_ATTRIBUTE_PTR attributes, CK_ULONG count)
{
    for (CK_ULONG i = 0; attributes && i < count; i++) {
        CK_OBJECT_CLASS object_class;

        if (attributes[i].type != CKA_CLASS || !attributes[i].pValue)
            continue;
        if (attributes[i].ulValueLen != sizeof object_class)
            return true; /* the token will refuse it; should it not, the key is protected */
        memcpy(&object_class, attributes[i].pValue, sizeof object_class);
        if (object_class == CKO_PRIVATE_KEY)
            return true;
    }
    return false;
}

bool template_may_lack_always_authenticate(CK_RV rv)
{
    return rv == CKR_ATTRIBUTE_TYPE_INVALID || rv == CKR_ATTRIBUTE_VALUE_INVALID ||
           rv == CKR_TEMPLATE_INCONSISTENT || rv == CKR_ATTRIBUTE_READ_ONLY;
}
