/*
 * session: what the gate remembers of each open session: the operation in progress of each kind, and the facts
 * about the keys it has met.
 *
 * An operation with a protected key does not run on the application's session but on one of its own, opened beside
 * it (struct operation's "on"): to end an operation that the user refused, whatever the backend, is to close that
 * session; nothing of it can be saved with C_GetOperationState or reached by another call.
 *
 * Owner: struct session_table is the runtime's; a struct session belongs to the table and to every thread between
 *   its session_get and session_put.
 * Thread rule: any thread; the table is cut into shards, each with its own lock, so that threads with different
 *   sessions do not meet. A session's own lock guards its members and is never held during a call to the backend
 *   or a question to the user. Only the backend's own opening and closing of sessions goes one at a time.
 */
#ifndef PINWARD_MODULE_SESSION_H
#define PINWARD_MODULE_SESSION_H

#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "pkcs11-module/key_facts.h"
#include "pkcs11-module/mechanism.h"
#include "pkcs11-module/p11.h"
#include "pkcs11-module/policy.h"
#include "pkcs11-module/search.h"

enum operation_kind {
    OPERATION_SIGN,
    OPERATION_SIGN_RECOVER,
    OPERATION_DECRYPT,
    OPERATION_MESSAGE_SIGN, /* the process, over all its messages (PKCS#11 3.0, 5.14) */
    OPERATION_MESSAGE_DECRYPT,
    OPERATION_KINDS
};

enum operation_state {
    OPERATION_NONE,      /* none that needs a consent: whatever runs on the application's own session is forwarded */
    OPERATION_WAITING,   /* needs a consent that has not been given */
    OPERATION_ASKING,    /* a thread is asking for it */
    OPERATION_CONSENTED, /* given, for this operation and no other */
    OPERATION_RUNNING,   /* a thread is in the backend with it */
};

/* An operation with a protected key. A thread that is asking for it or running it owns it: whoever wants to end it
 * meanwhile (a logout, a closed session) marks it as doomed, and the owner ends it when it comes back. */
struct operation {
    enum operation_state state;
    bool doomed;
    bool cancelled; /* doomed by the application itself (C_SessionCancel) */
    bool begun;     /* a message that comes in parts, consented to, is being processed */
    CK_SESSION_HANDLE on;   /* the session beside, on which the backend runs it */
    struct mechanism *with; /* what it was begun with there: a backend may read it again when the data comes */
    CK_OBJECT_HANDLE key;
    uint64_t serial; /* tells this operation from a later one of the same session and kind */
    unsigned wrong_pins; /* that the application has brought for it */
    bool bound;      /* the consent was for one piece of data, whole: */
    unsigned char digest[crypto_generichash_BYTES];
    struct key_facts facts;
};

/* What is left of an operation that is over: to be closed and freed, by session_close_beside, once no lock is held. */
struct operation_rest {
    CK_SESSION_HANDLE on; /* CK_INVALID_HANDLE: nothing is left */
    struct mechanism *with;
};

/* Forgets the operation, with the session's lock held. */
struct operation_rest operation_end(struct operation *operation);

#define SESSION_FACTS_KEPT 4

struct session {
    CK_SESSION_HANDLE handle;
    CK_SLOT_ID slot;
    CK_FLAGS flags; /* of C_OpenSession: CKF_RW_SESSION decides how the session beside it is opened */
    bool beside;    /* opened by the gate: the application does not know it, and must not reach it by guessing */
    pthread_mutex_t lock;
    bool closed;
    uint64_t next_serial;
    struct operation operations[OPERATION_KINDS];
    /* Operations that need no consent run on the application's own session. begun: there has been one, so data calls may
     * be forwarded, and the backend says whether it is still there. active: it is, as far as its answers tell. */
    struct {
        bool begun, active;
    } free[OPERATION_KINDS];
    int64_t presented_end_ms; /* a PIN presented for a single call counts until then (CLOCK_BOOTTIME); 0: none */
    struct {
        CK_OBJECT_HANDLE object;
        uint64_t epoch; /* of the table when they were read; 0: empty */
        struct key_facts facts;
    } facts[SESSION_FACTS_KEPT];
    unsigned facts_next;
    bool token_known;
    struct policy_token token; /* which the session is on; read with the first facts */
    struct search_wish search;   /* of the search in progress */
    CK_OBJECT_HANDLE no_profile; /* the object last seen to be none, */
    uint64_t no_profile_epoch;   /* and when, as with facts */

    unsigned references; /* this and what follows is guarded by the shard's lock */
    uint64_t visited;    /* the last round of session_end_operations that came by */
    struct session *next;
};

#define SESSION_SHARDS 64

