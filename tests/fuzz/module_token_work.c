#include <string.h>

#include "fuzz/module_token_internal.h"

/* The token's functions that begin with an Init call. */

/* ------------------------------------------------------------------ operations */

static CK_RV begin(CK_SESSION_HANDLE handle, enum token_kind kind, CK_OBJECT_HANDLE key)
{
    struct token_session *session = NULL;
    struct token_object *object = token_object(key);
    struct token_operation *operation;
    CK_RV rv = token_enter(handle, &session);

    if (rv != CKR_OK || !object)
        return rv != CKR_OK ? rv : CKR_KEY_HANDLE_INVALID;
    operation = &session->operations[kind];
    if (operation->active)
        return CKR_OPERATION_ACTIVE;
    *operation = (struct token_operation){.active = true, .private_key = token_is_private(object), .begun_at = judge_now()};
    operation->guarded = *token_flag(object, CKA_ALWAYS_AUTHENTICATE) != CK_FALSE;
    operation->level = judge_level(object->label, operation->guarded);
    if (token_habits & TOKEN_KNOWS_NO_CONTEXT_LOGIN)
        operation->guarded = false;
    memcpy(operation->label, object->label, sizeof operation->label);
    return CKR_OK;
}

static CK_RV token_sign_init(CK_SESSION_HANDLE handle, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key)
{
    (void)mechanism;
    return begin(handle, KIND_SIGN, key);
}

static CK_RV token_sign_recover_init(CK_SESSION_HANDLE handle, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key)
{
    (void)mechanism;
    return begin(handle, KIND_SIGN_RECOVER, key);
}

static CK_RV token_decrypt_init(CK_SESSION_HANDLE handle, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key)
{
    (void)mechanism;
    return begin(handle, KIND_DECRYPT, key);
}

static CK_RV token_message_sign_init(CK_SESSION_HANDLE handle, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key)
{
    (void)mechanism;
    return begin(handle, KIND_MESSAGE_SIGN, key);
}

static CK_RV token_message_decrypt_init(CK_SESSION_HANDLE handle, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key)
{
    (void)mechanism;
    return begin(handle, KIND_MESSAGE_DECRYPT, key);
}

static CK_RV find(CK_SESSION_HANDLE handle, enum token_kind kind, struct token_session **session,
                  struct token_operation **operation)
{
    CK_RV rv = token_enter(handle, session);

    if (rv != CKR_OK)
        return rv;
    *operation = &(*session)->operations[kind];
    return (*operation)->active ? CKR_OK : CKR_OPERATION_NOT_INITIALIZED;
}

/* The operation uses its key now. data: all of it, or NULL. */
static CK_RV use_key(const struct token_session *session, struct token_operation *operation, enum token_kind kind,
                     const void *data, size_t data_len)
{
    const bool decrypts = kind == KIND_DECRYPT || kind == KIND_MESSAGE_DECRYPT;

    if (operation->guarded && !operation->logged_in) {
        operation->active = false;
        return CKR_USER_NOT_LOGGED_IN;
    }
    if (operation->private_key && !operation->judged)
        judge_work(&(struct judge_work){.use = decrypts ? JUDGE_DECRYPT : JUDGE_SIGN,
                                        .label = operation->label,
                                        .level = operation->level,
                                        .session = session->works_for,
                                        .begun_at = operation->begun_at,
                                        .data = data,
                                        .data_len = data_len});
    operation->judged = true;
    return CKR_OK;
}

static CK_RV whole(CK_SESSION_HANDLE handle, enum token_kind kind, CK_BYTE_PTR in, CK_ULONG in_len, CK_BYTE_PTR out,
                   CK_ULONG_PTR out_len)
{
    static const CK_BYTE nothing;
    struct token_session *session = NULL;
    struct token_operation *operation;
    bool ready = false;
    CK_RV rv = find(handle, kind, &session, &operation);

    if (rv == CKR_OK)
        rv = token_has_room(out, out_len, &ready);
    if (rv != CKR_OK || !ready)
        return rv;
    rv = use_key(session, operation, kind, in ? in : &nothing, in_len);
    if (kind == KIND_MESSAGE_SIGN || kind == KIND_MESSAGE_DECRYPT)
        operation->judged = operation->logged_in = false;
    else
        operation->active = false;
    if (rv == CKR_OK)
        memset(out, 'o', TOKEN_OUTPUT_LEN);
    return rv;
}

