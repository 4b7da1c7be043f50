#include "support/mock_backend.h"

#include <pthread.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "support/mock_see.h"

#define VISIBLE __attribute__((visibility("default")))

VISIBLE struct mock_backend mock_backend = {
    .next_session = 1, .session_state = CKS_RW_USER_FUNCTIONS, .version = {2, 40}, .left_out = -1};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pid_t lock_owner; /* the process whose threads take it */

/* In a forked child it may be held by a thread that is only in the parent. */
static void free_lock_of_parent(void)
{
    if (lock_owner != getpid())
        pthread_mutex_init(&lock, NULL);
    lock_owner = getpid();
}

static CK_RV record(enum p11_call call, const uintptr_t *arguments, size_t count)
{
    unsigned before = 0;

    for (size_t i = 0; i < P11_CALL_COUNT; i++)
        before = mock_backend.order[i] > before ? mock_backend.order[i] : before;
    mock_backend.order[call] = before + 1;
    mock_backend.calls[call]++;
    memset(mock_backend.arguments[call], 0, sizeof mock_backend.arguments[call]);
    memcpy(mock_backend.arguments[call], arguments, count * sizeof *arguments);
    return mock_backend.answers[call];
}

static void take_time(long ms)
{
    const struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

    const unsigned inside = atomic_fetch_add(&mock_backend.inside, 1) + 1;
    unsigned most = atomic_load(&mock_backend.inside_most);

    while (inside > most && !atomic_compare_exchange_weak(&mock_backend.inside_most, &most, inside))
        ;
    nanosleep(&pause, NULL);
    atomic_fetch_sub(&mock_backend.inside, 1);
}

/* ------------------------------------------------------------------ the functions that do more than record
 */

static void answer_slots(const uintptr_t *a)
{
    CK_SLOT_ID_PTR slots = (CK_SLOT_ID_PTR)a[1];

    if (slots)
        slots[0] = 0;
    *(CK_ULONG_PTR)a[2] = 1;
}

static void answer_slot(const uintptr_t *a)
{
    CK_SLOT_INFO_PTR info = (CK_SLOT_INFO_PTR)a[1];

    memset(info, ' ', sizeof *info);
    info->flags = mock_backend.slot_flags | CKF_TOKEN_PRESENT;
}

static void answer_token(const uintptr_t *a)
{
    const char *label = mock_backend.token_label ? mock_backend.token_label : "Mock";
    CK_TOKEN_INFO_PTR info = (CK_TOKEN_INFO_PTR)a[1];

    memset(info, ' ', sizeof *info);
    memcpy(info->label, label, strlen(label));
    info->flags = mock_backend.token_flags | CKF_TOKEN_INITIALIZED;
}

static CK_SESSION_HANDLE open_session(void)
{
    CK_SESSION_HANDLE session = 1;

    if (!mock_backend.reuses_sessions)
        return mock_backend.next_session++;
    while (session < MOCK_SESSIONS - 1 && mock_backend.session_open[session])
        session++;
    mock_backend.session_open[session] = true;
    return session;
}

static bool session_is_open(CK_SESSION_HANDLE session)
{
    if (mock_backend.reuses_sessions)
        return session < MOCK_SESSIONS && mock_backend.session_open[session];
    return session > 0 && session < mock_backend.next_session;
}

static CK_RV close_session(CK_SESSION_HANDLE session)
{
    if (!mock_backend.reuses_sessions)
        return CKR_OK;
    if (!session_is_open(session))
        return CKR_SESSION_HANDLE_INVALID;
    mock_backend.session_open[session] = false;
    return CKR_OK;
}

static CK_RV answer_session_info(const uintptr_t *a)
{
    CK_SESSION_INFO_PTR info = (CK_SESSION_INFO_PTR)a[1];

    if (!session_is_open((CK_SESSION_HANDLE)a[0]))
        return CKR_SESSION_HANDLE_INVALID;
    memset(info, 0, sizeof *info);
    info->state = mock_backend.session_state;
    info->flags = CKF_SERIAL_SESSION | CKF_RW_SESSION;
    return CKR_OK;
}

/* What makes a key fit to carry another out of the token. */
static const void *carrier_attribute(const struct mock_object *object, CK_ATTRIBUTE_TYPE type)
{
    static const CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
    const bool wanted = type == CKA_LOCAL || type == CKA_ALWAYS_SENSITIVE || type == CKA_NEVER_EXTRACTABLE;

    if (!object->carries || (!wanted && type != CKA_DECRYPT && type != CKA_UNWRAP))
        return NULL;
    return wanted == (type != object->but) ? &yes : &no;
}

