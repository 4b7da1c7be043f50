#include "pkcs11-module/entry_3.h"
#include "pkcs11-module/gate.h"
#include "pkcs11-module/message.h"

/* PKCS#11 3.0, 5.11 and 5.14: messages that are decrypted or signed. */

CK_RV gate_C_MessageDecryptInit(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key)
{
    struct runtime *rt = runtime_get();

    if (!rt || !rt->backend.functions_3)
        return runtime_lacks_3();
    return gate_begin(rt, session, OPERATION_MESSAGE_DECRYPT, rt->backend.functions_3->C_MessageDecryptInit, mechanism,
                      key);
}

CK_RV gate_C_DecryptMessage(CK_SESSION_HANDLE session, CK_VOID_PTR parameter, CK_ULONG parameter_len,
                            CK_BYTE_PTR associated_data, CK_ULONG associated_data_len, CK_BYTE_PTR ciphertext,
                            CK_ULONG ciphertext_len, CK_BYTE_PTR plaintext, CK_ULONG_PTR plaintext_len)
{
    const struct message_call call = {.kind = OPERATION_MESSAGE_DECRYPT,
                                      .parameter = parameter,
                                      .parameter_len = parameter_len,
                                      .associated = associated_data,
                                      .associated_len = associated_data_len,
                                      .in = ciphertext,
                                      .in_len = ciphertext_len,
                                      .out = plaintext,
                                      .out_len = plaintext_len};
    struct runtime *rt = runtime_get();

    if (!rt || !rt->backend.functions_3)
        return runtime_lacks_3();
    return message_whole(rt, session, &call);
}

CK_RV gate_C_DecryptMessageBegin(CK_SESSION_HANDLE session, CK_VOID_PTR parameter, CK_ULONG parameter_len,
                                 CK_BYTE_PTR associated_data, CK_ULONG associated_data_len)
{
    const struct message_call call = {.kind = OPERATION_MESSAGE_DECRYPT,
                                      .parameter = parameter,
                                      .parameter_len = parameter_len,
                                      .associated = associated_data,
                                      .associated_len = associated_data_len};
    struct runtime *rt = runtime_get();

    if (!rt || !rt->backend.functions_3)
        return runtime_lacks_3();
    return message_begin(rt, session, &call);
}

CK_RV gate_C_DecryptMessageNext(CK_SESSION_HANDLE session, CK_VOID_PTR parameter, CK_ULONG parameter_len,
                                CK_BYTE_PTR ciphertext_part, CK_ULONG ciphertext_part_len, CK_BYTE_PTR plaintext_part,
                                CK_ULONG_PTR plaintext_part_len, CK_FLAGS flags)
{
    const struct message_call call = {.kind = OPERATION_MESSAGE_DECRYPT,
                                      .parameter = parameter,
                                      .parameter_len = parameter_len,
                                      .in = ciphertext_part,
                                      .in_len = ciphertext_part_len,
                                      .out = plaintext_part,
                                      .out_len = plaintext_part_len,
                                      .flags = flags};
    struct runtime *rt = runtime_get();

    if (!rt || !rt->backend.functions_3)
        return runtime_lacks_3();
    return message_next(rt, session, &call);
}

CK_RV gate_C_MessageDecryptFinal(CK_SESSION_HANDLE session)
{
    struct runtime *rt = runtime_get();

    if (!rt || !rt->backend.functions_3)
        return runtime_lacks_3();
    return message_final(rt, session, OPERATION_MESSAGE_DECRYPT);
}

CK_RV gate_C_MessageSignInit(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key)
{
    struct runtime *rt = runtime_get();

    if (!rt || !rt->backend.functions_3)
        return runtime_lacks_3();
    return gate_begin(rt, session, OPERATION_MESSAGE_SIGN, rt->backend.functions_3->C_MessageSignInit, mechanism, key);
}

CK_RV gate_C_SignMessage(CK_SESSION_HANDLE session, CK_VOID_PTR parameter, CK_ULONG parameter_len, CK_BYTE_PTR data,
                         CK_ULONG data_len, CK_BYTE_PTR signature, CK_ULONG_PTR signature_len)
{
    const struct message_call call = {.kind = OPERATION_MESSAGE_SIGN,
                                      .parameter = parameter,
                                      .parameter_len = parameter_len,
                                      .in = data,
                                      .in_len = data_len,
                                      .out = signature,
                                      .out_len = signature_len};
    struct runtime *rt = runtime_get();

    if (!rt || !rt->backend.functions_3)
        return runtime_lacks_3();
    return message_whole(rt, session, &call);
}

CK_RV gate_C_SignMessageBegin(CK_SESSION_HANDLE session, CK_VOID_PTR parameter, CK_ULONG parameter_len)
{
    const struct message_call call = {
        .kind = OPERATION_MESSAGE_SIGN, .parameter = parameter, .parameter_len = parameter_len};
    struct runtime *rt = runtime_get();

    if (!rt || !rt->backend.functions_3)
        return runtime_lacks_3();
    return message_begin(rt, session, &call);
}

CK_RV gate_C_SignMessageNext(CK_SESSION_HANDLE session, CK_VOID_PTR parameter, CK_ULONG parameter_len,
                             CK_BYTE_PTR data, CK_ULONG data_len, CK_BYTE_PTR signature, CK_ULONG_PTR signature_len)
{
    const struct message_call call = {.kind = OPERATION_MESSAGE_SIGN,
                                      .parameter = parameter,
                                      .parameter_len = parameter_len,
                                      .in = data,
                                      .in_len = data_len,
                                      .out = signature,
                                      .out_len = signature_len};
    struct runtime *rt = runtime_get();

    if (!rt || !rt->backend.functions_3)
        return runtime_lacks_3();
    return message_next(rt, session, &call);
}

CK_RV gate_C_MessageSignFinal(CK_SESSION_HANDLE session)
{
    struct runtime *rt = runtime_get();

    if (!rt || !rt->backend.functions_3)
        return runtime_lacks_3();
    return message_final(rt, session, OPERATION_MESSAGE_SIGN);
}
