/*
 * entry_3: the functions behind the rows of dispatch_3.h: what PKCS#11 3.0 adds. Named by class and name, as entry.h.
 *
 * Where the backend has only 2.40 they answer CKR_FUNCTION_NOT_SUPPORTED; what the gate does by itself (interfaces,
 * ending operations of its own) works there too.
 * Owner: none. Thread rule: any thread, as PKCS#11 allows it.
 */
#ifndef PINWARD_MODULE_ENTRY_3_H
#define PINWARD_MODULE_ENTRY_3_H

#include "pkcs11-module/p11.h"

CK_RV own_C_GetInterfaceList(CK_INTERFACE_PTR interfaces, CK_ULONG_PTR count);
CK_RV own_C_GetInterface(CK_UTF8CHAR_PTR name, CK_VERSION_PTR version, CK_INTERFACE_PTR_PTR interface,
                         CK_FLAGS flags);
CK_RV own_C_LoginUser(CK_SESSION_HANDLE session, CK_USER_TYPE user_type, CK_UTF8CHAR_PTR pin, CK_ULONG pin_len,
                      CK_UTF8CHAR_PTR username, CK_ULONG username_len);
CK_RV own_C_SessionCancel(CK_SESSION_HANDLE session, CK_FLAGS flags);
CK_RV refuse_C_MessageEncryptInit(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key);
CK_RV pass_C_EncryptMessage(CK_SESSION_HANDLE session, CK_VOID_PTR parameter, CK_ULONG parameter_len,
                            CK_BYTE_PTR associated_data, CK_ULONG associated_data_len, CK_BYTE_PTR plaintext,
                            CK_ULONG plaintext_len, CK_BYTE_PTR ciphertext, CK_ULONG_PTR ciphertext_len);
CK_RV pass_C_EncryptMessageBegin(CK_SESSION_HANDLE session, CK_VOID_PTR parameter, CK_ULONG parameter_len,
                                 CK_BYTE_PTR associated_data, CK_ULONG associated_data_len);
CK_RV pass_C_EncryptMessageNext(CK_SESSION_HANDLE session, CK_VOID_PTR parameter, CK_ULONG parameter_len,
                                CK_BYTE_PTR plaintext_part, CK_ULONG plaintext_part_len,
                                CK_BYTE_PTR ciphertext_part, CK_ULONG_PTR ciphertext_part_len, CK_FLAGS flags);
CK_RV pass_C_MessageEncryptFinal(CK_SESSION_HANDLE session);
CK_RV gate_C_MessageDecryptInit(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key);
CK_RV gate_C_DecryptMessage(CK_SESSION_HANDLE session, CK_VOID_PTR parameter, CK_ULONG parameter_len,
                            CK_BYTE_PTR associated_data, CK_ULONG associated_data_len, CK_BYTE_PTR ciphertext,
                            CK_ULONG ciphertext_len, CK_BYTE_PTR plaintext, CK_ULONG_PTR plaintext_len);
CK_RV gate_C_DecryptMessageBegin(CK_SESSION_HANDLE session, CK_VOID_PTR parameter, CK_ULONG parameter_len,
                                 CK_BYTE_PTR associated_data, CK_ULONG associated_data_len);
CK_RV gate_C_DecryptMessageNext(CK_SESSION_HANDLE session, CK_VOID_PTR parameter, CK_ULONG parameter_len,
                                CK_BYTE_PTR ciphertext_part, CK_ULONG ciphertext_part_len,
                                CK_BYTE_PTR plaintext_part, CK_ULONG_PTR plaintext_part_len, CK_FLAGS flags);
CK_RV gate_C_MessageDecryptFinal(CK_SESSION_HANDLE session);
CK_RV gate_C_MessageSignInit(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key);
CK_RV gate_C_SignMessage(CK_SESSION_HANDLE session, CK_VOID_PTR parameter, CK_ULONG parameter_len,
                         CK_BYTE_PTR data, CK_ULONG data_len, CK_BYTE_PTR signature,
                         CK_ULONG_PTR signature_len);
CK_RV gate_C_SignMessageBegin(CK_SESSION_HANDLE session, CK_VOID_PTR parameter, CK_ULONG parameter_len);
CK_RV gate_C_SignMessageNext(CK_SESSION_HANDLE session, CK_VOID_PTR parameter, CK_ULONG parameter_len,
                             CK_BYTE_PTR data, CK_ULONG data_len, CK_BYTE_PTR signature,
                             CK_ULONG_PTR signature_len);
CK_RV gate_C_MessageSignFinal(CK_SESSION_HANDLE session);
CK_RV pass_C_MessageVerifyInit(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key);
CK_RV pass_C_VerifyMessage(CK_SESSION_HANDLE session, CK_VOID_PTR parameter, CK_ULONG parameter_len,
                           CK_BYTE_PTR data, CK_ULONG data_len, CK_BYTE_PTR signature, CK_ULONG signature_len);
CK_RV pass_C_VerifyMessageBegin(CK_SESSION_HANDLE session, CK_VOID_PTR parameter, CK_ULONG parameter_len);
CK_RV pass_C_VerifyMessageNext(CK_SESSION_HANDLE session, CK_VOID_PTR parameter, CK_ULONG parameter_len,
                               CK_BYTE_PTR data, CK_ULONG data_len, CK_BYTE_PTR signature,
                               CK_ULONG signature_len);
CK_RV pass_C_MessageVerifyFinal(CK_SESSION_HANDLE session);

#endif