static CK_RV part(CK_SESSION_HANDLE handle, enum token_kind kind)
{
    struct token_session *session = NULL;
    struct token_operation *operation;
    CK_RV rv = find(handle, kind, &session, &operation);

    return rv == CKR_OK ? use_key(session, operation, kind, NULL, 0) : rv;
}

static CK_RV part_out(CK_SESSION_HANDLE handle, enum token_kind kind, CK_BYTE_PTR out, CK_ULONG_PTR out_len)
{
    bool ready;
    CK_RV rv = token_has_room(out, out_len, &ready);

    if (rv == CKR_OK && ready)
        rv = part(handle, kind);
    if (rv == CKR_OK && ready)
        memset(out, 'o', TOKEN_OUTPUT_LEN);
    return rv;
}

static CK_RV final(CK_SESSION_HANDLE handle, enum token_kind kind, CK_BYTE_PTR out, CK_ULONG_PTR out_len)
{
    struct token_session *session = NULL;
    struct token_operation *operation;
    CK_RV rv = find(handle, kind, &session, &operation);

    if (rv == CKR_OK)
        rv = part_out(handle, kind, out, out_len);
    if (rv == CKR_OK && out)
        operation->active = false;
    return rv;
}

static CK_RV token_sign(CK_SESSION_HANDLE handle, CK_BYTE_PTR in, CK_ULONG in_len, CK_BYTE_PTR out, CK_ULONG_PTR out_len)
{
    return whole(handle, KIND_SIGN, in, in_len, out, out_len);
}

static CK_RV token_sign_recover(CK_SESSION_HANDLE handle, CK_BYTE_PTR in, CK_ULONG in_len, CK_BYTE_PTR out,
                                CK_ULONG_PTR out_len)
{
    return whole(handle, KIND_SIGN_RECOVER, in, in_len, out, out_len);
}

static CK_RV token_decrypt(CK_SESSION_HANDLE handle, CK_BYTE_PTR in, CK_ULONG in_len, CK_BYTE_PTR out,
                           CK_ULONG_PTR out_len)
{
    return whole(handle, KIND_DECRYPT, in, in_len, out, out_len);
}

static CK_RV token_sign_update(CK_SESSION_HANDLE handle, CK_BYTE_PTR in, CK_ULONG in_len)
{
    (void)in, (void)in_len;
    return part(handle, KIND_SIGN);
}

static CK_RV token_sign_final(CK_SESSION_HANDLE handle, CK_BYTE_PTR out, CK_ULONG_PTR out_len)
{
    return final(handle, KIND_SIGN, out, out_len);
}

static CK_RV token_decrypt_update(CK_SESSION_HANDLE handle, CK_BYTE_PTR in, CK_ULONG in_len, CK_BYTE_PTR out,
                                  CK_ULONG_PTR out_len)
{
    (void)in, (void)in_len;
    return part_out(handle, KIND_DECRYPT, out, out_len);
}

static CK_RV token_decrypt_final(CK_SESSION_HANDLE handle, CK_BYTE_PTR out, CK_ULONG_PTR out_len)
{
    return final(handle, KIND_DECRYPT, out, out_len);
}

static CK_RV token_sign_encrypt_update(CK_SESSION_HANDLE handle, CK_BYTE_PTR in, CK_ULONG in_len, CK_BYTE_PTR out,
                                       CK_ULONG_PTR out_len)
{
    (void)in, (void)in_len;
    return part_out(handle, KIND_SIGN, out, out_len);
}

