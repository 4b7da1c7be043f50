#include <string.h>

#include "fuzz/module_token_internal.h"

/* The token's functions on objects. */

static const CK_BYTE modulus[32];
static const CK_BYTE curve[] = "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07";

/* ------------------------------------------------------------------ templates */

static CK_RV apply_one(struct token_object *object, const CK_ATTRIBUTE *attribute, bool change)
{
    CK_BBOOL *flag = token_flag(object, attribute->type);
    CK_ULONG number;

    if (attribute->type == CKA_ALWAYS_AUTHENTICATE && (token_habits & TOKEN_LACKS_GUARD))
        return CKR_ATTRIBUTE_TYPE_INVALID;
    if (flag) {
        if (!attribute->pValue || attribute->ulValueLen != sizeof *flag)
            return CKR_ATTRIBUTE_VALUE_INVALID;
        memcpy(flag, attribute->pValue, sizeof *flag);
    } else if (attribute->type == CKA_CLASS || attribute->type == CKA_KEY_TYPE) {
        if (change)
            return CKR_ATTRIBUTE_READ_ONLY;
        if (!attribute->pValue || attribute->ulValueLen != sizeof number)
            return CKR_ATTRIBUTE_VALUE_INVALID;
        memcpy(&number, attribute->pValue, sizeof number);
        *(attribute->type == CKA_CLASS ? &object->object_class : &object->key_type) = number;
    } else if (attribute->type == CKA_LABEL) {
        if (attribute->ulValueLen > JUDGE_LABEL_MAX || (!attribute->pValue && attribute->ulValueLen > 0))
            return CKR_ATTRIBUTE_VALUE_INVALID;
        memset(object->label, 0, sizeof object->label);
        if (attribute->ulValueLen)
            memcpy(object->label, attribute->pValue, attribute->ulValueLen);
    }
    return CKR_OK;
}

CK_RV token_apply(struct token_object *object, const CK_ATTRIBUTE *template, CK_ULONG count, bool change)
{
    struct token_object made = *object;
    CK_RV rv = CKR_OK;

    for (CK_ULONG i = 0; i < count && rv == CKR_OK; i++)
        rv = apply_one(&made, &template[token_habits & TOKEN_TAKES_FIRST ? count - 1 - i : i], change);
    if (rv == CKR_OK)
        *object = made;
    return rv;
}

/* ------------------------------------------------------------------ making */

static CK_RV make(CK_SESSION_HANDLE handle, CK_ATTRIBUTE_PTR template, CK_ULONG count, CK_OBJECT_CLASS object_class,
                  CK_OBJECT_HANDLE_PTR made)
{
    struct token_session *session = NULL;
    struct token_object *object;
    CK_RV rv = token_enter(handle, &session);

    if (rv != CKR_OK)
        return rv;
    object = token_new_object(session, made);
    if (!object)
        return CKR_DEVICE_MEMORY;
    object->object_class = object_class;
    object->key_type = CKK_RSA;
    rv = token_apply(object, template, count, false);
    if (rv != CKR_OK)
        object->exists = false;
    return rv;
}

static CK_RV token_create(CK_SESSION_HANDLE handle, CK_ATTRIBUTE_PTR template, CK_ULONG count, CK_OBJECT_HANDLE_PTR made)
{
    return make(handle, template, count, CKO_DATA, made);
}

static CK_RV token_generate(CK_SESSION_HANDLE handle, CK_MECHANISM_PTR mechanism, CK_ATTRIBUTE_PTR template,
                            CK_ULONG count, CK_OBJECT_HANDLE_PTR made)
{
    (void)mechanism;
    return make(handle, template, count, CKO_SECRET_KEY, made);
}

