/*
 * cancel: ends operations before their time: C_SessionCancel (PKCS#11 3.0, 5.6), and a C_*Init whose mechanism is NULL
 * (3.0, 5.8 to 5.14).
 *
 * A protected operation is the gate's own and can be ended on every backend. What runs on the application's session is
 * the backend's, and only a backend of 3.x can end it.
 * Owner: none. Thread rule: any thread; a question on the screen for the operation is withdrawn.
 */
#ifndef PINWARD_MODULE_CANCEL_H
#define PINWARD_MODULE_CANCEL_H

#include "pkcs11-module/p11.h"
#include "pkcs11-module/runtime.h"

/* C_SessionCancel. What the flags name and the gate has, it ends; the rest is the backend's. Where that has only 2.40
 * and there is a rest: CKR_FUNCTION_NOT_SUPPORTED, or CKR_OPERATION_CANCEL_FAILED when a part was ended. */
CK_RV cancel_operations(struct runtime *rt, CK_SESSION_HANDLE handle, CK_FLAGS flags);

/* C_*Init with a NULL mechanism, for the operation that this one flag names. An application of 2.40 means nothing by
 * such a call, so where there is nothing to end, or nobody who could, it gets what it always got: CKR_ARGUMENTS_BAD. */
CK_RV cancel_by_init(struct runtime *rt, CK_SESSION_HANDLE handle, CK_FLAGS flag);
CK_RV cancel_by_init_of_kind(struct runtime *rt, CK_SESSION_HANDLE handle, enum operation_kind kind);

#endif
