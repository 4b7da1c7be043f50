#include "pkcs11-module/entry.h"

/* The one exported symbol (PKCS#11 2.40, 5.4): everything else is reached through the list. */
__attribute__((visibility("default"))) CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR list)
{
    return own_C_GetFunctionList(list);
}
