/*
 * entry_consent: the functions of the vendor interface (include/pinward.h).
 *
 * Owner: the list is constant. Thread rule: any thread.
 */
#ifndef PINWARD_MODULE_ENTRY_CONSENT_H
#define PINWARD_MODULE_ENTRY_CONSENT_H

#include "pkcs11-module/p11.h"

#include "include/pinward.h"

extern const struct pinward_consent_functions entry_consent_list;

#endif
