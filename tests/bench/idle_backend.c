/*
 * idle_backend: a PKCS#11 module that does nothing, at once and without a lock, so that what is measured through the gate is
 * the gate. One token with an RSA pair, an EC pair, and one data object that every search for one finds.
 *
 * Owner: nothing kept but the number of the last session. Thread rule: any thread.
 */
#include <stdatomic.h>
#include <string.h>

#include "support/p11_calls.h"

#define VISIBLE __attribute__((visibility("default")))

enum object { OBJECT_PRIVATE = 1, OBJECT_PUBLIC, OBJECT_DATA };

static _Atomic CK_SESSION_HANDLE last_session;
static _Thread_local CK_OBJECT_HANDLE found; /* by this thread's last search */

/* What the functions below do not answer: CKR_OK. */
#define IDLE1(name, T1)                                                                                                \
    static CK_RV idle_##name(T1 a1)                                                                                    \
    {                                                                                                                  \
        (void)a1;                                                                                                      \
        return CKR_OK;                                                                                                 \
    }
#define IDLE2(name, T1, T2)                                                                                            \
    static CK_RV idle_##name(T1 a1, T2 a2)                                                                             \
    {                                                                                                                  \
        (void)a1, (void)a2;                                                                                            \
        return CKR_OK;                                                                                                 \
    }
#define IDLE3(name, T1, T2, T3)                                                                                        \
    static CK_RV idle_##name(T1 a1, T2 a2, T3 a3)                                                                      \
    {                                                                                                                  \
        (void)a1, (void)a2, (void)a3;                                                                                  \
        return CKR_OK;                                                                                                 \
    }
#define IDLE4(name, T1, T2, T3, T4)                                                                                    \
    static CK_RV idle_##name(T1 a1, T2 a2, T3 a3, T4 a4)                                                               \
    {                                                                                                                  \
        (void)a1, (void)a2, (void)a3, (void)a4;                                                                        \
        return CKR_OK;                                                                                                 \
    }
#define IDLE5(name, T1, T2, T3, T4, T5)                                                                                \
    static CK_RV idle_##name(T1 a1, T2 a2, T3 a3, T4 a4, T5 a5)                                                        \
    {                                                                                                                  \
        (void)a1, (void)a2, (void)a3, (void)a4, (void)a5;                                                              \
        return CKR_OK;                                                                                                 \
    }
#define IDLE6(name, T1, T2, T3, T4, T5, T6)                                                                            \
    static CK_RV idle_##name(T1 a1, T2 a2, T3 a3, T4 a4, T5 a5, T6 a6)                                                 \
    {                                                                                                                  \
        (void)a1, (void)a2, (void)a3, (void)a4, (void)a5, (void)a6;                                                    \
        return CKR_OK;                                                                                                 \
    }
#define IDLE8(name, T1, T2, T3, T4, T5, T6, T7, T8)                                                                    \
    static CK_RV idle_##name(T1 a1, T2 a2, T3 a3, T4 a4, T5 a5, T6 a6, T7 a7, T8 a8)                                   \
    {                                                                                                                  \
        (void)a1, (void)a2, (void)a3, (void)a4, (void)a5, (void)a6, (void)a7, (void)a8;                                \
        return CKR_OK;                                                                                                 \
    }
P11_CALLS(IDLE1, IDLE2, IDLE3, IDLE4, IDLE5, IDLE6, IDLE8)

static CK_RV get_slot_list(CK_BBOOL present, CK_SLOT_ID_PTR slots, CK_ULONG_PTR count)
{
    (void)present;
    if (slots)
        slots[0] = 0;
    *count = 1;
    return CKR_OK;
}

static CK_RV get_slot_info(CK_SLOT_ID slot, CK_SLOT_INFO_PTR info)
{
    (void)slot;
    memset(info, ' ', sizeof *info);
    info->flags = CKF_TOKEN_PRESENT;
    return CKR_OK;
}

