#include "pkcs11-module/attribute.h"

/* A pValue of NULL asks for the length only (PKCS#11 2.40, 5.7). */
static CK_RV read_length(CK_FUNCTION_LIST *backend, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                         CK_ATTRIBUTE_TYPE type, CK_ULONG *len)
{
    CK_ATTRIBUTE attribute = {type, NULL, 0};
    const CK_RV rv = backend->C_GetAttributeValue(session, object, &attribute, 1);

    if (rv != CKR_OK)
        return rv;
    if (attribute.ulValueLen == CK_UNAVAILABLE_INFORMATION)
        return CKR_ATTRIBUTE_TYPE_INVALID;
    *len = attribute.ulValueLen;
    return CKR_OK;
}

CK_RV attribute_read(CK_FUNCTION_LIST *backend, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                     CK_ATTRIBUTE_TYPE type, void *value, CK_ULONG size, CK_ULONG *len)
{
    CK_ATTRIBUTE attribute = {type, value, size};
    CK_ULONG needed = 0;
    CK_RV rv = read_length(backend, session, object, type, &needed);

    if (rv != CKR_OK)
        return rv;
    if (needed > size)
        return CKR_BUFFER_TOO_SMALL;
    rv = backend->C_GetAttributeValue(session, object, &attribute, 1);
    if (rv != CKR_OK)
        return rv;
    if (attribute.ulValueLen > size)
        return CKR_BUFFER_TOO_SMALL;
    *len = attribute.ulValueLen;
    return CKR_OK;
}

bool attribute_read_bool(CK_FUNCTION_LIST *backend, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                         CK_ATTRIBUTE_TYPE type, bool otherwise)
{
    CK_BBOOL value = otherwise ? CK_TRUE : CK_FALSE;
    CK_ULONG len = 0;

    if (attribute_read(backend, session, object, type, &value, sizeof value, &len) != CKR_OK || len != sizeof value)
        return otherwise;
    return value != CK_FALSE;
}

CK_ULONG attribute_length(CK_FUNCTION_LIST *backend, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                          CK_ATTRIBUTE_TYPE type)
{
    CK_ULONG len = 0;

    return read_length(backend, session, object, type, &len) == CKR_OK ? len : 0;
}
