#include "pkcs11-module/dispatch.h"

#include <stddef.h>

#include "pkcs11-module/dispatch_3.h"
#include "pkcs11-module/entry.h"
#include "pkcs11-module/entry_3.h"

#define X(name, access) +1 // NOLINT(bugprone-macro-parentheses): one of many in a sum
enum { DISPATCH_ROW_COUNT = 0 DISPATCH_ROWS(X), DISPATCH_ROW_COUNT_3_0 = DISPATCH_ROW_COUNT DISPATCH_ROWS_3_0(X) };
#undef X

/* As many rows as the list has functions, and (-Woverride-init) none of them twice: so none is missing. */
#define FUNCTIONS_IN(list) ((sizeof(list) - offsetof(list, C_Initialize)) / sizeof(CK_C_Initialize))
_Static_assert(DISPATCH_ROW_COUNT == FUNCTIONS_IN(CK_FUNCTION_LIST),
               "every PKCS#11 2.40 function needs a row in dispatch.h");
_Static_assert(DISPATCH_ROW_COUNT_3_0 == FUNCTIONS_IN(CK_FUNCTION_LIST_3_0),
               "every PKCS#11 3.0 function needs a row in dispatch.h or dispatch_3.h");

#define X(name, access) .name = access##_##name,
CK_FUNCTION_LIST dispatch_list = {.version = {2, 40}, DISPATCH_ROWS(X)};
CK_FUNCTION_LIST_3_0 dispatch_list_3_0 = {.version = {3, 0}, DISPATCH_ROWS(X) DISPATCH_ROWS_3_0(X)};
#undef X
