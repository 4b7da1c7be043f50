#include <string.h>

#include "fuzz/module_calls_internal.h"

static CK_FUNCTION_LIST_3_0 *const p11 = &dispatch_list_3_0;

static CK_RV call_wrap(struct arguments *a)
{
    const CK_OBJECT_HANDLE wrapping = take_object(a->input), key = take_object(a->input);

    take_mechanism(a);
    take_out(a);
    return p11->C_WrapKey(a->session, &a->mechanism, wrapping, key, a->out_at, &a->out_len);
}

static CK_RV call_unwrap(struct arguments *a)
{
    const CK_OBJECT_HANDLE key = take_object(a->input);

    take_mechanism(a);
    take_data(a);
    take_template(a);
    return p11->C_UnwrapKey(a->session, &a->mechanism, key, a->data, a->data_len, a->template, a->count, &application.made);
}

static CK_RV call_derive(struct arguments *a)
{
    const CK_OBJECT_HANDLE key = take_object(a->input);

    take_mechanism(a);
    take_template(a);
    return p11->C_DeriveKey(a->session, &a->mechanism, key, a->template, a->count, &application.made);
}

static CK_RV call_copy(struct arguments *a)
{
    const CK_OBJECT_HANDLE object = take_object(a->input);

    take_template(a);
    return p11->C_CopyObject(a->session, object, a->template, a->count, &application.made);
}

static CK_RV call_set(struct arguments *a)
{
    const CK_OBJECT_HANDLE object = take_object(a->input);

    take_template(a);
    return p11->C_SetAttributeValue(a->session, object, a->template, a->count);
}

static CK_RV call_create(struct arguments *a)
{
    take_template(a);
    return p11->C_CreateObject(a->session, a->template, a->count, &application.made);
}

static CK_RV call_generate(struct arguments *a)
{
    take_mechanism(a);
    take_template(a);
    return p11->C_GenerateKey(a->session, &a->mechanism, a->template, a->count, &application.made);
}

static CK_RV call_generate_pair(struct arguments *a)
{
    CK_OBJECT_HANDLE public_key;

    take_mechanism(a);
    take_template(a);
    return p11->C_GenerateKeyPair(a->session, &a->mechanism, NULL, 0, a->template, a->count, &public_key, &application.made);
}

static CK_RV call_get(struct arguments *a)
{
    static const CK_ATTRIBUTE_TYPE types[] = {CKA_PRIVATE_EXPONENT, CKA_VALUE, CKA_PRIME_1, CKA_LABEL, CKA_CLASS};
    CK_ATTRIBUTE wanted[2];
    const CK_OBJECT_HANDLE object = take_object(a->input);

    memset(a->out, ARGUMENTS_FILLED, sizeof a->out);
    for (size_t i = 0; i < 2; i++)
        wanted[i] = (CK_ATTRIBUTE){types[fuzz_byte(a->input) % 5], a->out + i * ARGUMENTS_ROOM / 2, ARGUMENTS_ROOM / 2};
    return p11->C_GetAttributeValue(a->session, object, wanted, 2);
}

static CK_RV call_find(struct arguments *a)
{
    CK_OBJECT_HANDLE found[8];
    CK_ULONG count = 0;
    CK_RV rv;

    take_template(a);
    rv = p11->C_FindObjectsInit(a->session, a->template, a->count);
    if (rv == CKR_OK)
        rv = p11->C_FindObjects(a->session, found, 8, &count);
    fuzz_require(rv != CKR_OK || count <= 8, "no more is found than there is room for");
    (void)p11->C_FindObjectsFinal(a->session);
    return rv;
}

static CK_RV call_set_state(struct arguments *a)
{
    const CK_OBJECT_HANDLE encrypts = take_object(a->input), authenticates = take_object(a->input);

    return p11->C_SetOperationState(a->session, a->data, sizeof a->data, encrypts, authenticates);
}

static CK_RV call_get_state(struct arguments *a)
{
    take_out(a);
    return p11->C_GetOperationState(a->session, a->out_at, &a->out_len);
}

static CK_RV call_object(struct arguments *a, CK_RV function(CK_SESSION_HANDLE, CK_OBJECT_HANDLE))
{
    return function(a->session, take_object(a->input));
}

CK_RV calls_object(struct arguments *a, uint8_t which)
{
    switch (which) {
    case 0: return call_wrap(a);
    case 1: return call_unwrap(a);
    case 2: return call_derive(a);
    case 3: return call_copy(a);
    case 4: return call_set(a);
    case 5: return call_object(a, p11->C_DestroyObject);
    case 6: return call_create(a);
    case 7: return call_generate_pair(a);
    case 8: return call_generate(a);
    case 9: return call_object(a, p11->C_DigestKey);
    case 10: return call_set_state(a);
    case 11: return call_get_state(a);
    case 12: return call_get(a);
    default: return call_find(a);
    }
}
