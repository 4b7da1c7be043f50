/*
 * batch: the user's consent to many uses at once (include/pinward.h): asking for it, and on what terms.
 *
 * What was agreed to is kept as a lease (lease.h) and taken by consent.c, use by use.
 * Owner: nothing kept. Thread rule: any thread; no lock is held while it asks.
 */
#ifndef PINWARD_MODULE_BATCH_H
#define PINWARD_MODULE_BATCH_H

#include "pkcs11-module/lease.h"
#include "pkcs11-module/p11.h"
#include "pkcs11-module/runtime.h"

/* The application's session, on a token that can have batches, of which *slot is the slot.
 * CKR_SESSION_HANDLE_INVALID; CKR_FUNCTION_NOT_SUPPORTED. */
CK_RV batch_session(struct runtime *rt, CK_SESSION_HANDLE session, CK_SLOT_ID *slot);

/* Asks for a batch on these terms, whose number is then set. CKRs of request_batch (include/pinward.h).
 * Recorded, whatever comes of it but CKR_ARGUMENTS_BAD. */
CK_RV batch_request(struct runtime *rt, CK_SESSION_HANDLE session, struct lease_terms *terms);

#endif
