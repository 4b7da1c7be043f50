/*
 * p11_v3: the module's functions of PKCS#11 3.0, found as an application finds them.
 *
 * Owner: the list is the module's, as long as the fixture has it loaded. Thread rule: any thread.
 */
#ifndef PINWARD_TESTS_P11_V3_H
#define PINWARD_TESTS_P11_V3_H

#include "pkcs11-module/p11_3.h"
#include "support/fixture.h"

/* The module's C_GetInterface and C_GetInterfaceList. */
CK_C_GetInterface p11_v3_get_interface(const struct fixture *fx);
CK_C_GetInterfaceList p11_v3_get_interface_list(const struct fixture *fx);

/* Its list of version 3.0. */
CK_FUNCTION_LIST_3_0 *p11_v3_functions(const struct fixture *fx);

#endif
