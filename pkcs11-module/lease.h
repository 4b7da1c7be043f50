/*
 * lease: a user's PIN, kept sealed for a number of uses within a time: the grace of a login (one use), or a
 * batch that the user has agreed to.
 *
 * Owner: a list of leases belongs to its login (login.c); a PIN handed out belongs to the caller.
 * Thread rule: one thread at a time; the login table's lock is held.
 */
#ifndef PINWARD_MODULE_LEASE_H
#define PINWARD_MODULE_LEASE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/secret.h"
#include "pkcs11-module/p11.h"

#include "include/pinward.h"

#define LEASE_GRACE 0UL /* the number of a login's grace */

struct lease;

/* What is agreed to. */
struct lease_terms {
    CK_ULONG number; /* LEASE_GRACE, or a batch's */
    CK_ULONG uses;
    CK_ULONG time_s;
    const char *purpose; /* NULL: none */
};

/* A new lease in the list. CKR_HOST_MEMORY. */
CK_RV lease_add(struct lease **list, const struct lease_terms *terms, const void *pin, CK_ULONG pin_len);

/* Those whose time is over are wiped. */
void lease_expire(struct lease **list);

/* A copy of the PIN for one use, which is thereby spent, of the lease that ends first; *number is the
 * lease's. grace: a login's will do. NULL: there is none, or no locked memory. */
struct secret *lease_take(struct lease **list, bool grace, CK_ULONG *number);

/* Wipes the lease of this number, or with PINWARD_ALL_BATCHES every one. false: there was none. */
bool lease_end(struct lease **list, CK_ULONG number);

/* The number of batches; the first room of them are described in batches. */
CK_ULONG lease_describe(const struct lease *list, struct pinward_batch *batches, CK_ULONG room);

#endif
