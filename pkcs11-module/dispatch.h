/*
 * dispatch: one row for each of the 68 functions of PKCS#11 2.40, in the order of CK_FUNCTION_LIST; dispatch_3.h has
 * the rows of the 24 that 3.0 adds.
 *
 *   PASS    forwarded unchanged, after the one read that tells whether this very process has initialised and, for a
 *           call with a session, the one that tells that the gate has none of its own open
 *   OWN     Pinward answers, or changes what the token's own answer says
 *   GATE    may use a private key: only after its user has agreed
 *   REFUSE  is not meant for private keys and could be a way around the gate: refused for them, forwarded for
 *           everything else
 *
 * The function of a row is its class and its name (pass_C_GetSlotList, gate_C_Sign): a row that claims another
 * class than its function has does not link, a function without a row does not compile.
 */
#ifndef PINWARD_MODULE_DISPATCH_H
#define PINWARD_MODULE_DISPATCH_H

#include "pkcs11-module/p11.h"

#define DISPATCH_ROWS(X)                                                                                     \
    X(C_Initialize, own)                                                                                     \
    X(C_Finalize, own)                                                                                       \
    X(C_GetInfo, own)                                                                                        \
    X(C_GetFunctionList, own)                                                                                \
    X(C_GetSlotList, pass)                                                                                   \
    X(C_GetSlotInfo, pass)                                                                                   \
    X(C_GetTokenInfo, own)                                                                                   \
    X(C_GetMechanismList, pass)                                                                              \
    X(C_GetMechanismInfo, pass)                                                                              \
    X(C_InitToken, own)                                                                                      \
    X(C_InitPIN, own)                                                                                        \
    X(C_SetPIN, own)                                                                                         \
    X(C_OpenSession, own)                                                                                    \
    X(C_CloseSession, own)                                                                                   \
    X(C_CloseAllSessions, own)                                                                               \
    X(C_GetSessionInfo, pass)                                                                                \
    X(C_GetOperationState, own)                                                                              \
    X(C_SetOperationState, refuse)                                                                           \
    X(C_Login, own)                                                                                          \
    X(C_Logout, own)                                                                                         \
    X(C_CreateObject, own)                                                                                   \
    X(C_CopyObject, gate)                                                                                    \
    X(C_DestroyObject, gate)                                                                                 \
    X(C_GetObjectSize, pass)                                                                                 \
    X(C_GetAttributeValue, own)                                                                              \
    X(C_SetAttributeValue, gate)                                                                             \
    X(C_FindObjectsInit, own)                                                                                \
    X(C_FindObjects, own)                                                                                    \
    X(C_FindObjectsFinal, pass)                                                                              \
    X(C_EncryptInit, refuse)                                                                                 \
    X(C_Encrypt, pass)                                                                                       \
    X(C_EncryptUpdate, pass)                                                                                 \
    X(C_EncryptFinal, pass)                                                                                  \
    X(C_DecryptInit, gate)                                                                                   \
    X(C_Decrypt, gate)                                                                                       \
    X(C_DecryptUpdate, gate)                                                                                 \
    X(C_DecryptFinal, gate)                                                                                  \
    X(C_DigestInit, pass)                                                                                    \
    X(C_Digest, pass)                                                                                        \
    X(C_DigestUpdate, pass)                                                                                  \
    X(C_DigestKey, refuse)                                                                                   \
    X(C_DigestFinal, pass)                                                                                   \
    X(C_SignInit, gate)                                                                                      \
    X(C_Sign, gate)                                                                                          \
    X(C_SignUpdate, gate)                                                                                    \
    X(C_SignFinal, gate)                                                                                     \
    X(C_SignRecoverInit, gate)                                                                               \
    X(C_SignRecover, gate)                                                                                   \
    X(C_VerifyInit, pass)                                                                                    \
    X(C_Verify, pass)                                                                                        \
    X(C_VerifyUpdate, pass)                                                                                  \
    X(C_VerifyFinal, pass)                                                                                   \
    X(C_VerifyRecoverInit, pass)                                                                             \
    X(C_VerifyRecover, pass)                                                                                 \
    X(C_DigestEncryptUpdate, pass)                                                                           \
    X(C_DecryptDigestUpdate, gate)                                                                           \
    X(C_SignEncryptUpdate, gate)                                                                             \
    X(C_DecryptVerifyUpdate, gate)                                                                           \
    X(C_GenerateKey, refuse)                                                                                 \
    X(C_GenerateKeyPair, own)                                                                                \
    X(C_WrapKey, gate)                                                                                       \
    X(C_UnwrapKey, gate)                                                                                     \
    X(C_DeriveKey, gate)                                                                                     \
    X(C_SeedRandom, pass)                                                                                    \
    X(C_GenerateRandom, pass)                                                                                \
    X(C_GetFunctionStatus, pass)                                                                             \
    X(C_CancelFunction, pass)                                                                                \
    X(C_WaitForSlotEvent, pass)

/* The lists that are handed out (C_GetFunctionList, C_GetInterface); never changed. */
extern CK_FUNCTION_LIST dispatch_list;
extern CK_FUNCTION_LIST_3_0 dispatch_list_3_0;

#endif