static CK_RV answer_attribute(const struct mock_object *object, CK_ATTRIBUTE_PTR attribute)
{
    static const CK_BBOOL extractable = CK_TRUE;
    const void *value = NULL;
    CK_ULONG len = 0;

    switch (attribute->type) {
    case CKA_CLASS:
        value = &object->object_class;
        len = object->without_class ? 0 : sizeof object->object_class;
        break;
    case CKA_KEY_TYPE:
        value = &object->key_type;
        len = sizeof object->key_type;
        break;
    case CKA_ALWAYS_AUTHENTICATE:
        value = &object->always_authenticate;
        len = sizeof object->always_authenticate;
        break;
    case CKA_EXTRACTABLE: /* what leaves, the gate alone decides */
        value = &extractable;
        len = sizeof extractable;
        break;
    case CKA_LABEL:
        value = "mock key";
        len = 8;
        break;
    default:
        value = carrier_attribute(object, attribute->type);
        len = sizeof(CK_BBOOL);
        if (value)
            break;
        attribute->ulValueLen = CK_UNAVAILABLE_INFORMATION;
        return CKR_ATTRIBUTE_TYPE_INVALID;
    }
    if (attribute->pValue && attribute->ulValueLen >= len)
        memcpy(attribute->pValue, value, len);
    attribute->ulValueLen = len;
    return CKR_OK;
}

static CK_RV answer_attributes(const uintptr_t *a)
{
    CK_ATTRIBUTE_PTR template = (CK_ATTRIBUTE_PTR)a[2];
    CK_RV rv = CKR_OK;

    if (a[1] >= MOCK_OBJECTS || !mock_backend.objects[a[1]].exists)
        return CKR_OBJECT_HANDLE_INVALID;
    for (CK_ULONG i = 0; i < (CK_ULONG)a[3]; i++) {
        const CK_RV one = answer_attribute(&mock_backend.objects[a[1]], &template[i]);

        rv = one == CKR_OK ? rv : one;
    }
    return rv;
}

static void note_init_args(const CK_C_INITIALIZE_ARGS *args)
{
    const char *reserved = args && args->pReserved ? args->pReserved : "";

    strncpy(mock_backend.init_reserved, reserved, sizeof mock_backend.init_reserved - 1);
    mock_backend.init_flags = args ? args->flags : 0;
    mock_backend.init_functions =
        args && (args->CreateMutex || args->DestroyMutex || args->LockMutex || args->UnlockMutex);
}

static void answer_find(const uintptr_t *a)
{
    CK_OBJECT_HANDLE_PTR objects = (CK_OBJECT_HANDLE_PTR)a[1];
    CK_ULONG n = 0;

    while (n < (CK_ULONG)a[2] && mock_backend.found_next < mock_backend.found_count)
        objects[n++] = mock_backend.found[mock_backend.found_next++];
    *(CK_ULONG_PTR)a[3] = n;
}

/* Those that begin with one; the others come before C_InitPIN in the list. */
static bool takes_a_session(enum p11_call call)
{
    return call >= CALL_C_InitPIN && call != CALL_C_OpenSession && call != CALL_C_CloseAllSessions &&
           call != CALL_C_WaitForSlotEvent;
}

