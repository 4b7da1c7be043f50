/*
 * p11_calls: the 68 functions of PKCS#11 2.40, and the 24 that 3.0 adds, with their parameters' types, so that both the backend that
 * records its calls and the test that makes them are written once.
 *
 * X<n>(name, the types of its n parameters), in the order of CK_FUNCTION_LIST.
 */
#ifndef PINWARD_TESTS_P11_CALLS_H
#define PINWARD_TESTS_P11_CALLS_H

#include <stddef.h>

#include "pkcs11-module/p11_3.h"

#define P11_CALLS(X1, X2, X3, X4, X5, X6, X8)                                                                \
    X1(C_Initialize, CK_VOID_PTR)                                                                            \
    X1(C_Finalize, CK_VOID_PTR)                                                                              \
    X1(C_GetInfo, CK_INFO_PTR)                                                                               \
    X1(C_GetFunctionList, CK_FUNCTION_LIST_PTR_PTR)                                                          \
    X3(C_GetSlotList, CK_BBOOL, CK_SLOT_ID_PTR, CK_ULONG_PTR)                                                \
    X2(C_GetSlotInfo, CK_SLOT_ID, CK_SLOT_INFO_PTR)                                                          \
    X2(C_GetTokenInfo, CK_SLOT_ID, CK_TOKEN_INFO_PTR)                                                        \
    X3(C_GetMechanismList, CK_SLOT_ID, CK_MECHANISM_TYPE_PTR, CK_ULONG_PTR)                                  \
    X3(C_GetMechanismInfo, CK_SLOT_ID, CK_MECHANISM_TYPE, CK_MECHANISM_INFO_PTR)                             \
    X4(C_InitToken, CK_SLOT_ID, CK_BYTE_PTR, CK_ULONG, CK_BYTE_PTR)                                          \
    X3(C_InitPIN, CK_SESSION_HANDLE, CK_BYTE_PTR, CK_ULONG)                                                  \
    X5(C_SetPIN, CK_SESSION_HANDLE, CK_BYTE_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG)                            \
    X5(C_OpenSession, CK_SLOT_ID, CK_FLAGS, CK_VOID_PTR, CK_NOTIFY, CK_SESSION_HANDLE_PTR)                   \
    X1(C_CloseSession, CK_SESSION_HANDLE)                                                                    \
    X1(C_CloseAllSessions, CK_SLOT_ID)                                                                       \
    X2(C_GetSessionInfo, CK_SESSION_HANDLE, CK_SESSION_INFO_PTR)                                             \
    X3(C_GetOperationState, CK_SESSION_HANDLE, CK_BYTE_PTR, CK_ULONG_PTR)                                    \
    X5(C_SetOperationState, CK_SESSION_HANDLE, CK_BYTE_PTR, CK_ULONG, CK_OBJECT_HANDLE, CK_OBJECT_HANDLE)    \
    X4(C_Login, CK_SESSION_HANDLE, CK_USER_TYPE, CK_BYTE_PTR, CK_ULONG)                                      \
    X1(C_Logout, CK_SESSION_HANDLE)                                                                          \
    X4(C_CreateObject, CK_SESSION_HANDLE, CK_ATTRIBUTE_PTR, CK_ULONG, CK_OBJECT_HANDLE_PTR)                  \
    X5(C_CopyObject, CK_SESSION_HANDLE, CK_OBJECT_HANDLE, CK_ATTRIBUTE_PTR, CK_ULONG, CK_OBJECT_HANDLE_PTR)  \
    X2(C_DestroyObject, CK_SESSION_HANDLE, CK_OBJECT_HANDLE)                                                 \
    X3(C_GetObjectSize, CK_SESSION_HANDLE, CK_OBJECT_HANDLE, CK_ULONG_PTR)                                   \
    X4(C_GetAttributeValue, CK_SESSION_HANDLE, CK_OBJECT_HANDLE, CK_ATTRIBUTE_PTR, CK_ULONG)                 \
    X4(C_SetAttributeValue, CK_SESSION_HANDLE, CK_OBJECT_HANDLE, CK_ATTRIBUTE_PTR, CK_ULONG)                 \
    X3(C_FindObjectsInit, CK_SESSION_HANDLE, CK_ATTRIBUTE_PTR, CK_ULONG)                                     \
    X4(C_FindObjects, CK_SESSION_HANDLE, CK_OBJECT_HANDLE_PTR, CK_ULONG, CK_ULONG_PTR)                       \
    X1(C_FindObjectsFinal, CK_SESSION_HANDLE)                                                                \
    X3(C_EncryptInit, CK_SESSION_HANDLE, CK_MECHANISM_PTR, CK_OBJECT_HANDLE)                                 \
    X5(C_Encrypt, CK_SESSION_HANDLE, CK_BYTE_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG_PTR)                       \
    X5(C_EncryptUpdate, CK_SESSION_HANDLE, CK_BYTE_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG_PTR)                 \
    X3(C_EncryptFinal, CK_SESSION_HANDLE, CK_BYTE_PTR, CK_ULONG_PTR)                                         \
    X3(C_DecryptInit, CK_SESSION_HANDLE, CK_MECHANISM_PTR, CK_OBJECT_HANDLE)                                 \
    X5(C_Decrypt, CK_SESSION_HANDLE, CK_BYTE_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG_PTR)                       \
    X5(C_DecryptUpdate, CK_SESSION_HANDLE, CK_BYTE_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG_PTR)                 \
    X3(C_DecryptFinal, CK_SESSION_HANDLE, CK_BYTE_PTR, CK_ULONG_PTR)                                         \
    X2(C_DigestInit, CK_SESSION_HANDLE, CK_MECHANISM_PTR)                                                    \
    X5(C_Digest, CK_SESSION_HANDLE, CK_BYTE_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG_PTR)                        \
    X3(C_DigestUpdate, CK_SESSION_HANDLE, CK_BYTE_PTR, CK_ULONG)                                             \
    X2(C_DigestKey, CK_SESSION_HANDLE, CK_OBJECT_HANDLE)                                                     \
    X3(C_DigestFinal, CK_SESSION_HANDLE, CK_BYTE_PTR, CK_ULONG_PTR)                                          \
    X3(C_SignInit, CK_SESSION_HANDLE, CK_MECHANISM_PTR, CK_OBJECT_HANDLE)                                    \
    X5(C_Sign, CK_SESSION_HANDLE, CK_BYTE_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG_PTR)                          \
    X3(C_SignUpdate, CK_SESSION_HANDLE, CK_BYTE_PTR, CK_ULONG)                                               \
    X3(C_SignFinal, CK_SESSION_HANDLE, CK_BYTE_PTR, CK_ULONG_PTR)                                            \
    X3(C_SignRecoverInit, CK_SESSION_HANDLE, CK_MECHANISM_PTR, CK_OBJECT_HANDLE)                             \
    X5(C_SignRecover, CK_SESSION_HANDLE, CK_BYTE_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG_PTR)                   \
    X3(C_VerifyInit, CK_SESSION_HANDLE, CK_MECHANISM_PTR, CK_OBJECT_HANDLE)                                  \
    X5(C_Verify, CK_SESSION_HANDLE, CK_BYTE_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG)                            \
    X3(C_VerifyUpdate, CK_SESSION_HANDLE, CK_BYTE_PTR, CK_ULONG)                                             \
    X3(C_VerifyFinal, CK_SESSION_HANDLE, CK_BYTE_PTR, CK_ULONG)                                              \
    X3(C_VerifyRecoverInit, CK_SESSION_HANDLE, CK_MECHANISM_PTR, CK_OBJECT_HANDLE)                           \
    X5(C_VerifyRecover, CK_SESSION_HANDLE, CK_BYTE_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG_PTR)                 \
    X5(C_DigestEncryptUpdate, CK_SESSION_HANDLE, CK_BYTE_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG_PTR)           \
    X5(C_DecryptDigestUpdate, CK_SESSION_HANDLE, CK_BYTE_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG_PTR)           \
    X5(C_SignEncryptUpdate, CK_SESSION_HANDLE, CK_BYTE_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG_PTR)             \
    X5(C_DecryptVerifyUpdate, CK_SESSION_HANDLE, CK_BYTE_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG_PTR)           \
    X5(C_GenerateKey, CK_SESSION_HANDLE, CK_MECHANISM_PTR, CK_ATTRIBUTE_PTR, CK_ULONG, CK_OBJECT_HANDLE_PTR) \
    X8(C_GenerateKeyPair, CK_SESSION_HANDLE, CK_MECHANISM_PTR, CK_ATTRIBUTE_PTR, CK_ULONG, CK_ATTRIBUTE_PTR, \
       CK_ULONG, CK_OBJECT_HANDLE_PTR, CK_OBJECT_HANDLE_PTR)                                                 \
    X6(C_WrapKey, CK_SESSION_HANDLE, CK_MECHANISM_PTR, CK_OBJECT_HANDLE, CK_OBJECT_HANDLE, CK_BYTE_PTR,      \
       CK_ULONG_PTR)                                                                                         \
    X8(C_UnwrapKey, CK_SESSION_HANDLE, CK_MECHANISM_PTR, CK_OBJECT_HANDLE, CK_BYTE_PTR, CK_ULONG,            \
       CK_ATTRIBUTE_PTR, CK_ULONG, CK_OBJECT_HANDLE_PTR)                                                     \
    X6(C_DeriveKey, CK_SESSION_HANDLE, CK_MECHANISM_PTR, CK_OBJECT_HANDLE, CK_ATTRIBUTE_PTR, CK_ULONG,       \
       CK_OBJECT_HANDLE_PTR)                                                                                 \
    X3(C_SeedRandom, CK_SESSION_HANDLE, CK_BYTE_PTR, CK_ULONG)                                               \
    X3(C_GenerateRandom, CK_SESSION_HANDLE, CK_BYTE_PTR, CK_ULONG)                                           \
    X1(C_GetFunctionStatus, CK_SESSION_HANDLE)                                                               \
    X1(C_CancelFunction, CK_SESSION_HANDLE)                                                                  \
    X3(C_WaitForSlotEvent, CK_FLAGS, CK_SLOT_ID_PTR, CK_VOID_PTR)

