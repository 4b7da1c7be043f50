/*
 * asks: the questions that are on the screen now, so that they can be withdrawn: when the session they are for is
 * closed or logged out, and when the module is finalized; and how many protected calls are in the backend, so that
 * it is not finalized under them.
 *
 * Owner: struct asks is the runtime's; a struct ask is the asking thread's, from ask_begin to ask_end.
 * Thread rule: any thread. No lock is held while a question is asked.
 */
#ifndef PINWARD_MODULE_ASKS_H
#define PINWARD_MODULE_ASKS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "pkcs11-module/p11.h"

struct ask {
    CK_SESSION_HANDLE session;
    CK_SLOT_ID slot;
    uint64_t operation; /* its number in the session; 0: it is no operation that can be cancelled by itself */
    int cancel_fd; /* an eventfd, readable once the question is to be withdrawn */
    int cancel_state; /* of the thread: while it asks it cannot be cancelled (pthread_cancel) */
    struct ask *next;
};

struct asks {
    pthread_mutex_t lock;
    pthread_cond_t ended;
    struct ask *open;
    unsigned running; /* protected calls in the backend */
    bool stopping;
};

CK_RV asks_init(struct asks *asks);
void asks_clear(struct asks *asks);

/* Registers a question. CKR_CRYPTOKI_NOT_INITIALIZED while the module is being finalized; CKR_HOST_MEMORY when
 * there is no descriptor left. On CKR_OK ask_end must follow. */
CK_RV ask_begin(struct asks *asks, CK_SESSION_HANDLE session, CK_SLOT_ID slot, struct ask *ask);

/* The same for the operation of that number in the session. */
CK_RV ask_begin_operation(struct asks *asks, CK_SESSION_HANDLE session, CK_SLOT_ID slot, uint64_t operation,
                          struct ask *ask);

/* Until this returns, asks_stop waits: nothing of the runtime may be touched after it without a look at
 * runtime_get. */
void ask_end(struct asks *asks, struct ask *ask);

/* A protected call goes into the backend, and comes back. false: the module is being finalized. */
bool asks_enter(struct asks *asks, int *cancel_state);
void asks_leave(struct asks *asks, int cancel_state);

/* Withdraw the questions of one operation, of one session, of one slot, or (and forbid new ones, and wait for the last) all. */
void asks_withdraw_operation(struct asks *asks, CK_SESSION_HANDLE session, uint64_t operation);
void asks_withdraw_session(struct asks *asks, CK_SESSION_HANDLE session);
void asks_withdraw_slot(struct asks *asks, CK_SLOT_ID slot);
void asks_stop(struct asks *asks);

#endif
