#include "support/backend_direct.h"

#include <dlfcn.h>
#include <string.h>

#include "pkcs11-module/p11_3.h"
#include "support/backend_kind.h"
#include "support/fixture.h"
#include "support/test.h"

void backend_direct_open(struct backend_direct *direct)
{
    CK_C_GetFunctionList get_list;
    /* NSS has a member more than the standard; others do not read so far. */
    struct {
        CK_C_INITIALIZE_ARGS standard;
        CK_VOID_PTR behind;
    } args = {.standard = {.flags = CKF_OS_LOCKING_OK, .pReserved = (CK_VOID_PTR)backend_kind_arguments()}};

    /* Not unloaded: its libraries have exit handlers of their own. */
    direct->library = dlopen(backend_kind()->library, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    assert_non_null(direct->library);
    *(void **)&get_list = dlsym(direct->library, "C_GetFunctionList");
    assert_ok(get_list(&direct->p11));
    assert_ok(direct->p11->C_Initialize(&args));
}

CK_VERSION backend_direct_version(const struct backend_direct *direct)
{
    CK_C_GetInterface get_interface;
    CK_INTERFACE *interface;
    CK_INFO info;

    *(void **)&get_interface = dlsym(direct->library, "C_GetInterface");
    if (get_interface && get_interface((CK_UTF8CHAR_PTR) "PKCS 11", NULL, &interface, 0) == CKR_OK)
        assert_ok(((CK_FUNCTION_LIST_3_0 *)interface->pFunctionList)->C_GetInfo(&info));
    else
        assert_ok(direct->p11->C_GetInfo(&info));
    return info.cryptokiVersion;
}

void backend_direct_close(struct backend_direct *direct)
{
    assert_ok(direct->p11->C_Finalize(NULL));
    dlclose(direct->library);
}

static bool is_the_fixtures(const CK_TOKEN_INFO *info)
{
    return memcmp(info->label, FIXTURE_TOKEN " ", strlen(FIXTURE_TOKEN) + 1) == 0;
}

CK_SLOT_ID backend_slot(CK_FUNCTION_LIST *p11, CK_BBOOL initialised)
{
    CK_SLOT_ID slots[8];
    CK_ULONG count = 8;
    CK_TOKEN_INFO info;

    assert_ok(p11->C_GetSlotList(CK_TRUE, slots, &count));
    for (CK_ULONG i = 0; i < count; i++) {
        assert_ok(p11->C_GetTokenInfo(slots[i], &info));
        if (initialised ? is_the_fixtures(&info) : !(info.flags & CKF_TOKEN_INITIALIZED))
            return slots[i];
    }
    fail_msg("no such slot");
    return 0;
}

void backend_make_token(CK_FUNCTION_LIST *p11)
{
    CK_UTF8CHAR label[32];
    CK_SESSION_HANDLE session;

    memset(label, ' ', sizeof label);
    memcpy(label, FIXTURE_TOKEN, strlen(FIXTURE_TOKEN));
    assert_ok(p11->C_InitToken(backend_slot(p11, CK_FALSE), (CK_BYTE_PTR)FIXTURE_SO_PIN, strlen(FIXTURE_SO_PIN), label));
    assert_ok(p11->C_OpenSession(backend_slot(p11, CK_TRUE), CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL,
                                 &session));
    assert_ok(p11->C_Login(session, CKU_SO, (CK_BYTE_PTR)FIXTURE_SO_PIN, strlen(FIXTURE_SO_PIN)));
    assert_ok(p11->C_InitPIN(session, (CK_BYTE_PTR)FIXTURE_PIN, strlen(FIXTURE_PIN)));
    assert_ok(p11->C_CloseSession(session));
}