static CK_RV get_token_info(CK_SLOT_ID slot, CK_TOKEN_INFO_PTR info)
{
    (void)slot;
    memset(info, ' ', sizeof *info);
    memcpy(info->label, "idle", 4);
    info->flags = CKF_TOKEN_INITIALIZED | CKF_USER_PIN_INITIALIZED | CKF_LOGIN_REQUIRED;
    return CKR_OK;
}

static CK_RV open_session(CK_SLOT_ID slot, CK_FLAGS flags, CK_VOID_PTR application, CK_NOTIFY notify,
                          CK_SESSION_HANDLE_PTR session)
{
    (void)slot, (void)flags, (void)application, (void)notify;
    *session = atomic_fetch_add(&last_session, 1) + 1;
    return CKR_OK;
}

static CK_RV get_session_info(CK_SESSION_HANDLE session, CK_SESSION_INFO_PTR info)
{
    (void)session;
    *info = (CK_SESSION_INFO){.state = CKS_RO_USER_FUNCTIONS, .flags = CKF_SERIAL_SESSION};
    return CKR_OK;
}

static CK_RV find_objects_init(CK_SESSION_HANDLE session, CK_ATTRIBUTE_PTR template, CK_ULONG count)
{
    (void)session;
    found = OBJECT_DATA;
    for (CK_ULONG i = 0; i < count; i++) {
        CK_OBJECT_CLASS class;

        if (template[i].type != CKA_CLASS)
            continue;
        memcpy(&class, template[i].pValue, sizeof class);
        found = class == CKO_PRIVATE_KEY ? OBJECT_PRIVATE : class == CKO_PUBLIC_KEY ? OBJECT_PUBLIC : OBJECT_DATA;
    }
    return CKR_OK;
}

static CK_RV find_objects(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE_PTR objects, CK_ULONG most, CK_ULONG_PTR count)
{
    (void)session, (void)most;
    objects[0] = found;
    *count = 1;
    return CKR_OK;
}

/* Every attribute has the length that is asked for, and all but two are zeros. */
static CK_RV get_attribute_value(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_PTR template,
                                 CK_ULONG count)
{
    const CK_OBJECT_CLASS class = object == OBJECT_PRIVATE ? CKO_PRIVATE_KEY
                                  : object == OBJECT_PUBLIC ? CKO_PUBLIC_KEY
                                                            : CKO_DATA;

    (void)session;
    for (CK_ULONG i = 0; i < count; i++) {
        if (!template[i].pValue)
            template[i].ulValueLen = sizeof class;
        else
            memset(template[i].pValue, 0, template[i].ulValueLen);
        if (template[i].type == CKA_CLASS && template[i].pValue)
            memcpy(template[i].pValue, &class, template[i].ulValueLen = sizeof class);
        if (template[i].type == CKA_LABEL && template[i].pValue)
            memcpy(template[i].pValue, "rsa", template[i].ulValueLen = 3);
    }
    return CKR_OK;
}

#define MEMBER(name, ...) .name = idle_##name,
static const CK_FUNCTION_LIST idle_list = {P11_CALLS(MEMBER, MEMBER, MEMBER, MEMBER, MEMBER, MEMBER, MEMBER)};
static CK_FUNCTION_LIST list;

VISIBLE CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR functions);

VISIBLE CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR functions)
{
    list = idle_list;
    list.version = (CK_VERSION){2, 40};
    list.C_GetSlotList = get_slot_list;
    list.C_GetSlotInfo = get_slot_info;
    list.C_GetTokenInfo = get_token_info;
    list.C_OpenSession = open_session;
    list.C_GetSessionInfo = get_session_info;
    list.C_FindObjectsInit = find_objects_init;
    list.C_FindObjects = find_objects;
    list.C_GetAttributeValue = get_attribute_value;
    *functions = &list;
    return CKR_OK;
}
