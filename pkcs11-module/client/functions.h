/*
 * functions: p11-kit's client module, loaded once: the connection to pinward-agent. p11-kit gives a connection to whoever
 * asks for its list of functions; here everybody in the process gets the same one, so that a login and a batch consent
 * through one are those of the other.
 *
 * Owner: the list is the module's, constant, and ends with it. Thread rule: any thread.
 */
#ifndef PINWARD_CLIENT_FUNCTIONS_H
#define PINWARD_CLIENT_FUNCTIONS_H

#include <stdbool.h>

#include "pkcs11-module/p11.h"

/* false: p11-kit's client is not there, or P11_KIT_SERVER_ADDRESS cannot be understood. */
bool functions_load(void);

/* Once that was true. */
extern CK_FUNCTION_LIST functions_list;

#endif
