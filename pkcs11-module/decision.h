/*
 * decision: what the gate decided, put on record: a line in the log, a line in the ledger (common/ledger.h), and that
 * line to journald or syslog where the configuration says so.
 *
 * Owner: nothing kept. Thread rule: any thread; the ledger's lock is waited for, for at most two seconds, so no lock of
 * the module's may be held.
 */
#ifndef PINWARD_MODULE_DECISION_H
#define PINWARD_MODULE_DECISION_H

#include "pkcs11-module/key_facts.h"
#include "pkcs11-module/lease.h"
#include "pkcs11-module/p11.h"
#include "pkcs11-module/runtime.h"

/* What was decided about. */
struct decision {
    const char *operation; /* policy_use_name, or "login" and the like */
    CK_SLOT_ID slot;
    const struct key_facts *facts; /* NULL: no key is concerned */
    const void *data;              /* all of the data, or NULL */
    CK_ULONG data_len;
    const struct lease_terms *batch; /* that is asked for, or that the use is of; else NULL */
};

/* Records that the decision came out as rv (CKR_OK: allowed), and how: in two or three words of English, for programs.
 * Returns what is to be answered: rv, or CKR_FUNCTION_FAILED when something was allowed that cannot be recorded and the
 * configuration requires it. */
CK_RV decision_record(struct runtime *rt, const struct decision *decision, const char *how, CK_RV rv);

/* The same for a call that is refused before anybody is asked. Returns refusal. */
CK_RV decision_refuse(struct runtime *rt, CK_SESSION_HANDLE session, const struct key_facts *facts,
                      const char *operation, const char *how, CK_RV refusal);

#endif
