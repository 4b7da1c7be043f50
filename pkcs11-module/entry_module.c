#include <stdlib.h>
#include <string.h>

#include "pkcs11-module/dispatch.h"
#include "pkcs11-module/entry.h"
#include "pkcs11-module/runtime.h"

/* PKCS#11 2.40, 5.4: general-purpose functions. */

CK_RV own_C_Initialize(CK_VOID_PTR init_args)
{
    return runtime_start(init_args);
}

CK_RV own_C_Finalize(CK_VOID_PTR reserved)
{
    return reserved ? CKR_ARGUMENTS_BAD : runtime_stop();
}

CK_RV own_C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR function_list)
{
    if (!function_list)
        return CKR_ARGUMENTS_BAD;
    *function_list = &dispatch_list;
    return CKR_OK;
}

/* Fixed-width fields are padded with blanks and have no NUL. */
static void pad(unsigned char *field, size_t size, const char *text)
{
    const size_t len = strnlen(text, size);

    memcpy(field, text, len);
    memset(field + len, ' ', size - len);
}

/* The version is the backend's: hosts judge by it whether the functions of 3.0 will do anything. */
CK_RV own_C_GetInfo(CK_INFO_PTR info)
{
    const struct runtime *rt = runtime_get();
    char *dot;

    if (!rt)
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    if (!info)
        return CKR_ARGUMENTS_BAD;
    memset(info, 0, sizeof *info);
    info->cryptokiVersion = rt->backend.functions_3 ? dispatch_list_3_0.version : dispatch_list.version;
    pad(info->manufacturerID, sizeof info->manufacturerID, "Pinward");
    pad(info->libraryDescription, sizeof info->libraryDescription, "Pinward PIN gate");
    info->libraryVersion.major = (CK_BYTE)strtoul(PINWARD_VERSION, &dot, 10);
    info->libraryVersion.minor = (CK_BYTE)strtoul(dot + 1, NULL, 10);
    return CKR_OK;
}
