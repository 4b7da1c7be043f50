/*
 * service_home: the folder that the service keeps for one of its users, FOLDER/UID: token store, ledger, counter of wrong
 * PINs, cool-down, log. What is one user's is found there only, because a process that serves a connection has no other
 * place in its environment.
 *
 * Owner: the environment is the caller's, to be freed by service_home_free. Thread rule: one thread.
 */
#ifndef PINWARD_AGENT_SERVICE_HOME_H
#define PINWARD_AGENT_SERVICE_HOME_H

#include "common/error.h"
#include "pkcs11-module/agent/service.h"

/* Makes what is not there yet, 0700 and 0600, and a SoftHSM2 store's configuration. *environment: of a process that serves
 * this user, ended by NULL; locale NULL or unfit: the service's own. */
enum error_code service_home_open(const struct service *service, uid_t uid, const char *locale, char ***environment,
                                  struct error *err);
void service_home_free(char **environment);

#endif