static CK_RV answer_locked(enum p11_call call, const uintptr_t *a, size_t count)
{
    const CK_RV rv = record(call, a, count);

    if (rv != CKR_OK)
        return rv;
    if (mock_backend.checks_sessions && takes_a_session(call) && !session_is_open((CK_SESSION_HANDLE)a[0]))
        return CKR_SESSION_HANDLE_INVALID;
    switch (call) {
    case CALL_C_Initialize:
        note_init_args((const CK_C_INITIALIZE_ARGS *)a[0]);
        return mock_backend.cannot_lock && (mock_backend.init_flags & CKF_OS_LOCKING_OK) ? CKR_CANT_LOCK : CKR_OK;
    case CALL_C_GetSlotList:
        answer_slots(a);
        return CKR_OK;
    case CALL_C_GetSlotInfo:
        answer_slot(a);
        return CKR_OK;
    case CALL_C_GetTokenInfo:
        answer_token(a);
        return CKR_OK;
    case CALL_C_OpenSession:
        *(CK_SESSION_HANDLE_PTR)a[4] = open_session();
        return CKR_OK;
    case CALL_C_CloseSession:
        return close_session((CK_SESSION_HANDLE)a[0]);
    case CALL_C_Finalize:
        if (atomic_load(&mock_backend.inside) > 0)
            atomic_store(&mock_backend.finalized_under_a_call, true);
        return CKR_OK;
    case CALL_C_GetSessionInfo:
        return answer_session_info(a);
    case CALL_C_GetAttributeValue:
        return answer_attributes(a);
    case CALL_C_FindObjectsInit:
        mock_backend.found_next = 0;
        return CKR_OK;
    case CALL_C_FindObjects:
        answer_find(a);
        return CKR_OK;
    case CALL_C_CopyObject:
        if (mock_backend.copied)
            *(CK_OBJECT_HANDLE_PTR)a[4] = mock_backend.copied;
        mock_see_template((const CK_ATTRIBUTE *)a[2], (CK_ULONG)a[3]);
        return CKR_OK;
    case CALL_C_SetAttributeValue:
        mock_see_template((const CK_ATTRIBUTE *)a[2], (CK_ULONG)a[3]);
        return CKR_OK;
    case CALL_C_UnwrapKey:
        mock_see_unwrapped(a);
        return CKR_OK;
    case CALL_C_SignMessage:
    case CALL_C_SignMessageBegin:
    case CALL_C_DecryptMessage:
    case CALL_C_DecryptMessageBegin:
        mock_see_message(a, count);
        return CKR_OK;
    case CALL_C_SignInit:
    case CALL_C_SignRecoverInit:
    case CALL_C_DecryptInit:
        mock_keep_mechanism((const CK_MECHANISM *)a[1]);
        return CKR_OK;
    case CALL_C_Sign:
    case CALL_C_SignRecover:
    case CALL_C_Decrypt:
        mock_use_mechanism();
        mock_see_data(a);
        return CKR_OK;
    case CALL_C_DestroyObject:
        if (a[1] < MOCK_OBJECTS)
            mock_backend.objects[a[1]].exists = false;
        return CKR_OK;
    default:
        return CKR_OK;
    }
}

static CK_RV answer(enum p11_call call, const uintptr_t *a, size_t count)
{
    long delay_ms;
    CK_RV rv;

    if (call == CALL_C_Initialize)
        free_lock_of_parent();
    pthread_mutex_lock(&lock);
    rv = answer_locked(call, a, count);
    delay_ms = mock_backend.delay_ms[call];
    pthread_mutex_unlock(&lock);
    if (delay_ms > 0)
        take_time(delay_ms);
    if ((call == CALL_C_Initialize || call == CALL_C_Finalize) && mock_backend.meanwhile)
        mock_backend.meanwhile(call);
    return rv;
}

/* ------------------------------------------------------------------ the functions and their lists */

