/*
 * login: what the gate knows of the user's login to each token: a keyed hash of the PIN that logged in, and, for a short grace after a login that the module itself asked for, that PIN, for one use.
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
#include "pkcs11-module/p11.h"

struct login;

struct login_table {
    pthread_mutex_t lock;
    struct login *first;
    struct secret *hash_key; /* random, of this initialisation: the hashes are of no use outside it */
};

enum login_pin_verdict {
    LOGIN_PIN_RIGHT,
    LOGIN_PIN_WRONG,
    LOGIN_PIN_UNKNOWN, /* nobody has logged in to this token through the module */
};

/* CKR_HOST_MEMORY when there is no locked memory. */
CK_RV login_table_init(struct login_table *table);
void login_table_clear(struct login_table *table);

/* The token of slot accepted this PIN for CKU_USER. grace_s > 0: the PIN itself is kept, sealed, for the first use
 * within that time. An empty one was typed at the token's own PIN pad: nothing is known of it then, as also after
 * CKR_HOST_MEMORY, and uses that it would be compared with are refused. */
CK_RV login_remember(struct login_table *table, CK_SLOT_ID slot, const void *pin, CK_ULONG pin_len, unsigned grace_s);

/* The login is over (logout, last session closed, new PIN): hash and PIN are wiped. */
void login_forget(struct login_table *table, CK_SLOT_ID slot);

/* Is it the PIN that logged in? pin_check counts the wrong ones. */
enum login_pin_verdict login_check_pin(struct login_table *table, CK_SLOT_ID slot, const void *pin, CK_ULONG pin_len);

/* The PIN of a login that is still in its grace, which is thereby used up; NULL when there is none. */
struct secret *login_take_grace(struct login_table *table, CK_SLOT_ID slot);

#endif