static CK_RV token_generate_pair(CK_SESSION_HANDLE handle, CK_MECHANISM_PTR mechanism, CK_ATTRIBUTE_PTR public_template,
                                 CK_ULONG public_count, CK_ATTRIBUTE_PTR private_template, CK_ULONG private_count,
                                 CK_OBJECT_HANDLE_PTR public_key, CK_OBJECT_HANDLE_PTR private_key)
{
    struct token_object *object;
    CK_OBJECT_HANDLE made;
    CK_RV rv = make(handle, public_template, public_count, CKO_PUBLIC_KEY, public_key);

    (void)mechanism;
    if (rv != CKR_OK)
        return rv;
    rv = make(handle, private_template, private_count, CKO_PRIVATE_KEY, &made);
    if (rv != CKR_OK) {
        token_objects[*public_key].exists = false;
        return rv;
    }
    object = &token_objects[made];
    if (object->object_class == CKO_PRIVATE_KEY)
        object->may_leave = judge_window_in_call(JUDGE_CREATE_EXPORTABLE, object->label);
    *private_key = made;
    return CKR_OK;
}

static CK_RV token_copy(CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE number, CK_ATTRIBUTE_PTR template, CK_ULONG count,
                        CK_OBJECT_HANDLE_PTR made)
{
    struct token_session *session = NULL;
    struct token_object *original = token_object(number);
    struct token_object *copy;
    CK_RV rv = token_enter(handle, &session);

    if (rv != CKR_OK || !original)
        return rv != CKR_OK ? rv : CKR_OBJECT_HANDLE_INVALID;
    copy = token_new_object(session, made);
    if (!copy)
        return CKR_DEVICE_MEMORY;
    copy->copy_of = (unsigned)number;
    copy->object_class = original->object_class;
    copy->key_type = original->key_type;
    copy->level_before = original->level_before;
    copy->may_leave = *token_flag(original, CKA_EXTRACTABLE) != CK_FALSE;
    memcpy(copy->label, original->label, sizeof copy->label);
    memcpy(copy->flags, original->flags, sizeof copy->flags);
    memcpy(copy->before, original->flags, sizeof copy->before);
    if (token_habits & TOKEN_LOSES_GUARD_IN_COPIES)
        *token_flag(copy, CKA_ALWAYS_AUTHENTICATE) = CK_FALSE;
    rv = token_apply(copy, template, count, true);
    if (rv != CKR_OK)
        copy->exists = false;
    else
        token_work(session, original, JUDGE_COPY, NULL, 0); /* a template that is refused may come again without the guard */
    return rv;
}

/* ------------------------------------------------------------------ changing and deleting */

/* Strengthening needs nobody. */
static bool only_strengthens(const CK_ATTRIBUTE *template, CK_ULONG count)
{
    for (CK_ULONG i = 0; i < count; i++)
        if (template[i].type != CKA_SENSITIVE && template[i].type != CKA_PRIVATE && template[i].type != CKA_EXTRACTABLE &&
            template[i].type != CKA_ALWAYS_AUTHENTICATE && template[i].type != CKA_WRAP_WITH_TRUSTED)
            return false;
    return true;
}

static CK_RV token_set(CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE number, CK_ATTRIBUTE_PTR template, CK_ULONG count)
{
    struct token_session *session = NULL;
    struct token_object *object = token_object(number);
    CK_RV rv = token_enter(handle, &session);

    if (rv != CKR_OK || !object)
        return rv != CKR_OK ? rv : CKR_OBJECT_HANDLE_INVALID;
    if (!only_strengthens(template, count))
        token_work(session, object, JUDGE_CHANGE, NULL, 0);
    return token_apply(object, template, count, true);
}

static CK_RV token_destroy(CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE number)
{
    struct token_session *session = NULL;
    struct token_object *object = token_object(number);
    CK_RV rv = token_enter(handle, &session);

    if (rv != CKR_OK || !object)
        return rv != CKR_OK ? rv : CKR_OBJECT_HANDLE_INVALID;
    if (object->born_in != judge_call() || !object->born_in)
        token_work(session, object, JUDGE_DELETE, NULL, 0);
    object->exists = false;
    return CKR_OK;
}

/* ------------------------------------------------------------------ reading */