#define P11_CALLS_3_0(X1, X2, X3, X4, X5, X6, X7, X8, X9)                                                    \
    X2(C_GetInterfaceList, CK_INTERFACE_PTR, CK_ULONG_PTR)                                                   \
    X4(C_GetInterface, CK_UTF8CHAR_PTR, CK_VERSION_PTR, CK_INTERFACE_PTR_PTR, CK_FLAGS)                      \
    X6(C_LoginUser, CK_SESSION_HANDLE, CK_USER_TYPE, CK_UTF8CHAR_PTR, CK_ULONG, CK_UTF8CHAR_PTR, CK_ULONG)   \
    X2(C_SessionCancel, CK_SESSION_HANDLE, CK_FLAGS)                                                         \
    X3(C_MessageEncryptInit, CK_SESSION_HANDLE, CK_MECHANISM_PTR, CK_OBJECT_HANDLE)                          \
    X9(C_EncryptMessage, CK_SESSION_HANDLE, CK_VOID_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG, CK_BYTE_PTR,       \
       CK_ULONG, CK_BYTE_PTR, CK_ULONG_PTR)                                                                  \
    X5(C_EncryptMessageBegin, CK_SESSION_HANDLE, CK_VOID_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG)               \
    X8(C_EncryptMessageNext, CK_SESSION_HANDLE, CK_VOID_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG, CK_BYTE_PTR,   \
       CK_ULONG_PTR, CK_FLAGS)                                                                               \
    X1(C_MessageEncryptFinal, CK_SESSION_HANDLE)                                                             \
    X3(C_MessageDecryptInit, CK_SESSION_HANDLE, CK_MECHANISM_PTR, CK_OBJECT_HANDLE)                          \
    X9(C_DecryptMessage, CK_SESSION_HANDLE, CK_VOID_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG, CK_BYTE_PTR,       \
       CK_ULONG, CK_BYTE_PTR, CK_ULONG_PTR)                                                                  \
    X5(C_DecryptMessageBegin, CK_SESSION_HANDLE, CK_VOID_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG)               \
    X8(C_DecryptMessageNext, CK_SESSION_HANDLE, CK_VOID_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG, CK_BYTE_PTR,   \
       CK_ULONG_PTR, CK_FLAGS)                                                                               \
    X1(C_MessageDecryptFinal, CK_SESSION_HANDLE)                                                             \
    X3(C_MessageSignInit, CK_SESSION_HANDLE, CK_MECHANISM_PTR, CK_OBJECT_HANDLE)                             \
    X7(C_SignMessage, CK_SESSION_HANDLE, CK_VOID_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG, CK_BYTE_PTR,          \
       CK_ULONG_PTR)                                                                                         \
    X3(C_SignMessageBegin, CK_SESSION_HANDLE, CK_VOID_PTR, CK_ULONG)                                         \
    X7(C_SignMessageNext, CK_SESSION_HANDLE, CK_VOID_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG, CK_BYTE_PTR,      \
       CK_ULONG_PTR)                                                                                         \
    X1(C_MessageSignFinal, CK_SESSION_HANDLE)                                                                \
    X3(C_MessageVerifyInit, CK_SESSION_HANDLE, CK_MECHANISM_PTR, CK_OBJECT_HANDLE)                           \
    X7(C_VerifyMessage, CK_SESSION_HANDLE, CK_VOID_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG, CK_BYTE_PTR,        \
       CK_ULONG)                                                                                             \
    X3(C_VerifyMessageBegin, CK_SESSION_HANDLE, CK_VOID_PTR, CK_ULONG)                                       \
    X7(C_VerifyMessageNext, CK_SESSION_HANDLE, CK_VOID_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG, CK_BYTE_PTR,    \
       CK_ULONG)                                                                                             \
    X1(C_MessageVerifyFinal, CK_SESSION_HANDLE)

