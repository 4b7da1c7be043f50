#include "faults/faulty.h"

#include <pthread.h>
#include <stdint.h>
#include <string.h>

/* tests/fuzz/module_backend.c is compiled here under these names, and makes the backend that has the faults. */
#include "fuzz/judge.h"
#include "fuzz/module_token_internal.h"
#include "pkcs11-module/backend.h"
CK_RV careless_open(const char *path, const char *parameters, CK_VOID_PTR given, struct backend *backend);
CK_RV careless_close(struct backend *backend);

static struct fault the_fault;
static unsigned calls;
static enum p11_call functions[FAULTY_CALLS_MAX + 1];
static bool happened;
static CK_RV answers[P11_CALL_COUNT_3_0][8];
static unsigned answer_counts[P11_CALL_COUNT_3_0];
static const CK_FUNCTION_LIST_3_0 *whole; /* the token without faults */

void faulty_begin(const struct fault *fault)
{
    the_fault = *fault;
    calls = 0;
    happened = false;
    faulty_forget_answers();
}

unsigned faulty_calls(void)
{
    return calls;
}

enum p11_call faulty_call(unsigned number)
{
    return functions[number];
}

bool faulty_happened(void)
{
    return happened;
}

bool faulty_answered(enum p11_call call, CK_RV rv)
{
    for (unsigned i = 0; i < answer_counts[call]; i++)
        if (answers[call][i] == rv)
            return true;
    return false;
}

void faulty_forget_answers(void)
{
    memset(answer_counts, 0, sizeof answer_counts);
}

static CK_RV note_answer(enum p11_call call, CK_RV rv)
{
    if (!faulty_answered(call, rv) && answer_counts[call] < sizeof answers[call] / sizeof answers[call][0])
        answers[call][answer_counts[call]++] = rv;
    return rv;
}

/* ------------------------------------------------------------------ before a call and after it */

/* An answer about a key that is not true, instead of none. */
static void tell_judge_of_lie(enum p11_call call)
{
    const CK_RV rv = the_fault.rv;

    if (call == CALL_C_GetAttributeValue &&
        (the_fault.kind == FAULT_LENGTH || rv == CKR_OK || rv == CKR_ATTRIBUTE_TYPE_INVALID ||
         rv == CKR_ATTRIBUTE_SENSITIVE || rv == CKR_BUFFER_TOO_SMALL))
        judge_keys_unknown();
}

