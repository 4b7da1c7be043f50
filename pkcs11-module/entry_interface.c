#include <string.h>

#include "pkcs11-module/entry_3.h"
#include "pkcs11-module/interface.h"

/* PKCS#11 3.0, 5.4: with C_GetFunctionList the only functions that may come before C_Initialize. */

CK_RV own_C_GetInterfaceList(CK_INTERFACE_PTR interfaces, CK_ULONG_PTR count)
{
    CK_ULONG room;

    if (!count)
        return CKR_ARGUMENTS_BAD;
    room = *count;
    *count = interface_count();
    if (!interfaces)
        return CKR_OK;
    if (room < interface_count())
        return CKR_BUFFER_TOO_SMALL;
    for (CK_ULONG n = 0; n < interface_count(); n++)
        interfaces[n] = *interface_at(n);
    return CKR_OK;
}

/* 5.4 names no value of its own for "there is none such": the arguments were not appropriate (5.1.6), which is what
 * other providers answer too. */
CK_RV own_C_GetInterface(CK_UTF8CHAR_PTR name, CK_VERSION_PTR version, CK_INTERFACE_PTR_PTR interface, CK_FLAGS flags)
{
    CK_INTERFACE *found;

    if (!interface)
        return CKR_ARGUMENTS_BAD;
    found = interface_find(name, version, flags);
    if (!found)
        return CKR_ARGUMENTS_BAD;
    *interface = found;
    return CKR_OK;
}
