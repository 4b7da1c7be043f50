/*
 * key_birth: which level a key is born with. At high its token is to ask for the PIN itself, where it can.
 *
 * A key's level is that of the rules for its label, its id and its token. The program that makes it does not count:
 * others will use the key too.
 * Owner: nothing kept. Thread rule: any thread.
 */
#ifndef PINWARD_MODULE_KEY_BIRTH_H
#define PINWARD_MODULE_KEY_BIRTH_H

#include "pkcs11-module/key_facts.h"
#include "pkcs11-module/p11.h"
#include "pkcs11-module/runtime.h"

/* Is the private key of this template to be born high? true also when the session, the token or the template do not
 * say enough. */
bool key_birth_is_high(struct runtime *rt, CK_SESSION_HANDLE handle, const CK_ATTRIBUTE *template, CK_ULONG count);

/* What the template says of the key, with level high. false: it contradicts itself or cannot be read. */
bool key_birth_describe(const CK_ATTRIBUTE *template, CK_ULONG count, struct key_facts *facts);

#endif