/* A token that does not take CKA_ALWAYS_AUTHENTICATE in a template is one that does not have it. */
static void token_lacks_guard(enum p11_call call)
{
    if (call == CALL_C_GenerateKeyPair || call == CALL_C_UnwrapKey || call == CALL_C_CreateObject ||
        call == CALL_C_CopyObject || call == CALL_C_DeriveKey)
        token_habits |= TOKEN_LACKS_GUARD;
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* a program may have two threads */

static enum fault_kind note_call(enum p11_call call, unsigned *number)
{
    const bool turn = the_fault.kind != FAULT_NONE && calls + 1 == the_fault.at;

    *number = ++calls;
    if (calls <= FAULTY_CALLS_MAX)
        functions[calls] = call;
    happened = happened || turn;
    if (turn && the_fault.kind != FAULT_BLOCKS) {
        tell_judge_of_lie(call);
        token_lacks_guard(call);
    }
    return turn || (the_fault.kind == FAULT_GONE && calls > the_fault.at) ? the_fault.kind : FAULT_NONE;
}

/* Other calls come through meanwhile. */
static void block(void)
{
    const struct fault during = the_fault;

    the_fault.kind = FAULT_NONE;
    pthread_mutex_unlock(&lock);
    during.meanwhile();
    pthread_mutex_lock(&lock);
}

/* true: the call is not carried out, and answered with *rv. The lock is held until call_ends. */
static bool call_begins(enum p11_call call, CK_RV *rv, unsigned *number)
{
    enum fault_kind kind;

    pthread_mutex_lock(&lock);
    kind = note_call(call, number);
    if (kind == FAULT_BLOCKS)
        block();
    if (kind != FAULT_REFUSES && kind != FAULT_GONE)
        return false;
    *rv = note_answer(call, the_fault.rv);
    return true;
}

static CK_RV call_ends(CK_RV rv)
{
    pthread_mutex_unlock(&lock);
    return rv;
}

/* Where the function tells a length, or how many. */
static CK_ULONG_PTR length_of(enum p11_call call, const uintptr_t *a)
{
    switch (call) {
    case CALL_C_GetSlotList: return (CK_ULONG_PTR)a[2];
    case CALL_C_FindObjects: return (CK_ULONG_PTR)a[3];
    case CALL_C_GetMechanismList: return (CK_ULONG_PTR)a[2];
    case CALL_C_Sign:
    case CALL_C_Decrypt:
    case CALL_C_SignRecover: return (CK_ULONG_PTR)a[4];
    case CALL_C_SignFinal:
    case CALL_C_DecryptFinal: return (CK_ULONG_PTR)a[2];
    case CALL_C_WrapKey: return (CK_ULONG_PTR)a[5];
    case CALL_C_SignMessage:
    case CALL_C_SignMessageNext:
    case CALL_C_DecryptMessageNext:
    case CALL_C_EncryptMessageNext: return (CK_ULONG_PTR)a[6];
    case CALL_C_DecryptMessage:
    case CALL_C_EncryptMessage: return (CK_ULONG_PTR)a[8];
    default: return NULL;
    }
}

static void lie_about_lengths(enum p11_call call, const uintptr_t *a)
{
    CK_ULONG_PTR len = length_of(call, a);

    if (len)
        *len = the_fault.len;
    for (CK_ULONG i = 0; call == CALL_C_GetAttributeValue && i < (CK_ULONG)a[3]; i++)
        ((CK_ATTRIBUTE_PTR)a[2])[i].ulValueLen = the_fault.len;
}

static CK_RV answer(enum p11_call call, CK_RV rv, const uintptr_t *a, unsigned number)
{
    if (number == the_fault.at && the_fault.kind == FAULT_LIES)
        rv = the_fault.rv;
    if (number == the_fault.at && the_fault.kind == FAULT_LENGTH && rv == CKR_OK)
        lie_about_lengths(call, a);
    return note_answer(call, rv);
}

/* ------------------------------------------------------------------ the functions */

#define FAULTY(name, parameters, given, ...)                                                                 \
    static CK_RV faulty_##name parameters                                                                    \
    {                                                                                                        \
        unsigned number;                                                                                     \
        CK_RV rv = CKR_OK;                                                                                   \
                                                                                                             \
        if (!call_begins(CALL_##name, &rv, &number))                                                         \
            rv = answer(CALL_##name, whole->name given, (uintptr_t[]){__VA_ARGS__}, number);                 \
        return call_ends(rv);                                                                                \
    }
#define A(n) (uintptr_t) a##n
#define FAULTY1(name, T1) FAULTY(name, (T1 a1), (a1), A(1))
#define FAULTY2(name, T1, T2) FAULTY(name, (T1 a1, T2 a2), (a1, a2), A(1), A(2))
#define FAULTY3(name, T1, T2, T3) FAULTY(name, (T1 a1, T2 a2, T3 a3), (a1, a2, a3), A(1), A(2), A(3))
#define FAULTY4(name, T1, T2, T3, T4)                                                                        \
    FAULTY(name, (T1 a1, T2 a2, T3 a3, T4 a4), (a1, a2, a3, a4), A(1), A(2), A(3), A(4))
#define FAULTY5(name, T1, T2, T3, T4, T5)                                                                    \
    FAULTY(name, (T1 a1, T2 a2, T3 a3, T4 a4, T5 a5), (a1, a2, a3, a4, a5), A(1), A(2), A(3), A(4), A(5))
#define FAULTY6(name, T1, T2, T3, T4, T5, T6)                                                                \
    FAULTY(name, (T1 a1, T2 a2, T3 a3, T4 a4, T5 a5, T6 a6), (a1, a2, a3, a4, a5, a6), A(1), A(2), A(3), A(4), \
           A(5), A(6))
#define FAULTY8(name, T1, T2, T3, T4, T5, T6, T7, T8)                                                        \
    FAULTY(name, (T1 a1, T2 a2, T3 a3, T4 a4, T5 a5, T6 a6, T7 a7, T8 a8), (a1, a2, a3, a4, a5, a6, a7, a8), \
           A(1), A(2), A(3), A(4), A(5), A(6), A(7), A(8))
#define FAULTY7(name, T1, T2, T3, T4, T5, T6, T7)                                                            \
    FAULTY(name, (T1 a1, T2 a2, T3 a3, T4 a4, T5 a5, T6 a6, T7 a7), (a1, a2, a3, a4, a5, a6, a7), A(1), A(2), \
           A(3), A(4), A(5), A(6), A(7))
#define FAULTY9(name, T1, T2, T3, T4, T5, T6, T7, T8, T9)                                                    \
    FAULTY(name, (T1 a1, T2 a2, T3 a3, T4 a4, T5 a5, T6 a6, T7 a7, T8 a8, T9 a9),                            \
           (a1, a2, a3, a4, a5, a6, a7, a8, a9), A(1), A(2), A(3), A(4), A(5), A(6), A(7), A(8), A(9))
P11_CALLS(FAULTY1, FAULTY2, FAULTY3, FAULTY4, FAULTY5, FAULTY6, FAULTY8)
P11_CALLS_3_0(FAULTY1, FAULTY2, FAULTY3, FAULTY4, FAULTY5, FAULTY6, FAULTY7, FAULTY8, FAULTY9)

#define MEMBER(name, ...) .name = faulty_##name,
static CK_FUNCTION_LIST_3_0 list = {
    .version = {3, 0},
    P11_CALLS(MEMBER, MEMBER, MEMBER, MEMBER, MEMBER, MEMBER, MEMBER)
    P11_CALLS_3_0(MEMBER, MEMBER, MEMBER, MEMBER, MEMBER, MEMBER, MEMBER, MEMBER, MEMBER)
};

/* The careless token has no C_Initialize and no C_Finalize that could fail. */
CK_RV backend_open(const char *path, const char *parameters, CK_VOID_PTR given, struct backend *backend)
{
    CK_RV rv = CKR_OK;
    unsigned number;

    if (call_begins(CALL_C_Initialize, &rv, &number) && rv != CKR_OK)
        return call_ends(rv);
    rv = call_ends(careless_open(path, parameters, given, backend));
    whole = (const CK_FUNCTION_LIST_3_0 *)backend->functions;
    backend->functions = (CK_FUNCTION_LIST *)&list;
    backend->functions_3 = backend->functions_3 ? &list : NULL;
    return rv;
}

CK_RV backend_close(struct backend *backend)
{
    CK_RV rv = CKR_OK;
    unsigned number;

    (void)call_begins(CALL_C_Finalize, &rv, &number);
    (void)careless_close(backend);
    return call_ends(rv);
}
