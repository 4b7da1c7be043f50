/*
 * service_user: the user whom the service runs as ([service] user), and how a process becomes that user.
 *
 * Owner: nothing kept. Thread rule: one thread.
 */
#ifndef PINWARD_AGENT_SERVICE_USER_H
#define PINWARD_AGENT_SERVICE_USER_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/error.h"

/* The uid that a name or a number means. false: there is no such user. */
bool service_user_uid(const char *user, uid_t *uid);

/* Becomes the user for good, when this process is root's. Of root's rights one remains where there was it, CAP_SYS_PTRACE:
 * without it the kernel tells no other user's program. What this process executes has none. ERROR_CONFIG: there is no such
 * user, it is root, or this process is another's. */
enum error_code service_user_become(const char *user, struct error *err);

/* As root, and where there is none: a folder of the user's. What lacks is told by whoever uses it. */
void service_user_make_folder(const char *user, const char *path, mode_t mode);

#endif