struct session_table {
    pthread_mutex_t backend_lock; /* of session_backend_open and its fellows: held during that one call, no other lock inside */
    struct {
        _Alignas(64) pthread_mutex_t lock;
        struct session *first;
    } shards[SESSION_SHARDS];
    /* Raised whenever a handle may have come to mean another object; facts of an older epoch are read again. */
    _Alignas(64) _Atomic uint64_t facts_epoch;
    _Atomic uint64_t rounds; /* of session_end_operations */
    _Atomic unsigned beside; /* sessions of the gate's own in the table */
    /* What keys are judged by. The lock is held for a judgement only, when facts are read for the first time. */
    pthread_mutex_t policy_lock;
    const struct config *config; /* NULL: every key is high */
    const char *program;
    enum policy_trust trust;
};

/* C_OpenSession, C_CloseSession and C_CloseAllSessions of the backend, one at a time: not every backend keeps its table of
 * sessions together when threads open and close some at once (tpm2-pkcs11 1.9 gives one number twice), and the gate opens
 * and closes far more of them than the application. */
CK_RV session_backend_open(struct session_table *table, CK_FUNCTION_LIST *backend, CK_SLOT_ID slot, CK_FLAGS flags,
                           CK_VOID_PTR application, CK_NOTIFY notify, CK_SESSION_HANDLE *handle);
CK_RV session_backend_close(struct session_table *table, CK_FUNCTION_LIST *backend, CK_SESSION_HANDLE handle);
CK_RV session_backend_close_all(struct session_table *table, CK_FUNCTION_LIST *backend, CK_SLOT_ID slot);

/* Records a session that the backend has just opened; what was known of an earlier one with the same handle is
 * dropped. beside: it is the gate's own. CKR_HOST_MEMORY. */
CK_RV session_add(struct session_table *table, CK_SESSION_HANDLE handle, CK_SLOT_ID slot, CK_FLAGS flags, bool beside);

/* The session, to be given back with session_put; NULL when it is not known. */
struct session *session_get(struct session_table *table, CK_SESSION_HANDLE handle);
void session_put(struct session_table *table, struct session *session);

/* Is it a session of the gate's own? One read while there is none, since every call that is passed on asks. */
bool session_is_one_beside(struct session_table *table, CK_SESSION_HANDLE handle);
static inline bool session_is_beside(struct session_table *table, CK_SESSION_HANDLE handle)
{
    return atomic_load(&table->beside) > 0 && session_is_one_beside(table, handle);
}

/* Takes the session out of the table and ends its operations (closing what runs beside it). */
void session_remove(struct session_table *table, CK_FUNCTION_LIST *backend, CK_SESSION_HANDLE handle);

/* The same for every session of a slot. */
void session_remove_slot(struct session_table *table, CK_FUNCTION_LIST *backend, CK_SLOT_ID slot);

/* Ends the operations of every session of the slot that need or have a consent: after a logout. */
void session_end_operations(struct session_table *table, CK_FUNCTION_LIST *backend, CK_SLOT_ID slot);

/* Closes the session beside, unless it is gone already with all sessions of its slot, and frees what it was used with. */
void session_close_beside(struct session_table *table, CK_FUNCTION_LIST *backend, const struct operation_rest *rest);

/* Is any session of the application's on the slot read-only? */
bool session_any_read_only(struct session_table *table, CK_SLOT_ID slot);

/* true when a session of the application's is open on the slot. */
bool session_any_on_slot(struct session_table *table, CK_SLOT_ID slot);

/* Forgets every session without a call to the backend: for C_Finalize, which closes them itself. */
void session_table_clear(struct session_table *table);

/* Keys whose facts are read from now on are judged by this configuration, for this program (NULL: not known) and trust. With
 * config NULL they are high, and the one that was given before is no longer used when the call returns. */
void session_table_judge_by(struct session_table *table, const struct config *config, const char *program,
                            enum policy_trust trust);

/* Facts about an object, read and judged once a session and epoch. CKRs of key_facts_read and C_GetTokenInfo. */
CK_RV session_key_facts(struct session_table *table, CK_FUNCTION_LIST *backend, struct session *session,
                        CK_OBJECT_HANDLE object, struct key_facts *facts);

/* The level that a private key will have of which these facts are known so far, whatever program uses it. */
CK_RV session_new_key_level(struct session_table *table, CK_FUNCTION_LIST *backend, struct session *session,
                            const struct key_facts *facts, enum config_level *level);

/* Is the level of the second facts lower than that of the first, for any program that a rule names, or for one that none
 * does? */
CK_RV session_change_lowers_level(struct session_table *table, CK_FUNCTION_LIST *backend, struct session *session,
                                  const struct key_facts *before, const struct key_facts *after, bool *lowers);

/* Handles may have changed their meaning: every fact is read again before it is next relied on. */
void session_forget_facts(struct session_table *table);

#endif