static const void *value_of(struct token_object *object, CK_ATTRIBUTE_TYPE type, CK_ULONG *len)
{
    const CK_BBOOL *flag = token_flag(object, type);
    const bool tells_lengths = !(token_habits & TOKEN_HAS_NO_LENGTHS);

    if (flag && !(type == CKA_ALWAYS_AUTHENTICATE && (token_habits & TOKEN_LACKS_GUARD))) {
        *len = sizeof *flag;
        return flag;
    }
    switch (type) {
    case CKA_CLASS:
        *len = sizeof object->object_class;
        return &object->object_class;
    case CKA_KEY_TYPE:
        *len = sizeof object->key_type;
        return &object->key_type;
    case CKA_LABEL:
        *len = strlen(object->label);
        return object->label;
    case CKA_MODULUS:
        *len = sizeof modulus;
        return object->key_type == CKK_RSA && tells_lengths ? modulus : NULL;
    case CKA_EC_PARAMS:
        *len = sizeof curve - 1;
        return object->key_type == CKK_EC && tells_lengths ? curve : NULL;
    case CKA_VALUE:
        if (object->object_class != CKO_PRIVATE_KEY)
            return NULL;
        /* fall through */
    case CKA_PRIVATE_EXPONENT:
    case CKA_PRIME_1:
        *len = strlen(TOKEN_PRIVATE_VALUE);
        return token_is_private(object) ? TOKEN_PRIVATE_VALUE : NULL;
    default:
        return NULL;
    }
}

static CK_RV token_get(CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE number, CK_ATTRIBUTE_PTR template, CK_ULONG count)
{
    struct token_session *session = NULL;
    struct token_object *object = token_object(number);
    CK_RV rv = token_enter(handle, &session);

    /* It fails, but it does not lie about what there is. */
    if (rv == CKR_BUFFER_TOO_SMALL)
        rv = CKR_DEVICE_ERROR;
    if (rv != CKR_OK || !object)
        return rv != CKR_OK ? rv : CKR_OBJECT_HANDLE_INVALID;
    for (CK_ULONG i = 0; i < count; i++) {
        CK_ULONG len = 0;
        const void *value = value_of(object, template[i].type, &len);

        if (!value) {
            template[i].ulValueLen = CK_UNAVAILABLE_INFORMATION;
            rv = CKR_ATTRIBUTE_TYPE_INVALID;
        } else if (template[i].pValue && template[i].ulValueLen < len) {
            template[i].ulValueLen = CK_UNAVAILABLE_INFORMATION;
            rv = CKR_BUFFER_TOO_SMALL;
        } else {
            if (template[i].pValue)
                memcpy(template[i].pValue, value, len);
            template[i].ulValueLen = len;
        }
    }
    return rv;
}

static CK_RV token_find_init(CK_SESSION_HANDLE handle, CK_ATTRIBUTE_PTR template, CK_ULONG count)
{
    struct token_session *session = NULL;
    CK_RV rv = token_enter(handle, &session);

    (void)template, (void)count;
    if (rv != CKR_OK)
        return rv;
    session->finding = true;
    session->found_next = 1;
    return CKR_OK;
}

static CK_RV token_find(CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE_PTR objects, CK_ULONG room, CK_ULONG_PTR count)
{
    struct token_session *session = NULL;
    CK_RV rv = token_enter(handle, &session);

    if (rv != CKR_OK || !session->finding)
        return rv != CKR_OK ? rv : CKR_OPERATION_NOT_INITIALIZED;
    for (*count = 0; *count < room && session->found_next <= TOKEN_OBJECTS; session->found_next++)
        if (token_objects[session->found_next].exists)
            objects[(*count)++] = session->found_next;
    return CKR_OK;
}

static CK_RV token_find_final(CK_SESSION_HANDLE handle)
{
    struct token_session *session = NULL;
    CK_RV rv = token_enter(handle, &session);

    if (rv == CKR_OK)
        session->finding = false;
    return rv;
}

void token_fill_objects(CK_FUNCTION_LIST_3_0 *functions)
{
    functions->C_CreateObject = token_create;
    functions->C_CopyObject = token_copy;
    functions->C_DestroyObject = token_destroy;
    functions->C_GetAttributeValue = token_get;
    functions->C_SetAttributeValue = token_set;
    functions->C_FindObjectsInit = token_find_init;
    functions->C_FindObjects = token_find;
    functions->C_FindObjectsFinal = token_find_final;
    functions->C_GenerateKey = token_generate;
    functions->C_GenerateKeyPair = token_generate_pair;
}
