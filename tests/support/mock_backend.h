/*
 * mock_backend: a PKCS#11 module that records every call, and answers the few that the gate itself needs from
 * a table that the test writes. For what a real backend cannot be made to do: reuse handles, be careless, be
 * broken.
 *
 * Owner: the one struct mock_backend is the library's; a test reaches it with dlsym("mock_backend").
 * Thread rule: calls from any thread; the test reads and writes the struct (but for what is atomic) while no other
 *   thread is in a call.
 */
#ifndef PINWARD_TESTS_MOCK_BACKEND_H
#define PINWARD_TESTS_MOCK_BACKEND_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "support/p11_calls.h"

#define MOCK_OBJECTS  16
#define MOCK_SESSIONS 64

struct mock_object {
    CK_OBJECT_CLASS object_class;
    CK_KEY_TYPE key_type;
    CK_BBOOL always_authenticate;
    bool exists;
    bool without_class; /* the backend does not say what it is */
    bool carries;       /* it is fit to wrap private keys, */
    CK_ATTRIBUTE_TYPE but; /* but for this attribute, which has the other value */
};

#define MOCK_SEEN 8

/* An attribute of a template as it was when the call came: its value too, as far as there is room. */
struct mock_seen {
    CK_ATTRIBUTE_TYPE type;
    CK_ULONG len;
    CK_BYTE value[16];
};

#define MOCK_PARAMETER_MAX 64

/* The mechanism of an operation, as a backend finds it that keeps the pointer of the Init call and reads it when the data
 * comes; for CKM_RSA_PKCS_OAEP with what its source points to. */
struct mock_mechanism {
    CK_MECHANISM_TYPE type;
    CK_ULONG len;
    CK_BYTE parameter[MOCK_PARAMETER_MAX];
    CK_BYTE source[16];
};

struct mock_backend {
    /* The last call of each function, and what it is to answer. */
    unsigned calls[P11_CALL_COUNT_3_0];
    uintptr_t arguments[P11_CALL_COUNT_3_0][P11_CALL_PARAMETERS_MAX];
    CK_RV answers[P11_CALL_COUNT_3_0];
    unsigned order[P11_CALL_COUNT_3_0]; /* the number, among all calls, of its last; 0: none */

    /* The template of the last C_SetAttributeValue, C_CopyObject or C_UnwrapKey, and what that one unwrapped; or what the last
     * C_Sign, C_SignRecover or C_Decrypt was about. */
    struct mock_seen seen[MOCK_SEEN];
    CK_ULONG seen_count;
    CK_BYTE seen_data[16];

    /* The first bytes of each argument of the last call for a message (a whole one, or a beginning) that points to bytes,
     * and, when there is one, the text of 8 bytes that it leaves in the parameter. */
    CK_BYTE message_bytes[P11_CALL_PARAMETERS_MAX][8];
    const char *message_parameter;
    bool checks_sessions; /* whatever the call: CKR_SESSION_HANDLE_INVALID for one that is not open */

    /* Of the last C_SignInit, C_SignRecoverInit or C_DecryptInit, when it keeps them. */
    bool keeps_mechanisms;
    const CK_MECHANISM *kept;
    CK_MECHANISM_TYPE begun_with; /* the type at the Init call */
    struct mock_mechanism used;   /* at the last data call */

    /* Calls that take their time. */
    long delay_ms[P11_CALL_COUNT_3_0];
    _Atomic unsigned inside;        /* calls that are taking it now */
    _Atomic unsigned inside_most;   /* ... that ever were at once */
    _Atomic bool finalized_under_a_call;

    /* What the functions that the gate needs answer from. The object with handle n is objects[n]. */
    struct mock_object objects[MOCK_OBJECTS];
    CK_SESSION_HANDLE next_session;
    bool reuses_sessions; /* C_OpenSession gives the lowest number that is free, below MOCK_SESSIONS */
    bool session_open[MOCK_SESSIONS];
    CK_STATE session_state;
    CK_FLAGS token_flags;
    const char *token_label; /* NULL: "Mock" */
    CK_FLAGS slot_flags;
    CK_OBJECT_HANDLE found[MOCK_OBJECTS]; /* by a search, whatever its template, and where it has got to */
    CK_ULONG found_count, found_next;
    CK_OBJECT_HANDLE copied; /* what C_CopyObject makes; 0: it does not say */

    /* Called in the midst of C_Initialize and C_Finalize: what a backend does that comes back to the module. */
    void (*meanwhile)(enum p11_call call);

    /* What C_Initialize was given. */
    char init_reserved[128];
    CK_FLAGS init_flags;
    bool cannot_lock; /* it has no locks of the system's: CKR_CANT_LOCK */
    bool init_functions; /* there was one for mutexes among it */

    /* How the library presents itself. */
    CK_RV list_answer; /* of C_GetFunctionList */
    bool no_list;      /* CKR_OK, and no list */
    CK_VERSION version;
    CK_VERSION version_3; /* of the list that C_GetInterface gives; 0.0: it gives none */
    bool exact_version;   /* it wants to be asked for a version */
    int left_out; /* the function (enum p11_call) whose pointer is NULL; -1: none */
};

#endif
