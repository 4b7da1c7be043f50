/*
 * consent: the vendor interface of include/pinward.h, as pinward-client.so has it: the client's end of consent_wire.h.
 *
 * Owner: the list is constant. Thread rule: any thread.
 */
#ifndef PINWARD_CLIENT_CONSENT_H
#define PINWARD_CLIENT_CONSENT_H

#include "pkcs11-module/p11.h"

#include "include/pinward.h"

extern const struct pinward_consent_functions consent_list;

#endif