/* Encrypting, digesting and verifying need no private key; the halves of dual functions are called by themselves. */
static CK_RV token_encrypt_update(CK_SESSION_HANDLE handle, CK_BYTE_PTR in, CK_ULONG in_len, CK_BYTE_PTR out,
                                  CK_ULONG_PTR out_len)
{
    struct token_session *session = NULL;
    CK_RV rv = token_enter(handle, &session);
    bool ready;

    (void)in, (void)in_len;
    return rv == CKR_OK ? token_has_room(out, out_len, &ready) : rv;
}

static CK_RV token_other_update(CK_SESSION_HANDLE handle, CK_BYTE_PTR in, CK_ULONG in_len)
{
    struct token_session *session = NULL;

    (void)in, (void)in_len;
    return token_enter(handle, &session);
}

/* ------------------------------------------------------------------ messages */

static CK_RV message_begin(CK_SESSION_HANDLE handle, enum token_kind kind)
{
    struct token_session *session = NULL;
    struct token_operation *operation;
    CK_RV rv = find(handle, kind, &session, &operation);

    if (rv == CKR_OK && operation->parts)
        rv = CKR_OPERATION_ACTIVE;
    if (rv == CKR_OK)
        rv = use_key(session, operation, kind, NULL, 0);
    if (rv == CKR_OK)
        operation->parts = true;
    return rv;
}

static CK_RV message_next(CK_SESSION_HANDLE handle, enum token_kind kind, bool last, CK_BYTE_PTR out,
                          CK_ULONG_PTR out_len)
{
    struct token_session *session = NULL;
    struct token_operation *operation;
    CK_RV rv = find(handle, kind, &session, &operation);

    if (rv == CKR_OK && !operation->parts)
        rv = CKR_OPERATION_NOT_INITIALIZED;
    if (rv == CKR_OK)
        rv = out_len ? part_out(handle, kind, out, out_len) : part(handle, kind);
    if (rv == CKR_OK && last && out)
        operation->parts = operation->judged = operation->logged_in = false;
    return rv;
}

static CK_RV message_final(CK_SESSION_HANDLE handle, enum token_kind kind)
{
    struct token_session *session = NULL;
    struct token_operation *operation;
    CK_RV rv = find(handle, kind, &session, &operation);

    if (rv == CKR_OK)
        operation->active = false;
    return rv;
}

static CK_RV token_sign_message(CK_SESSION_HANDLE handle, CK_VOID_PTR parameter, CK_ULONG parameter_len, CK_BYTE_PTR in,
                                CK_ULONG in_len, CK_BYTE_PTR out, CK_ULONG_PTR out_len)
{
    (void)parameter, (void)parameter_len;
    return whole(handle, KIND_MESSAGE_SIGN, in, in_len, out, out_len);
}

static CK_RV token_sign_message_begin(CK_SESSION_HANDLE handle, CK_VOID_PTR parameter, CK_ULONG parameter_len)
{
    (void)parameter, (void)parameter_len;
    return message_begin(handle, KIND_MESSAGE_SIGN);
}

static CK_RV token_sign_message_next(CK_SESSION_HANDLE handle, CK_VOID_PTR parameter, CK_ULONG parameter_len,
                                     CK_BYTE_PTR in, CK_ULONG in_len, CK_BYTE_PTR out, CK_ULONG_PTR out_len)
{
    (void)parameter, (void)parameter_len, (void)in, (void)in_len;
    return message_next(handle, KIND_MESSAGE_SIGN, out_len != NULL, out, out_len);
}

static CK_RV token_message_sign_final(CK_SESSION_HANDLE handle)
{
    return message_final(handle, KIND_MESSAGE_SIGN);
}

