/*
 * key_change: would a new label or id bring a private key under a lower rule of the configuration ([key "..."])? Whoever
 * agrees to a new name does not see that the key will be used without being asked for afterwards.
 *
 * Owner: nothing kept. Thread rule: any thread.
 */
#ifndef PINWARD_MODULE_KEY_CHANGE_H
#define PINWARD_MODULE_KEY_CHANGE_H

#include <stdbool.h>

#include "pkcs11-module/key_facts.h"
#include "pkcs11-module/p11.h"
#include "pkcs11-module/runtime.h"

/* With this template's attributes in the place of the key's own, for a change or a copy: lower for any program that the
 * rules name, or for one that they do not? true also when it cannot be told. */
bool key_change_lowers_level(struct runtime *rt, CK_SESSION_HANDLE handle, const struct key_facts *facts,
                             const CK_ATTRIBUTE *template, CK_ULONG count);

#endif
