/*
 * operation: the data calls that signing and decrypting have in common, behind the gate.
 *
 * Owner: none. Thread rule: any thread.
 */
#ifndef PINWARD_MODULE_OPERATION_H
#define PINWARD_MODULE_OPERATION_H

#include "pkcs11-module/gate.h"
#include "pkcs11-module/p11.h"
#include "pkcs11-module/runtime.h"

/* C_Sign, C_Decrypt. */
typedef CK_RV operation_whole_function(CK_SESSION_HANDLE, CK_BYTE_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG_PTR);
/* C_SignFinal, C_DecryptFinal. */
typedef CK_RV operation_final_function(CK_SESSION_HANDLE, CK_BYTE_PTR, CK_ULONG_PTR);

/* Answers what needs no consent: a length that is known and a buffer that is surely too small. An exact length also after
 * the consent, since softokn ends a signature whose buffer is too small (PKCS#11 2.40, 5.2 has it go on). false: the
 * call is to be made, and the consent asked for if it is still open. */
bool operation_answered_without_consent(const struct gate_turn *turn, CK_BYTE_PTR out, CK_ULONG_PTR out_len, CK_RV *rv);

/* Is it a length query that only the backend can answer, because the key is of a kind that is not known here? */
bool operation_must_query_backend(const struct gate_turn *turn, CK_BYTE_PTR out);

/* One-part operation: consent over all of the data, then the call. A length query asks nobody; neither does a
 * signature that would not fit (PKCS#11 2.40, 5.2). */
CK_RV operation_whole(struct runtime *rt, CK_SESSION_HANDLE handle, enum operation_kind kind,
                      operation_whole_function *function, CK_BYTE_PTR in, CK_ULONG in_len, CK_BYTE_PTR out,
                      CK_ULONG_PTR out_len);

/* The end of a multi-part operation. The consent was given at the first part; it is asked for here only when there
 * was none. */
CK_RV operation_final(struct runtime *rt, CK_SESSION_HANDLE handle, enum operation_kind kind,
                      operation_final_function *function, CK_BYTE_PTR out, CK_ULONG_PTR out_len);

/* C_SignUpdate: the consent is asked for at the first part. */
CK_RV operation_sign_part(struct runtime *rt, CK_SESSION_HANDLE handle, CK_BYTE_PTR part, CK_ULONG part_len);

/* C_DecryptUpdate: the same; a length query before the first part asks nobody. */
CK_RV operation_decrypt_part(struct runtime *rt, CK_SESSION_HANDLE handle, CK_BYTE_PTR encrypted_part,
                             CK_ULONG encrypted_part_len, CK_BYTE_PTR part, CK_ULONG_PTR part_len);

#endif
