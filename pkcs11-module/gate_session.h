/*
 * gate_session: the application's sessions, told from the gate's own.
 *
 * Owner: a record that is handed out is to be put back (session_put). Thread rule: any thread.
 */
#ifndef PINWARD_MODULE_GATE_SESSION_H
#define PINWARD_MODULE_GATE_SESSION_H

#include "pkcs11-module/p11.h"
#include "pkcs11-module/runtime.h"

/* The session's record, adopted when the host opened the session around the module; to be put back.
 * CKR_SESSION_HANDLE_INVALID also for the gate's own. */
CK_RV gate_session(struct runtime *rt, CK_SESSION_HANDLE handle, struct session **session);

/* Is it one of the gate's own sessions, which the application must not reach? */
bool gate_session_is_beside(struct runtime *rt, CK_SESSION_HANDLE handle);

/* C_GetSessionInfo of a session that the application may use: CKR_SESSION_HANDLE_INVALID for the gate's own. */
CK_RV gate_session_info(struct runtime *rt, CK_SESSION_HANDLE handle, CK_SESSION_INFO_PTR info);

/* Has it been closed since it was found? */
bool gate_session_is_closed(struct session *session);

#endif
