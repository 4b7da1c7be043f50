#include "fuzz/module_token.h"

#include <string.h>

#include "fuzz/module_token_internal.h"

const CK_ATTRIBUTE_TYPE token_flag_types[TOKEN_FLAGS] = {
    CKA_TOKEN,  CKA_PRIVATE, CKA_SENSITIVE, CKA_EXTRACTABLE,  CKA_ALWAYS_AUTHENTICATE, CKA_LOCAL,
    CKA_ALWAYS_SENSITIVE, CKA_NEVER_EXTRACTABLE, CKA_SIGN, CKA_SIGN_RECOVER, CKA_DECRYPT, CKA_UNWRAP,
    CKA_DERIVE, CKA_ENCRYPT, CKA_WRAP, CKA_WRAP_WITH_TRUSTED, CKA_TRUSTED, CKA_MODIFIABLE,
};

struct token_object token_objects[TOKEN_OBJECTS + 1];
struct token_session token_session_table[TOKEN_SESSIONS + 1];
unsigned token_habits;

static unsigned sessions_made;
static bool logged_in, so_logged_in;
static unsigned calls_to_failure;
static CK_RV failure;

/* ------------------------------------------------------------------ objects */

CK_BBOOL *token_flag(struct token_object *object, CK_ATTRIBUTE_TYPE type)
{
    for (size_t i = 0; i < TOKEN_FLAGS; i++)
        if (token_flag_types[i] == type)
            return &object->flags[i];
    return NULL;
}

static void put(enum token_object_number number, CK_OBJECT_CLASS object_class, CK_KEY_TYPE key_type, const char *label,
                const CK_ATTRIBUTE_TYPE *flags)
{
    struct token_object *object = &token_objects[number];

    *object = (struct token_object){.exists = true, .object_class = object_class, .key_type = key_type};
    strncpy(object->label, label, JUDGE_LABEL_MAX);
    for (; *flags != CKA_VENDOR_DEFINED; flags++)
        *token_flag(object, *flags) = CK_TRUE;
}

#define FLAGS(...) (const CK_ATTRIBUTE_TYPE[]){__VA_ARGS__, CKA_VENDOR_DEFINED}

static void put_objects(void)
{
    memset(token_objects, 0, sizeof token_objects);
    put(TOKEN_ALPHA, CKO_PRIVATE_KEY, CKK_RSA, "alpha",
        FLAGS(CKA_TOKEN, CKA_PRIVATE, CKA_SENSITIVE, CKA_SIGN, CKA_SIGN_RECOVER, CKA_DECRYPT, CKA_UNWRAP));
    put(TOKEN_BETA, CKO_PRIVATE_KEY, CKK_RSA, "beta",
        FLAGS(CKA_TOKEN, CKA_PRIVATE, CKA_SENSITIVE, CKA_ALWAYS_AUTHENTICATE, CKA_SIGN, CKA_DECRYPT, CKA_UNWRAP));
    put(TOKEN_MEDIUM, CKO_PRIVATE_KEY, CKK_EC, "medium",
        FLAGS(CKA_TOKEN, CKA_PRIVATE, CKA_SENSITIVE, CKA_SIGN, CKA_DERIVE, CKA_UNWRAP));
    put(TOKEN_LOW, CKO_PRIVATE_KEY, CKK_RSA, "low",
        FLAGS(CKA_TOKEN, CKA_PRIVATE, CKA_SENSITIVE, CKA_EXTRACTABLE, CKA_SIGN, CKA_DECRYPT, CKA_UNWRAP, CKA_DERIVE));
    put(TOKEN_LEAVES, CKO_PRIVATE_KEY, CKK_RSA, "leaves",
        FLAGS(CKA_TOKEN, CKA_PRIVATE, CKA_SENSITIVE, CKA_EXTRACTABLE, CKA_SIGN, CKA_DERIVE));
    put(TOKEN_PUBLIC, CKO_PUBLIC_KEY, CKK_RSA, "alpha", FLAGS(CKA_TOKEN, CKA_ENCRYPT, CKA_WRAP));
    put(TOKEN_SECRET, CKO_SECRET_KEY, CKK_AES, "secret",
        FLAGS(CKA_TOKEN, CKA_EXTRACTABLE, CKA_ENCRYPT, CKA_DECRYPT, CKA_WRAP, CKA_UNWRAP, CKA_DERIVE, CKA_SIGN));
    put(TOKEN_CARRIER, CKO_SECRET_KEY, CKK_AES, "carrier",
        FLAGS(CKA_SENSITIVE, CKA_LOCAL, CKA_ALWAYS_SENSITIVE, CKA_NEVER_EXTRACTABLE, CKA_WRAP));
    put(TOKEN_BROUGHT, CKO_SECRET_KEY, CKK_AES, "brought", FLAGS(CKA_WRAP, CKA_DECRYPT));
    put(TOKEN_STRANGE, 0x77, CKK_RSA, "", FLAGS(CKA_TOKEN, CKA_SIGN, CKA_DECRYPT));
    put(TOKEN_CERTIFICATE, CKO_CERTIFICATE, CKK_RSA, "alpha", FLAGS(CKA_TOKEN));
}