static CK_RV token_decrypt_message(CK_SESSION_HANDLE handle, CK_VOID_PTR parameter, CK_ULONG parameter_len,
                                   CK_BYTE_PTR associated, CK_ULONG associated_len, CK_BYTE_PTR in, CK_ULONG in_len,
                                   CK_BYTE_PTR out, CK_ULONG_PTR out_len)
{
    (void)parameter, (void)parameter_len, (void)associated, (void)associated_len;
    return whole(handle, KIND_MESSAGE_DECRYPT, in, in_len, out, out_len);
}

static CK_RV token_decrypt_message_begin(CK_SESSION_HANDLE handle, CK_VOID_PTR parameter, CK_ULONG parameter_len,
                                         CK_BYTE_PTR associated, CK_ULONG associated_len)
{
    (void)parameter, (void)parameter_len, (void)associated, (void)associated_len;
    return message_begin(handle, KIND_MESSAGE_DECRYPT);
}

static CK_RV token_decrypt_message_next(CK_SESSION_HANDLE handle, CK_VOID_PTR parameter, CK_ULONG parameter_len,
                                        CK_BYTE_PTR in, CK_ULONG in_len, CK_BYTE_PTR out, CK_ULONG_PTR out_len,
                                        CK_FLAGS flags)
{
    (void)parameter, (void)parameter_len, (void)in, (void)in_len;
    return message_next(handle, KIND_MESSAGE_DECRYPT, (flags & CKF_END_OF_MESSAGE) != 0, out, out_len);
}

static CK_RV token_message_decrypt_final(CK_SESSION_HANDLE handle)
{
    return message_final(handle, KIND_MESSAGE_DECRYPT);
}

static CK_RV token_session_cancel(CK_SESSION_HANDLE handle, CK_FLAGS flags)
{
    static const CK_FLAGS of_kind[TOKEN_KINDS] = {CKF_SIGN, CKF_SIGN_RECOVER, CKF_DECRYPT, CKF_MESSAGE_SIGN,
                                                  CKF_MESSAGE_DECRYPT};
    struct token_session *session = NULL;
    CK_RV rv = token_enter(handle, &session);

    for (int kind = 0; kind < TOKEN_KINDS && rv == CKR_OK; kind++)
        if (flags & of_kind[kind])
            session->operations[kind].active = false;
    return rv;
}

static void fill_messages(CK_FUNCTION_LIST_3_0 *functions)
{
    functions->C_SessionCancel = token_session_cancel;
    functions->C_MessageSignInit = token_message_sign_init;
    functions->C_SignMessage = token_sign_message;
    functions->C_SignMessageBegin = token_sign_message_begin;
    functions->C_SignMessageNext = token_sign_message_next;
    functions->C_MessageSignFinal = token_message_sign_final;
    functions->C_MessageDecryptInit = token_message_decrypt_init;
    functions->C_DecryptMessage = token_decrypt_message;
    functions->C_DecryptMessageBegin = token_decrypt_message_begin;
    functions->C_DecryptMessageNext = token_decrypt_message_next;
    functions->C_MessageDecryptFinal = token_message_decrypt_final;
}

void token_fill_work(CK_FUNCTION_LIST_3_0 *functions)
{
    functions->C_SignInit = token_sign_init;
    functions->C_Sign = token_sign;
    functions->C_SignUpdate = token_sign_update;
    functions->C_SignFinal = token_sign_final;
    functions->C_SignRecoverInit = token_sign_recover_init;
    functions->C_SignRecover = token_sign_recover;
    functions->C_DecryptInit = token_decrypt_init;
    functions->C_Decrypt = token_decrypt;
    functions->C_DecryptUpdate = token_decrypt_update;
    functions->C_DecryptFinal = token_decrypt_final;
    functions->C_DecryptDigestUpdate = token_decrypt_update;
    functions->C_DecryptVerifyUpdate = token_decrypt_update;
    functions->C_SignEncryptUpdate = token_sign_encrypt_update;
    functions->C_EncryptUpdate = token_encrypt_update;
    functions->C_DigestUpdate = token_other_update;
    functions->C_VerifyUpdate = token_other_update;
    fill_messages(functions);
}