/* The functions as numbers: CALL_C_Initialize = 0 ... */
#define P11_CALL_NUMBER(name, ...) CALL_##name,
enum p11_call {
    P11_CALLS(P11_CALL_NUMBER, P11_CALL_NUMBER, P11_CALL_NUMBER, P11_CALL_NUMBER, P11_CALL_NUMBER,
              P11_CALL_NUMBER, P11_CALL_NUMBER) P11_CALL_COUNT,
    P11_CALL_BEFORE_3_0 = P11_CALL_COUNT - 1, /* so that those of 3.0 go on where the others end */
    P11_CALLS_3_0(P11_CALL_NUMBER, P11_CALL_NUMBER, P11_CALL_NUMBER, P11_CALL_NUMBER, P11_CALL_NUMBER,
                  P11_CALL_NUMBER, P11_CALL_NUMBER, P11_CALL_NUMBER, P11_CALL_NUMBER) P11_CALL_COUNT_3_0
};

#define P11_CALL_PARAMETERS_MAX 9

#define P11_FUNCTIONS_IN(list) ((sizeof(list) - offsetof(list, C_Initialize)) / sizeof(CK_C_Initialize))
_Static_assert((size_t)P11_CALL_COUNT == P11_FUNCTIONS_IN(CK_FUNCTION_LIST) &&
                   (size_t)P11_CALL_COUNT_3_0 == P11_FUNCTIONS_IN(CK_FUNCTION_LIST_3_0),
               "one line for each function");

#endif
