/*
 * serve_consent: batch consent for the client of a connection: the agent's end of consent_wire.h. What is granted belongs
 * to the connection's process, and ends with it.
 *
 * Owner: none. Thread rule: any thread, like the functions that these stand for.
 */
#ifndef PINWARD_AGENT_SERVE_CONSENT_H
#define PINWARD_AGENT_SERVE_CONSENT_H

#include "pkcs11-module/p11.h"

/* Has the three functions that carry it look for it first. */
void serve_consent_install(CK_FUNCTION_LIST *functions);

#endif
