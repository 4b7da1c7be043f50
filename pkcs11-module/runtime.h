/*
 * runtime: everything the module knows while it is initialised, in one mapping that a forked child sees as zeros.
 *
 * Zeros mean "not initialised, no session, no login, every lock free": so the one read that every forwarded call
 * makes tells both whether C_Initialize was called and whether it was called in this very process (PKCS#11 2.40,
 * 6.7.4: a child must initialise anew), and no atfork handler is needed that could outlive dlclose.
 *
 * Owner: the mapping is made by the first C_Initialize and kept; what hangs in it is made by runtime_start and
 * freed by runtime_stop.
 * Thread rule: runtime_backend from anywhere; runtime_start and runtime_stop exclude each other; the rooms below
 * lock their own parts.
 */
#ifndef PINWARD_MODULE_RUNTIME_H
#define PINWARD_MODULE_RUNTIME_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "common/config.h"
#include "pkcs11-module/asks.h"
#include "pkcs11-module/backend.h"
#include "pkcs11-module/cool_down.h"
#include "pkcs11-module/login.h"
#include "pkcs11-module/p11.h"
#include "pkcs11-module/requester.h"
#include "pkcs11-module/retry.h"
#include "pkcs11-module/session.h"

struct runtime {
    /* The one read. Non-NULL from the end of C_Initialize to the start of C_Finalize. Every 2.x and 3.x list
     * begins like CK_FUNCTION_LIST. */
    _Atomic(CK_FUNCTION_LIST *) functions;
    _Atomic(CK_FUNCTION_LIST_3_0 *) functions_3; /* the same, where the backend has 3.0; else NULL */
    bool log_is_open; /* by this very process: a forked child leaves its parent's log, and the log's lock, alone */
    pthread_mutex_t lifecycle; /* C_Initialize and C_Finalize; all zeros is an unlocked mutex in glibc */
    struct backend backend;
    struct config config; /* constant while initialised, and readable until the next C_Initialize */
    char program[REQUESTER_PROGRAM_MAX]; /* whose rules of [app] hold here; "": none */
    struct session_table sessions;
    struct login_table logins;
    struct retry retry;
    struct cool_down cool_down;
    struct asks asks;
};

/* Always points to a readable struct runtime: one of zeros until the first C_Initialize. */
extern struct runtime *_Atomic runtime_mapping;

/* The backend's functions, or NULL when this process has not initialised the module. */
static inline CK_FUNCTION_LIST *runtime_backend(void)
{
    const struct runtime *rt = atomic_load_explicit(&runtime_mapping, memory_order_acquire);

    return atomic_load_explicit(&rt->functions, memory_order_acquire);
}

/* The same for the functions that 3.0 adds; NULL also when the backend has only 2.x: then runtime_lacks_3 is the
 * answer. */
static inline CK_FUNCTION_LIST_3_0 *runtime_backend_3(void)
{
    const struct runtime *rt = atomic_load_explicit(&runtime_mapping, memory_order_acquire);

    return atomic_load_explicit(&rt->functions_3, memory_order_acquire);
}

/* CKR_CRYPTOKI_NOT_INITIALIZED or else CKR_FUNCTION_NOT_SUPPORTED. */
CK_RV runtime_lacks_3(void);

/* The same two for a call with a session. NULL also for a session of the gate's own, whose number a program may guess;
 * runtime_lacks_session and runtime_lacks_session_3 say why. Zeros, when the module is not initialised, hide nothing. */
static inline CK_FUNCTION_LIST *runtime_backend_for(CK_SESSION_HANDLE session)
{
    struct runtime *rt = atomic_load_explicit(&runtime_mapping, memory_order_acquire);
    CK_FUNCTION_LIST *backend = atomic_load_explicit(&rt->functions, memory_order_acquire);

    return backend && !session_is_beside(&rt->sessions, session) ? backend : NULL;
}

static inline CK_FUNCTION_LIST_3_0 *runtime_backend_3_for(CK_SESSION_HANDLE session)
{
    struct runtime *rt = atomic_load_explicit(&runtime_mapping, memory_order_acquire);
    CK_FUNCTION_LIST_3_0 *backend = atomic_load_explicit(&rt->functions_3, memory_order_acquire);

    return backend && !session_is_beside(&rt->sessions, session) ? backend : NULL;
}

/* CKR_CRYPTOKI_NOT_INITIALIZED, or (with 3) CKR_FUNCTION_NOT_SUPPORTED, or else CKR_SESSION_HANDLE_INVALID. */
CK_RV runtime_lacks_session(void);
CK_RV runtime_lacks_session_3(void);

/* The runtime when it is initialised, else NULL. */
struct runtime *runtime_get(void);

/* C_Initialize and C_Finalize. CKRs as the standard names them; CKR_GENERAL_ERROR with a line in the log when the
 * configuration or the backend is at fault. */
CK_RV runtime_start(CK_VOID_PTR init_args);
CK_RV runtime_stop(void);

/* Withdraws every question and asks no other until the next C_Initialize: who asked has gone. Returns when the calls that
 * had been agreed to are over. */
void runtime_withdraw(void);

#endif
