/*
 * export: private keys that can leave their token: when one may be made, and under which key one may leave.
 *
 * Both are decided by [module] export. With "never" no private key is born extractable, and one that is (it was there
 * before) leaves only under a key that nobody can know. With "ask" a program may have one made, and may take one out
 * under a session key of its own, each time when the user agrees with the PIN: whatever the level of the key, and
 * never by the grace of a login.
 * Owner: nothing kept. Thread rule: any thread; no lock is held during a call to the backend or a question to the user.
 */
#ifndef PINWARD_MODULE_EXPORT_H
#define PINWARD_MODULE_EXPORT_H

#include "pkcs11-module/key_facts.h"
#include "pkcs11-module/p11.h"
#include "pkcs11-module/runtime.h"

/* Does the template of a private key ask, once and clearly, for CKA_EXTRACTABLE, and may it? */
bool export_may_be_born(const struct runtime *rt, const CK_ATTRIBUTE *template, CK_ULONG count);

/* Consent to a new private key that can leave its token. facts: what the template says of it. CKRs of
 * gate_agree_once. */
CK_RV export_agree_to_birth(struct runtime *rt, CK_SESSION_HANDLE session, const struct key_facts *facts);

/* May a private key leave under the key `carrier`, by this mechanism, and then as which use? CKR_KEY_UNEXTRACTABLE,
 * CKR_KEY_NOT_WRAPPABLE; CKR_MECHANISM_INVALID: by another it may. */
CK_RV export_permit(struct runtime *rt, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE carrier,
                    const struct key_facts *carrier_facts, CK_MECHANISM_TYPE mechanism, const struct key_facts *facts,
                    enum policy_use *use);

/* Consent to that use. CKRs of gate_agree_once. */
CK_RV export_agree(struct runtime *rt, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key, const struct key_facts *facts,
                   enum policy_use use);

#endif
