/*
 * login: what the gate knows of the user's login to each token: a keyed hash of the PIN that logged in, and
 * the leases of that PIN (lease.h): the grace of a login that the module itself asked for, and batches.
 *
 * Owner: struct login_table is the runtime's. A PIN handed out belongs to the caller.
 * Thread rule: any thread; one lock, held only for memory operations, and only by logins and gated uses.
 */
#ifndef PINWARD_MODULE_LOGIN_H
#define PINWARD_MODULE_LOGIN_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/secret.h"
#include "pkcs11-module/lease.h"
#include "pkcs11-module/p11.h"

struct login;

struct login_table {
    pthread_mutex_t lock;
    struct login *first;
    struct secret *hash_key; /* random, of this initialisation: the hashes are of no use outside it */
    CK_ULONG last_batch;     /* the number that was given last */
};

enum login_pin_verdict {
    LOGIN_PIN_RIGHT,
    LOGIN_PIN_WRONG,
    LOGIN_PIN_UNKNOWN, /* nobody has logged in to this token through the module */
};

/* CKR_HOST_MEMORY when there is no locked memory. */
CK_RV login_table_init(struct login_table *table);
void login_table_clear(struct login_table *table);

/* The token of slot accepted this PIN for CKU_USER. grace_s > 0: the PIN itself is kept, sealed, for the
 * first use within that time. An empty one was typed at the token's own PIN pad: nothing is known of it then,
 * as also after CKR_HOST_MEMORY, and uses that it would be compared with are refused. */
CK_RV login_remember(struct login_table *table, CK_SLOT_ID slot, const void *pin, CK_ULONG pin_len,
                     unsigned grace_s);

/* The login is over (logout, last session closed, new PIN): hash and leases are wiped. */
void login_forget(struct login_table *table, CK_SLOT_ID slot);

/* Is it the PIN that logged in? pin_check counts the wrong ones. */
enum login_pin_verdict login_check_pin(struct login_table *table, CK_SLOT_ID slot, const void *pin,
                                       CK_ULONG pin_len);

/* The user has agreed to a batch with this PIN. terms->number is set: the batch's. CKR_USER_NOT_LOGGED_IN:
 * the login it would belong to is over; CKR_HOST_MEMORY. */
CK_RV login_grant(struct login_table *table, CK_SLOT_ID slot, const void *pin, CK_ULONG pin_len,
                  struct lease_terms *terms);

/* lease_take, lease_end and lease_describe of the login to slot. */
struct secret *login_take_lease(struct login_table *table, CK_SLOT_ID slot, bool grace, CK_ULONG *number);
bool login_end_lease(struct login_table *table, CK_SLOT_ID slot, CK_ULONG number);
CK_ULONG login_describe_batches(struct login_table *table, CK_SLOT_ID slot, struct pinward_batch *batches,
                                CK_ULONG room);

#endif
