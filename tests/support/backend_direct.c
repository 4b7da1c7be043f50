#include "support/backend_direct.h"

#include <dlfcn.h>
#include <string.h>

#include "support/test.h"

const char *backend_direct_path(void)
{
    return TEST_BACKEND;
}

void backend_direct_open(struct backend_direct *direct)
{
    CK_C_GetFunctionList get_list;
    CK_C_INITIALIZE_ARGS args = {.flags = CKF_OS_LOCKING_OK};

    /* Not unloaded: its libraries have exit handlers of their own. */
    direct->library = dlopen(TEST_BACKEND, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    assert_non_null(direct->library);
    *(void **)&get_list = dlsym(direct->library, "C_GetFunctionList");
    assert_ok(get_list(&direct->p11));
    assert_ok(direct->p11->C_Initialize(&args));
}

void backend_direct_close(struct backend_direct *direct)
{
    assert_ok(direct->p11->C_Finalize(NULL));
    dlclose(direct->library);
}

CK_SLOT_ID backend_slot(CK_FUNCTION_LIST *p11, CK_BBOOL initialised)
{
    CK_SLOT_ID slots[8];
    CK_ULONG count = 8;
    CK_TOKEN_INFO info;

    assert_ok(p11->C_GetSlotList(CK_TRUE, slots, &count));
    for (CK_ULONG i = 0; i < count; i++) {
        assert_ok(p11->C_GetTokenInfo(slots[i], &info));
        if (((info.flags & CKF_TOKEN_INITIALIZED) != 0) == (initialised != 0))
            return slots[i];
    }
    fail_msg("no such slot");
    return 0;
}

void backend_make_token(CK_FUNCTION_LIST *p11, const char *label, const char *so_pin, const char *pin)
{
    CK_UTF8CHAR padded[32];
    CK_SESSION_HANDLE session;

    memset(padded, ' ', sizeof padded);
    memcpy(padded, label, strlen(label));
    assert_ok(p11->C_InitToken(backend_slot(p11, CK_FALSE), (CK_BYTE_PTR)so_pin, strlen(so_pin), padded));
    assert_ok(p11->C_OpenSession(backend_slot(p11, CK_TRUE), CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL,
                                 &session));
    assert_ok(p11->C_Login(session, CKU_SO, (CK_BYTE_PTR)so_pin, strlen(so_pin)));
    assert_ok(p11->C_InitPIN(session, (CK_BYTE_PTR)pin, strlen(pin)));
    assert_ok(p11->C_CloseSession(session));
}