struct token_object *token_object(CK_OBJECT_HANDLE handle)
{
    return handle > 0 && handle <= TOKEN_OBJECTS && token_objects[handle].exists ? &token_objects[handle] : NULL;
}

bool token_is_private(const struct token_object *object)
{
    return object->object_class == CKO_PRIVATE_KEY || object->object_class > CKO_MECHANISM;
}

struct token_object *token_new_object(const struct token_session *session, CK_OBJECT_HANDLE *handle)
{
    for (CK_OBJECT_HANDLE free = 1; free <= TOKEN_OBJECTS; free++) {
        if (token_objects[free].exists)
            continue;
        token_objects[free] = (struct token_object){.exists = true, .born_in = judge_call(), .session = session->serial};
        *handle = free;
        return &token_objects[free];
    }
    return NULL;
}

void token_work(const struct token_session *session, const struct token_object *object, enum judge_use use,
                const void *data, size_t data_len)
{
    const CK_BBOOL guarded = *token_flag((struct token_object *)object, CKA_ALWAYS_AUTHENTICATE);

    if (token_is_private(object))
        judge_work(&(struct judge_work){.use = use,
                                        .label = object->label,
                                        .level = judge_level(object->label, guarded != CK_FALSE),
                                        .session = session->works_for,
                                        .data = data,
                                        .data_len = data_len});
}

/* ------------------------------------------------------------------ sessions */

CK_RV token_enter(CK_SESSION_HANDLE handle, struct token_session **session)
{
    if (calls_to_failure > 0 && --calls_to_failure == 0)
        return failure;
    if (handle == 0 || handle > TOKEN_SESSIONS || !token_session_table[handle].open)
        return CKR_SESSION_HANDLE_INVALID;
    *session = &token_session_table[handle];
    return CKR_OK;
}

static CK_RV token_open(CK_SLOT_ID slot, CK_FLAGS flags, CK_VOID_PTR application, CK_NOTIFY notify,
                        CK_SESSION_HANDLE_PTR handle)
{
    struct token_session *session = NULL;

    (void)application, (void)notify;
    if (calls_to_failure > 0 && --calls_to_failure == 0)
        return failure;
    if (slot != 0)
        return CKR_SLOT_ID_INVALID;
    for (CK_SESSION_HANDLE free = 1; free <= TOKEN_SESSIONS; free++) {
        session = &token_session_table[free];
        if (session->open)
            continue;
        *session = (struct token_session){.open = true, .serial = ++sessions_made, .flags = flags};
        session->of_application = judge_call_session() == 0;
        session->works_for = session->of_application ? session->serial : judge_call_session();
        *handle = free;
        return CKR_OK;
    }
    return CKR_SESSION_COUNT;
}

static void end_session(struct token_session *session)
{
    for (size_t i = 1; i <= TOKEN_OBJECTS; i++)
        if (token_objects[i].exists && token_objects[i].session == session->serial &&
            !*token_flag(&token_objects[i], CKA_TOKEN))
            token_objects[i].exists = false;
    session->open = false;
    if (token_sessions() == 0)
        logged_in = so_logged_in = false;
}

