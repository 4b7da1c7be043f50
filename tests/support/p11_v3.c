#include "support/p11_v3.h"

#include <dlfcn.h>

#include "support/test.h"

CK_C_GetInterface p11_v3_get_interface(const struct fixture *fx)
{
    CK_C_GetInterface get;

    *(void **)&get = dlsym(fx->library, "C_GetInterface");
    assert_non_null(get);
    return get;
}

CK_C_GetInterfaceList p11_v3_get_interface_list(const struct fixture *fx)
{
    CK_C_GetInterfaceList get;

    *(void **)&get = dlsym(fx->library, "C_GetInterfaceList");
    assert_non_null(get);
    return get;
}

CK_FUNCTION_LIST_3_0 *p11_v3_functions(const struct fixture *fx)
{
    CK_UTF8CHAR name[] = "PKCS 11";
    CK_VERSION version = {3, 0};
    CK_INTERFACE *interface = NULL;

    assert_ok(p11_v3_get_interface(fx)(name, &version, &interface, 0));
    assert_non_null(interface);
    return interface->pFunctionList;
}
