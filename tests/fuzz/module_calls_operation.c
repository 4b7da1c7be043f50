#include "fuzz/module_calls_internal.h"

static CK_FUNCTION_LIST_3_0 *const p11 = &dispatch_list_3_0;

typedef CK_RV init_function(CK_SESSION_HANDLE, CK_MECHANISM_PTR, CK_OBJECT_HANDLE);
typedef CK_RV whole_function(CK_SESSION_HANDLE, CK_BYTE_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG_PTR);
typedef CK_RV final_function(CK_SESSION_HANDLE, CK_BYTE_PTR, CK_ULONG_PTR);
typedef CK_RV session_function(CK_SESSION_HANDLE);

static CK_RV call_init(struct arguments *a, init_function *init)
{
    const CK_OBJECT_HANDLE key = take_object(a->input);

    take_mechanism(a);
    return init(a->session, key == 23 ? NULL : &a->mechanism, key);
}

static CK_RV call_whole(struct arguments *a, whole_function *whole)
{
    take_data(a);
    take_out(a);
    return whole(a->session, a->data, a->data_len, a->out_at, &a->out_len);
}

static CK_RV call_final(struct arguments *a, final_function *final)
{
    take_out(a);
    return final(a->session, a->out_at, &a->out_len);
}

static CK_RV call_sign_update(struct arguments *a)
{
    take_data(a);
    return p11->C_SignUpdate(a->session, a->data, a->data_len);
}

static CK_RV call_sign_message(struct arguments *a)
{
    take_data(a);
    take_out(a);
    return p11->C_SignMessage(a->session, NULL, 0, a->data, a->data_len, a->out_at, &a->out_len);
}

static CK_RV call_decrypt_message(struct arguments *a)
{
    take_data(a);
    take_out(a);
    return p11->C_DecryptMessage(a->session, NULL, 0, NULL, 0, a->data, a->data_len, a->out_at, &a->out_len);
}

static CK_RV call_sign_message_next(struct arguments *a)
{
    take_data(a);
    take_out(a);
    return p11->C_SignMessageNext(a->session, NULL, 0, a->data, a->data_len, a->out_at,
                                  fuzz_byte(a->input) & 1 ? NULL : &a->out_len);
}

static CK_RV call_decrypt_message_next(struct arguments *a)
{
    take_data(a);
    take_out(a);
    return p11->C_DecryptMessageNext(a->session, NULL, 0, a->data, a->data_len, a->out_at, &a->out_len,
                                     fuzz_byte(a->input) & 1 ? CKF_END_OF_MESSAGE : 0);
}

static CK_RV call_begin_message(struct arguments *a, bool signs)
{
    return signs ? p11->C_SignMessageBegin(a->session, NULL, 0) : p11->C_DecryptMessageBegin(a->session, NULL, 0, NULL, 0);
}

static CK_RV call_cancel(struct arguments *a)
{
    static const CK_FLAGS flags[] = {CKF_SIGN, CKF_DECRYPT, CKF_SIGN_RECOVER, CKF_MESSAGE_SIGN, CKF_MESSAGE_DECRYPT,
                                     CKF_SIGN | CKF_DECRYPT | CKF_MESSAGE_SIGN | CKF_MESSAGE_DECRYPT};

    return p11->C_SessionCancel(a->session, flags[fuzz_byte(a->input) % 6]);
}

CK_RV calls_operation(struct arguments *a, uint8_t which)
{
    switch (which) {
    case 0: return call_init(a, p11->C_SignInit);
    case 1: return call_whole(a, p11->C_Sign);
    case 2: return call_sign_update(a);
    case 3: return call_final(a, p11->C_SignFinal);
    case 4: return call_init(a, p11->C_SignRecoverInit);
    case 5: return call_whole(a, p11->C_SignRecover);
    case 6: return call_init(a, p11->C_DecryptInit);
    case 7: return call_whole(a, p11->C_Decrypt);
    case 8: return call_whole(a, p11->C_DecryptUpdate);
    case 9: return call_final(a, p11->C_DecryptFinal);
    case 10: return call_whole(a, p11->C_DecryptDigestUpdate);
    case 11: return call_whole(a, p11->C_DecryptVerifyUpdate);
    case 12: return call_whole(a, p11->C_SignEncryptUpdate);
    case 13: return call_init(a, p11->C_MessageSignInit);
    case 14: return call_sign_message(a);
    case 15: return call_begin_message(a, true);
    case 16: return call_sign_message_next(a);
    case 17: return p11->C_MessageSignFinal(a->session);
    case 18: return call_init(a, p11->C_MessageDecryptInit);
    case 19: return call_decrypt_message(a);
    case 20: return call_begin_message(a, false);
    case 21: return call_decrypt_message_next(a);
    case 22: return p11->C_MessageDecryptFinal(a->session);
    case 23: return call_init(a, p11->C_EncryptInit);
    case 24: return call_init(a, p11->C_MessageEncryptInit);
    default: return call_cancel(a);
    }
}
