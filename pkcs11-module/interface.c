#include "pkcs11-module/interface.h"

#include <stdbool.h>
#include <string.h>

#include "pkcs11-module/dispatch.h"
#include "pkcs11-module/entry_consent.h"

#define STANDARD "PKCS 11"

/* None is CKF_INTERFACE_FORK_SAFE: a forked child must initialise anew. A consent is given to one process. */
static CK_INTERFACE interfaces[] = {
    {(CK_UTF8CHAR *)STANDARD, &dispatch_list_3_0, 0},
    {(CK_UTF8CHAR *)STANDARD, &dispatch_list, 0},
    {(CK_UTF8CHAR *)PINWARD_CONSENT_INTERFACE, (void *)&entry_consent_list, 0},
};

CK_ULONG interface_count(void)
{
    return sizeof interfaces / sizeof interfaces[0];
}

const CK_INTERFACE *interface_at(CK_ULONG n)
{
    return &interfaces[n];
}

static bool is_named(const CK_INTERFACE *interface, const CK_UTF8CHAR *name)
{
    return strcmp((const char *)interface->pInterfaceName, name ? (const char *)name : STANDARD) == 0;
}

static bool has_version(const CK_INTERFACE *interface, const CK_VERSION *version)
{
    return !version || memcmp(interface->pFunctionList, version, sizeof *version) == 0;
}

CK_INTERFACE *interface_find(const CK_UTF8CHAR *name, const CK_VERSION *version, CK_FLAGS flags)
{
    for (CK_ULONG n = 0; n < interface_count(); n++)
        if (is_named(&interfaces[n], name) && has_version(&interfaces[n], version) &&
            (interfaces[n].flags & flags) == flags)
            return &interfaces[n];
    return NULL;
}
