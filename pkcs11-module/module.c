#include "pkcs11-module/entry.h"
#include "pkcs11-module/entry_3.h"

#define EXPORTED __attribute__((visibility("default")))

/* The exported symbols (PKCS#11 2.40, 5.4; 3.0, 5.4): everything else is reached through the lists. */

EXPORTED CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR list)
{
    return own_C_GetFunctionList(list);
}

EXPORTED CK_RV C_GetInterfaceList(CK_INTERFACE_PTR interfaces, CK_ULONG_PTR count);
EXPORTED CK_RV C_GetInterface(CK_UTF8CHAR_PTR name, CK_VERSION_PTR version, CK_INTERFACE_PTR_PTR interface,
                              CK_FLAGS flags);

EXPORTED CK_RV C_GetInterfaceList(CK_INTERFACE_PTR interfaces, CK_ULONG_PTR count)
{
    return own_C_GetInterfaceList(interfaces, count);
}

EXPORTED CK_RV C_GetInterface(CK_UTF8CHAR_PTR name, CK_VERSION_PTR version, CK_INTERFACE_PTR_PTR interface,
                              CK_FLAGS flags)
{
    return own_C_GetInterface(name, version, interface, flags);
}
