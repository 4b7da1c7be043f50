/* pinward-client.so: pinward-pkcs11.so for programs whose keys are used by pinward-agent: p11-kit's client, with the
 * vendor interface of include/pinward.h. No PIN, no token and no gate is in it. */
#include <stdbool.h>
#include <string.h>

#include "pkcs11-module/client/consent.h"
#include "pkcs11-module/client/functions.h"

#define EXPORTED __attribute__((visibility("default")))
#define STANDARD "PKCS 11"

/* PKCS#11 3.0, 3.6: what there is by name. p11-kit's protocol is that of 2.40. */
static CK_INTERFACE interfaces[] = {
    {(CK_UTF8CHAR *)STANDARD, &functions_list, 0},
    {(CK_UTF8CHAR *)PINWARD_CONSENT_INTERFACE, (void *)&consent_list, 0},
};

#define INTERFACES (sizeof interfaces / sizeof interfaces[0])

static bool is_wanted(const CK_INTERFACE *interface, const CK_UTF8CHAR *name, const CK_VERSION *version, CK_FLAGS flags)
{
    return strcmp((const char *)interface->pInterfaceName, name ? (const char *)name : STANDARD) == 0 &&
           (!version || memcmp(interface->pFunctionList, version, sizeof *version) == 0) &&
           (interface->flags & flags) == flags;
}

EXPORTED CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR list)
{
    if (!list)
        return CKR_ARGUMENTS_BAD;
    if (!functions_load())
        return CKR_GENERAL_ERROR;
    *list = &functions_list;
    return CKR_OK;
}

EXPORTED CK_RV C_GetInterfaceList(CK_INTERFACE_PTR list, CK_ULONG_PTR count);
EXPORTED CK_RV C_GetInterface(CK_UTF8CHAR_PTR name, CK_VERSION_PTR version, CK_INTERFACE_PTR_PTR interface,
                              CK_FLAGS flags);

EXPORTED CK_RV C_GetInterfaceList(CK_INTERFACE_PTR list, CK_ULONG_PTR count)
{
    CK_ULONG room;

    if (!count)
        return CKR_ARGUMENTS_BAD;
    if (!functions_load())
        return CKR_GENERAL_ERROR;
    room = *count;
    *count = INTERFACES;
    if (!list)
        return CKR_OK;
    if (room < INTERFACES)
        return CKR_BUFFER_TOO_SMALL;
    memcpy(list, interfaces, sizeof interfaces);
    return CKR_OK;
}

EXPORTED CK_RV C_GetInterface(CK_UTF8CHAR_PTR name, CK_VERSION_PTR version, CK_INTERFACE_PTR_PTR interface, CK_FLAGS flags)
{
    if (!interface)
        return CKR_ARGUMENTS_BAD;
    if (!functions_load())
        return CKR_GENERAL_ERROR;
    for (CK_ULONG n = 0; n < INTERFACES; n++)
        if (is_wanted(&interfaces[n], name, version, flags)) {
            *interface = &interfaces[n];
            return CKR_OK;
        }
    return CKR_ARGUMENTS_BAD;
}
