/*
 * quota: how many sessions a client has open, and how many objects it has made that are still there, no more than the
 * configuration allows ([agent] client-sessions, client-objects).
 *
 * A session object counts until it is destroyed or its session ends, an object of the token until the client destroys it.
 * Owner: the tables are the process's. Thread rule: quota_install before the first call; the
 * functions from any thread.
 */
#ifndef PINWARD_AGENT_QUOTA_H
#define PINWARD_AGENT_QUOTA_H

#include "common/config.h"
#include "pkcs11-module/p11.h"

/* Has the functions that open, make, close and destroy go through the counts. CKR_SESSION_COUNT and CKR_DEVICE_MEMORY are
 * what a client is told beyond them. */
void quota_install(const struct config *config, CK_FUNCTION_LIST *functions);

#endif
