/*
 * message: signing and decrypting messages (PKCS#11 3.0, 5.11 and 5.14), behind the gate.
 *
 * One Init, then any number of messages, each in one part or in several. With a protected key the process runs on a
 * session beside the application's (gate.h), and every message needs a consent of its own: it is asked for with the
 * message, or where that comes in parts, at its beginning, and it ends with the message.
 *
 * Owner: none. Thread rule: any thread; two threads with the same process get CKR_OPERATION_ACTIVE, never one consent
 * for two messages.
 */
#ifndef PINWARD_MODULE_MESSAGE_H
#define PINWARD_MODULE_MESSAGE_H

#include "pkcs11-module/p11.h"
#include "pkcs11-module/runtime.h"

/* The arguments of a call for one message or a part of one; what a function has not is zero. */
struct message_call {
    enum operation_kind kind; /* OPERATION_MESSAGE_SIGN or OPERATION_MESSAGE_DECRYPT */
    CK_VOID_PTR parameter;
    CK_ULONG parameter_len;
    CK_BYTE_PTR associated; /* data that is authenticated and not encrypted */
    CK_ULONG associated_len;
    CK_BYTE_PTR in;
    CK_ULONG in_len;
    CK_BYTE_PTR out;
    CK_ULONG_PTR out_len;
    CK_FLAGS flags;
};

/* C_SignMessage, C_DecryptMessage. A length query asks nobody. CKR_OPERATION_ACTIVE in the middle of a message that
 * comes in parts. */
CK_RV message_whole(struct runtime *rt, CK_SESSION_HANDLE handle, const struct message_call *call);

/* C_SignMessageBegin, C_DecryptMessageBegin. */
CK_RV message_begin(struct runtime *rt, CK_SESSION_HANDLE handle, const struct message_call *call);

/* C_SignMessageNext, C_DecryptMessageNext. CKR_OPERATION_NOT_INITIALIZED when no message has been begun. */
CK_RV message_next(struct runtime *rt, CK_SESSION_HANDLE handle, const struct message_call *call);

/* C_MessageSignFinal, C_MessageDecryptFinal. */
CK_RV message_final(struct runtime *rt, CK_SESSION_HANDLE handle, enum operation_kind kind);

#endif
