/*
 * service: pinward-agent for several users of a machine, as a user of its own whose files they cannot read: whom
 * it serves, and where it keeps what is theirs ([service] of the configuration).
 *
 * Owner: struct service is the caller's, from service_open to service_clear. Thread rule: one thread.
 */
#ifndef PINWARD_AGENT_SERVICE_H
#define PINWARD_AGENT_SERVICE_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/config.h"
#include "common/error.h"

struct service {
    char *folder;   /* of the users' folders */
    char *clients;  /* as in the configuration; NULL: nobody */
    char *settings; /* the file that was read; each user may have one of their own beside it, users/NAME.conf */
};

/* Copies what it needs. ERROR_CONFIG: no file says whom to serve. */
enum error_code service_open(const struct config *config, struct service *service, struct error *err);
void service_clear(struct service *service);

/* Is this user one that [service] clients names? Groups are looked up anew each time. */
bool service_admits(const struct service *service, uid_t uid);

#endif