static CK_RV token_close(CK_SESSION_HANDLE handle)
{
    struct token_session *session = NULL;
    CK_RV rv = token_enter(handle, &session);

    if (rv == CKR_OK)
        end_session(session);
    return rv;
}

static CK_RV token_close_all(CK_SLOT_ID slot)
{
    (void)slot;
    for (size_t i = 1; i <= TOKEN_SESSIONS; i++)
        if (token_session_table[i].open)
            end_session(&token_session_table[i]);
    return CKR_OK;
}

static CK_RV token_session_info(CK_SESSION_HANDLE handle, CK_SESSION_INFO_PTR info)
{
    struct token_session *session = NULL;
    CK_RV rv = token_enter(handle, &session);
    bool writes;

    if (rv != CKR_OK)
        return rv;
    writes = (session->flags & CKF_RW_SESSION) != 0;
    memset(info, 0, sizeof *info);
    info->flags = session->flags;
    info->state = so_logged_in ? CKS_RW_SO_FUNCTIONS
                  : logged_in  ? (writes ? CKS_RW_USER_FUNCTIONS : CKS_RO_USER_FUNCTIONS)
                               : (writes ? CKS_RW_PUBLIC_SESSION : CKS_RO_PUBLIC_SESSION);
    return CKR_OK;
}

unsigned token_session_serial(CK_SESSION_HANDLE handle)
{
    return handle > 0 && handle <= TOKEN_SESSIONS && token_session_table[handle].open
               ? token_session_table[handle].serial
               : 0;
}

unsigned token_sessions_of_application(void)
{
    unsigned count = 0;

    for (size_t i = 1; i <= TOKEN_SESSIONS; i++)
        count += token_session_table[i].open && token_session_table[i].of_application;
    return count;
}

unsigned token_sessions(void)
{
    unsigned count = 0;

    for (size_t i = 1; i <= TOKEN_SESSIONS; i++)
        count += token_session_table[i].open;
    return count;
}

/* ------------------------------------------------------------------ login */

static bool is_right(const void *pin, CK_ULONG len)
{
    return pin && len == strlen(FUZZ_SECRET) && memcmp(pin, FUZZ_SECRET, len) == 0;
}

static CK_RV context_login(struct token_session *session)
{
    CK_RV rv = CKR_OPERATION_NOT_INITIALIZED;

    if (token_habits & TOKEN_KNOWS_NO_CONTEXT_LOGIN)
        return CKR_USER_ALREADY_LOGGED_IN;
    for (int kind = 0; kind < TOKEN_KINDS; kind++) {
        if (!session->operations[kind].active || !session->operations[kind].guarded)
            continue;
        session->operations[kind].logged_in = true;
        rv = CKR_OK;
    }
    return rv;
}

static CK_RV token_login(CK_SESSION_HANDLE handle, CK_USER_TYPE user, CK_BYTE_PTR pin, CK_ULONG pin_len)
{
    struct token_session *session = NULL;
    CK_RV rv = token_enter(handle, &session);

    if (rv != CKR_OK)
        return rv;
    if (user == CKU_CONTEXT_SPECIFIC && (token_habits & TOKEN_KNOWS_NO_CONTEXT_LOGIN))
        return CKR_USER_ALREADY_LOGGED_IN;
    if (user == CKU_USER && logged_in)
        return CKR_USER_ALREADY_LOGGED_IN;
    if (!is_right(pin, pin_len))
        return CKR_PIN_INCORRECT;
    if (user == CKU_CONTEXT_SPECIFIC)
        return context_login(session);
    logged_in = user == CKU_USER;
    so_logged_in = user == CKU_SO;
    return CKR_OK;
}

static CK_RV token_login_user(CK_SESSION_HANDLE handle, CK_USER_TYPE user, CK_UTF8CHAR_PTR pin, CK_ULONG pin_len,
                              CK_UTF8CHAR_PTR name, CK_ULONG name_len)
{
    (void)name, (void)name_len;
    return token_login(handle, user, pin, pin_len);
}

static CK_RV token_logout(CK_SESSION_HANDLE handle)
{
    struct token_session *session = NULL;
    CK_RV rv = token_enter(handle, &session);

    if (rv == CKR_OK)
        logged_in = so_logged_in = false;
    return rv;
}

