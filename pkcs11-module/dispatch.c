#include "pkcs11-module/dispatch.h"

#include <stddef.h>

#include "pkcs11-module/entry.h"

#define X(name, access) +1
enum { DISPATCH_ROW_COUNT = 0 DISPATCH_ROWS(X) };
#undef X

/* As many rows as the list has functions, and (-Woverride-init) none of them twice: so none is missing. */
_Static_assert(DISPATCH_ROW_COUNT ==
                   (sizeof(CK_FUNCTION_LIST) - offsetof(CK_FUNCTION_LIST, C_Initialize)) / sizeof(CK_C_Initialize),
               "every PKCS#11 function needs a row in dispatch.h");

static CK_FUNCTION_LIST dispatch_list = {
    .version = {2, 40},
#define X(name, access) .name = access##_##name,
    DISPATCH_ROWS(X)
#undef X
};

CK_FUNCTION_LIST *dispatch_functions(void)
{
    return &dispatch_list;
}
