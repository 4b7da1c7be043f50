#include "pkcs11-module/template.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static CK_BBOOL always = CK_TRUE;
static CK_BBOOL never = CK_FALSE;

static bool is_ours(CK_ATTRIBUTE_TYPE type)
{
    return type == CKA_PRIVATE || type == CKA_SENSITIVE || type == CKA_EXTRACTABLE ||
           type == CKA_ALWAYS_AUTHENTICATE;
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
    CK_ATTRIBUTE_PTR all;
    CK_ULONG n = 0;

    if (!attributes && count > 0)
        return CKR_ARGUMENTS_BAD;
    if (count > SIZE_MAX / sizeof *all - ours_count)
        return CKR_HOST_MEMORY;
    all = malloc((count + ours_count) * sizeof *all);
    if (!all)
        return CKR_HOST_MEMORY;
    for (CK_ULONG i = 0; i < count; i++)
        if (!is_ours(attributes[i].type))
            all[n++] = attributes[i];
    memcpy(all + n, ours, ours_count * sizeof *all);
    *protected = (struct template){all, n + ours_count};
    return CKR_OK;
}

CK_RV template_copy(CK_ATTRIBUTE_PTR attributes, CK_ULONG count, struct template *copy)
{
    CK_ATTRIBUTE_PTR all;

    if (!attributes && count > 0)
        return CKR_ARGUMENTS_BAD;
    if (count > SIZE_MAX / sizeof *all - 1)
        return CKR_HOST_MEMORY;
    all = malloc((count + 1) * sizeof *all);
    if (!all)
        return CKR_HOST_MEMORY;
    if (count)
        memcpy(all, attributes, count * sizeof *all);
    *copy = (struct template){all, count};
    return CKR_OK;
}

void template_clear(struct template *template)
{
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
