/*
 * dispatch_3: one row for each of the 24 functions that PKCS#11 3.0 adds, in the order of CK_FUNCTION_LIST_3_0. The
 * classes are those of dispatch.h, and so is the rule that a row claims what its function does.
 *
 * In CK_FUNCTION_LIST_3_0 these follow the 68 rows of dispatch.h: a function that both versions have is one function.
 */
#ifndef PINWARD_MODULE_DISPATCH_3_H
#define PINWARD_MODULE_DISPATCH_3_H

#include "pkcs11-module/p11.h"

#define DISPATCH_ROWS_3_0(X)                                                                                 \
    X(C_GetInterfaceList, own)                                                                               \
    X(C_GetInterface, own)                                                                                   \
    X(C_LoginUser, own)                                                                                      \
    X(C_SessionCancel, own)                                                                                  \
    X(C_MessageEncryptInit, refuse)                                                                          \
    X(C_EncryptMessage, pass)                                                                                \
    X(C_EncryptMessageBegin, pass)                                                                           \
    X(C_EncryptMessageNext, pass)                                                                            \
    X(C_MessageEncryptFinal, pass)                                                                           \
    X(C_MessageDecryptInit, gate)                                                                            \
    X(C_DecryptMessage, gate)                                                                                \
    X(C_DecryptMessageBegin, gate)                                                                           \
    X(C_DecryptMessageNext, gate)                                                                            \
    X(C_MessageDecryptFinal, gate)                                                                           \
    X(C_MessageSignInit, gate)                                                                               \
    X(C_SignMessage, gate)                                                                                   \
    X(C_SignMessageBegin, gate)                                                                              \
    X(C_SignMessageNext, gate)                                                                               \
    X(C_MessageSignFinal, gate)                                                                              \
    X(C_MessageVerifyInit, pass)                                                                             \
    X(C_VerifyMessage, pass)                                                                                 \
    X(C_VerifyMessageBegin, pass)                                                                            \
    X(C_VerifyMessageNext, pass)                                                                             \
    X(C_MessageVerifyFinal, pass)

#endif
