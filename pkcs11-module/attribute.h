/*
 * attribute: one attribute of an object read from the backend, into a buffer of the gate's own.
 *
 * The backend is asked for the length first, and never given a buffer that is too small: NSS's softokn writes the whole
 * value of a session object's attribute, whatever room it is told there is (PKCS#11 2.40, 5.7 has it refuse). Such a
 * value can have any length: an application makes the object.
 *
 * Owner: nothing kept; the caller's buffer. Thread rule: any thread; the session's rules are the backend's.
 */
#ifndef PINWARD_MODULE_ATTRIBUTE_H
#define PINWARD_MODULE_ATTRIBUTE_H

#include <stdbool.h>

#include "pkcs11-module/p11.h"

/* CKR_OK: value holds *len bytes, at most size. CKR_BUFFER_TOO_SMALL: it is longer. Else the backend's answer. *len is
 * then untouched. */
CK_RV attribute_read(CK_FUNCTION_LIST *backend, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                     CK_ATTRIBUTE_TYPE type, void *value, CK_ULONG size, CK_ULONG *len);

/* A CK_BBOOL; otherwise: when the backend does not say it, or not as one byte. */
bool attribute_read_bool(CK_FUNCTION_LIST *backend, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                         CK_ATTRIBUTE_TYPE type, bool otherwise);

/* How long it is; 0 when the backend does not say. */
CK_ULONG attribute_length(CK_FUNCTION_LIST *backend, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                          CK_ATTRIBUTE_TYPE type);

#endif