#define A(n) (uintptr_t) a##n
#define MOCK1(name, T1)                                                                                      \
    static CK_RV mock_##name(T1 a1)                                                                          \
    {                                                                                                        \
        return answer(CALL_##name, (uintptr_t[]){A(1)}, 1);                                                  \
    }
#define MOCK2(name, T1, T2)                                                                                  \
    static CK_RV mock_##name(T1 a1, T2 a2)                                                                   \
    {                                                                                                        \
        return answer(CALL_##name, (uintptr_t[]){A(1), A(2)}, 2);                                            \
    }
#define MOCK3(name, T1, T2, T3)                                                                              \
    static CK_RV mock_##name(T1 a1, T2 a2, T3 a3)                                                            \
    {                                                                                                        \
        return answer(CALL_##name, (uintptr_t[]){A(1), A(2), A(3)}, 3);                                      \
    }
#define MOCK4(name, T1, T2, T3, T4)                                                                          \
    static CK_RV mock_##name(T1 a1, T2 a2, T3 a3, T4 a4)                                                     \
    {                                                                                                        \
        return answer(CALL_##name, (uintptr_t[]){A(1), A(2), A(3), A(4)}, 4);                                \
    }
#define MOCK5(name, T1, T2, T3, T4, T5)                                                                      \
    static CK_RV mock_##name(T1 a1, T2 a2, T3 a3, T4 a4, T5 a5)                                              \
    {                                                                                                        \
        return answer(CALL_##name, (uintptr_t[]){A(1), A(2), A(3), A(4), A(5)}, 5);                          \
    }
#define MOCK6(name, T1, T2, T3, T4, T5, T6)                                                                  \
    static CK_RV mock_##name(T1 a1, T2 a2, T3 a3, T4 a4, T5 a5, T6 a6)                                       \
    {                                                                                                        \
        return answer(CALL_##name, (uintptr_t[]){A(1), A(2), A(3), A(4), A(5), A(6)}, 6);                    \
    }
#define MOCK7(name, T1, T2, T3, T4, T5, T6, T7)                                                              \
    static CK_RV mock_##name(T1 a1, T2 a2, T3 a3, T4 a4, T5 a5, T6 a6, T7 a7)                                \
    {                                                                                                        \
        return answer(CALL_##name, (uintptr_t[]){A(1), A(2), A(3), A(4), A(5), A(6), A(7)}, 7);              \
    }
#define MOCK8(name, T1, T2, T3, T4, T5, T6, T7, T8)                                                          \
    static CK_RV mock_##name(T1 a1, T2 a2, T3 a3, T4 a4, T5 a5, T6 a6, T7 a7, T8 a8)                         \
    {                                                                                                        \
        return answer(CALL_##name, (uintptr_t[]){A(1), A(2), A(3), A(4), A(5), A(6), A(7), A(8)}, 8);        \
    }
#define MOCK9(name, T1, T2, T3, T4, T5, T6, T7, T8, T9)                                                      \
    static CK_RV mock_##name(T1 a1, T2 a2, T3 a3, T4 a4, T5 a5, T6 a6, T7 a7, T8 a8, T9 a9)                  \
    {                                                                                                        \
        return answer(CALL_##name, (uintptr_t[]){A(1), A(2), A(3), A(4), A(5), A(6), A(7), A(8), A(9)}, 9);  \
    }
P11_CALLS(MOCK1, MOCK2, MOCK3, MOCK4, MOCK5, MOCK6, MOCK8)
P11_CALLS_3_0(MOCK1, MOCK2, MOCK3, MOCK4, MOCK5, MOCK6, MOCK7, MOCK8, MOCK9)

#define MEMBER(name, ...) .name = mock_##name,
static CK_FUNCTION_LIST whole_list = {P11_CALLS(MEMBER, MEMBER, MEMBER, MEMBER, MEMBER, MEMBER, MEMBER)};
static CK_FUNCTION_LIST_3_0 whole_list_3 = {
    P11_CALLS(MEMBER, MEMBER, MEMBER, MEMBER, MEMBER, MEMBER, MEMBER)
    P11_CALLS_3_0(MEMBER, MEMBER, MEMBER, MEMBER, MEMBER, MEMBER, MEMBER, MEMBER, MEMBER)
};
static CK_FUNCTION_LIST list;
static CK_FUNCTION_LIST_3_0 list_3;

/* Takes one function out of the list whose functions begin here. */
static void leave_out(void *functions, size_t count)
{
    if (mock_backend.left_out >= 0 && (size_t)mock_backend.left_out < count)
        memset((char *)functions + (size_t)mock_backend.left_out * sizeof(CK_C_Initialize), 0,
               sizeof(CK_C_Initialize));
}

VISIBLE CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR functions);
VISIBLE CK_RV C_GetInterface(CK_UTF8CHAR_PTR name, CK_VERSION_PTR version, CK_INTERFACE_PTR_PTR interface,
                             CK_FLAGS flags);

VISIBLE CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR functions)
{
    list = whole_list;
    list.version = mock_backend.version;
    leave_out((char *)&list + offsetof(CK_FUNCTION_LIST, C_Initialize), P11_CALL_COUNT);
    if (!mock_backend.no_list)
        *functions = &list;
    return mock_backend.list_answer;
}

VISIBLE CK_RV C_GetInterface(CK_UTF8CHAR_PTR name, CK_VERSION_PTR version, CK_INTERFACE_PTR_PTR interface,
                             CK_FLAGS flags)
{
    static CK_INTERFACE offered = {(CK_UTF8CHAR *)"PKCS 11", &list_3, 0};

    list_3 = whole_list_3;
    list_3.version = mock_backend.version_3;
    leave_out((char *)&list_3 + offsetof(CK_FUNCTION_LIST_3_0, C_Initialize), P11_CALL_COUNT_3_0);
    if (mock_backend.version_3.major == 0 || strcmp((const char *)name, "PKCS 11") != 0 || flags != 0 ||
        (version && memcmp(version, &list_3.version, sizeof *version) != 0) ||
        (!version && mock_backend.exact_version))
        return CKR_ARGUMENTS_BAD;
    *interface = &offered;
    return CKR_OK;
}
