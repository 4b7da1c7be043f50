#include "pkcs11-module/agent/serve_consent.h"

#include <stdlib.h>
#include <string.h>

#include "pkcs11-module/consent_wire.h"
#include "pkcs11-module/entry_consent.h"

static CK_FUNCTION_LIST behind; /* what is called for everything else */

static const CK_ATTRIBUTE *find(const CK_ATTRIBUTE *template, CK_ULONG count, CK_ATTRIBUTE_TYPE type)
{
    for (CK_ULONG i = 0; template && i < count; i++)
        if (template[i].type == type)
            return &template[i];
    return NULL;
}

/* 0, which nothing here may be, when it is not there or no number. */
static CK_ULONG number_of(const CK_ATTRIBUTE *template, CK_ULONG count, CK_ATTRIBUTE_TYPE type)
{
    const CK_ATTRIBUTE *found = find(template, count, type);
    CK_ULONG number = 0;

    if (found && found->pValue && found->ulValueLen == sizeof number)
        memcpy(&number, found->pValue, sizeof number);
    return number;
}

static CK_RV request(CK_SESSION_HANDLE session, const CK_ATTRIBUTE *template, CK_ULONG count, CK_OBJECT_HANDLE *object)
{
    const CK_ATTRIBUTE *purpose = find(template, count, CONSENT_WIRE_PURPOSE);
    CK_ULONG number;
    CK_RV rv = entry_consent_list.request_batch(session, number_of(template, count, CONSENT_WIRE_USES),
                                                number_of(template, count, CONSENT_WIRE_TIME),
                                                purpose ? purpose->pValue : NULL, purpose ? purpose->ulValueLen : 0,
                                                &number);

    if (rv == CKR_OK && number > CONSENT_WIRE_NUMBER_MAX) {
        (void)entry_consent_list.revoke_batch(session, number);
        rv = CKR_DEVICE_MEMORY;
    }
    if (rv == CKR_OK)
        *object = consent_wire_object(number);
    return rv;
}

static CK_RV serve_create(CK_SESSION_HANDLE session, CK_ATTRIBUTE_PTR template, CK_ULONG count,
                          CK_OBJECT_HANDLE_PTR object)
{
    if (object && number_of(template, count, CKA_CLASS) == CONSENT_WIRE_CLASS)
        return request(session, template, count, object);
    return behind.C_CreateObject(session, template, count, object);
}

static CK_RV serve_destroy(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object)
{
    if (consent_wire_is_batch(object))
        return entry_consent_list.revoke_batch(session, consent_wire_number(object));
    return behind.C_DestroyObject(session, object);
}

/* An attribute's value, in the convention of PKCS#11 2.40, 5.7, C_GetAttributeValue. */
static CK_RV give(CK_ATTRIBUTE *attribute, const void *value, CK_ULONG len)
{
    const CK_ULONG room = attribute->ulValueLen;

    attribute->ulValueLen = attribute->pValue && room < len ? CK_UNAVAILABLE_INFORMATION : len;
    if (!attribute->pValue)
        return CKR_OK;
    if (room < len)
        return CKR_BUFFER_TOO_SMALL;
    memcpy(attribute->pValue, value, len);
    return CKR_OK;
}

static CK_RV give_limit(CK_SESSION_HANDLE session, CK_ATTRIBUTE *attribute)
{
    CK_ULONG uses, time_s;
    CK_RV rv = entry_consent_list.get_limits(session, &uses, &time_s);

    if (rv != CKR_OK)
        return rv;
    return give(attribute, attribute->type == CONSENT_WIRE_USES ? &uses : &time_s, sizeof(CK_ULONG));
}

static CK_RV give_batches(CK_SESSION_HANDLE session, CK_ATTRIBUTE *attribute)
{
    struct pinward_batch *batches = NULL;
    CK_ULONG count;
    CK_RV rv;

    do { /* another thread of the client's may be granted one in between */
        free(batches);
        rv = entry_consent_list.list_batches(session, NULL, &count);
        if (rv != CKR_OK)
            return rv;
        batches = calloc(count + 1, sizeof *batches); /* what a record's padding holds goes on the wire too */
        if (!batches)
            return CKR_HOST_MEMORY;
        rv = entry_consent_list.list_batches(session, batches, &count);
    } while (rv == CKR_BUFFER_TOO_SMALL);
    if (rv == CKR_OK)
        rv = give(attribute, batches, count * sizeof *batches);
    free(batches);
    return rv;
}

static CK_RV give_one(CK_SESSION_HANDLE session, CK_ATTRIBUTE *attribute)
{
    switch (attribute->type) {
    case CONSENT_WIRE_USES:
    case CONSENT_WIRE_TIME:
        return give_limit(session, attribute);
    case CONSENT_WIRE_BATCHES:
        return give_batches(session, attribute);
    default:
        attribute->ulValueLen = CK_UNAVAILABLE_INFORMATION;
        return CKR_ATTRIBUTE_TYPE_INVALID;
    }
}

static CK_RV serve_get(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_PTR template, CK_ULONG count)
{
    CK_RV rv = CKR_OK;

    if (!consent_wire_is_batch(object))
        return behind.C_GetAttributeValue(session, object, template, count);
    if (consent_wire_number(object) != PINWARD_ALL_BATCHES)
        return CKR_OBJECT_HANDLE_INVALID;
    for (CK_ULONG i = 0; template && i < count; i++) {
        const CK_RV one = give_one(session, &template[i]);

        rv = rv == CKR_OK ? one : rv;
    }
    return rv;
}

void serve_consent_install(CK_FUNCTION_LIST *functions)
{
    behind = *functions;
    functions->C_CreateObject = serve_create;
    functions->C_DestroyObject = serve_destroy;
    functions->C_GetAttributeValue = serve_get;
}