/* Whatever is right is right for everybody, and remains so: no new PIN ever takes its place. */
static CK_RV token_set_pin(CK_SESSION_HANDLE handle, CK_BYTE_PTR old, CK_ULONG old_len, CK_BYTE_PTR new_pin,
                           CK_ULONG new_len)
{
    struct token_session *session = NULL;
    CK_RV rv = token_enter(handle, &session);

    (void)new_pin, (void)new_len;
    return rv != CKR_OK || is_right(old, old_len) ? rv : CKR_PIN_INCORRECT;
}

static CK_RV token_init_pin(CK_SESSION_HANDLE handle, CK_BYTE_PTR pin, CK_ULONG pin_len)
{
    struct token_session *session = NULL;
    CK_RV rv = token_enter(handle, &session);

    (void)pin, (void)pin_len;
    return rv != CKR_OK || so_logged_in ? rv : CKR_USER_NOT_LOGGED_IN;
}

/* Nothing is erased: the scenario goes on with its keys. */
static CK_RV token_init_token(CK_SLOT_ID slot, CK_BYTE_PTR pin, CK_ULONG pin_len, CK_UTF8CHAR_PTR label)
{
    (void)label;
    if (slot != 0)
        return CKR_SLOT_ID_INVALID;
    return is_right(pin, pin_len) ? CKR_OK : CKR_PIN_INCORRECT;
}

/* ------------------------------------------------------------------ the token */

static CK_RV token_slots(CK_BBOOL present, CK_SLOT_ID_PTR slots, CK_ULONG_PTR count)
{
    (void)present;
    if (slots)
        slots[0] = 0;
    *count = 1;
    return CKR_OK;
}

static CK_RV token_slot(CK_SLOT_ID slot, CK_SLOT_INFO_PTR info)
{
    memset(info, ' ', sizeof *info);
    info->flags = CKF_TOKEN_PRESENT;
    return slot == 0 ? CKR_OK : CKR_SLOT_ID_INVALID;
}

static CK_RV token_info(CK_SLOT_ID slot, CK_TOKEN_INFO_PTR info)
{
    if (calls_to_failure > 0 && --calls_to_failure == 0)
        return failure;
    memset(info, ' ', sizeof *info);
    memcpy(info->label, "Careless", 8);
    info->flags = CKF_TOKEN_INITIALIZED | CKF_LOGIN_REQUIRED | CKF_USER_PIN_INITIALIZED;
    info->ulMinPinLen = 4;
    info->ulMaxPinLen = 64;
    return slot == 0 ? CKR_OK : CKR_SLOT_ID_INVALID;
}

void token_will_fail(unsigned calls, CK_RV rv)
{
    calls_to_failure = calls;
    failure = rv;
}

void token_forgets_login(void)
{
    logged_in = so_logged_in = false;
}

bool token_has_messages(void)
{
    return !(token_habits & TOKEN_HAS_NO_MESSAGES);
}

void token_begin(unsigned habits)
{
    token_habits = habits;
    logged_in = so_logged_in = false;
    calls_to_failure = 0;
    sessions_made = 0;
    memset(token_session_table, 0, sizeof token_session_table);
    put_objects();
    if (habits & TOKEN_LACKS_GUARD)
        *token_flag(&token_objects[TOKEN_BETA], CKA_ALWAYS_AUTHENTICATE) = CK_FALSE;
    token_check();
}

void token_fill(CK_FUNCTION_LIST_3_0 *functions)
{
    functions->C_GetSlotList = token_slots;
    functions->C_GetSlotInfo = token_slot;
    functions->C_GetTokenInfo = token_info;
    functions->C_OpenSession = token_open;
    functions->C_CloseSession = token_close;
    functions->C_CloseAllSessions = token_close_all;
    functions->C_GetSessionInfo = token_session_info;
    functions->C_Login = token_login;
    functions->C_LoginUser = token_login_user;
    functions->C_Logout = token_logout;
    functions->C_SetPIN = token_set_pin;
    functions->C_InitPIN = token_init_pin;
    functions->C_InitToken = token_init_token;
    token_fill_objects(functions);
    token_fill_work(functions);
    token_fill_once(functions);
    token_fill_public(functions);
}
