/*
 * faulty: a token that fails as it is told, as the gate's backend. Takes the place of pkcs11-module/backend.c; behind it is
 * the careless token of tests/fuzz/module_token.h, which tells the judge of all that it is made to do with a private key.
 *
 * Every call that reaches it is numbered, from 1 on after faulty_begin.
 * Owner: everything is kept here. Thread rule: any thread calls its functions, one does the rest.
 */
#ifndef PINWARD_TESTS_FAULTY_H
#define PINWARD_TESTS_FAULTY_H

#include <stdbool.h>

#include "support/p11_calls.h"

enum fault_kind {
    FAULT_NONE,
    FAULT_REFUSES, /* the call is not carried out, and answered with rv; CKR_OK too */
    FAULT_LIES,    /* it is carried out, and answered with rv */
    FAULT_LENGTH,  /* it is carried out, and every length that it tells is len */
    FAULT_GONE,    /* this call and all later ones are not carried out, and answered with rv: the token was pulled */
    FAULT_BLOCKS,  /* meanwhile is called before it is carried out */
};

struct fault {
    enum fault_kind kind;
    unsigned at; /* the number of the call */
    CK_RV rv;
    CK_ULONG len;
    void (*meanwhile)(void);
};

void faulty_begin(const struct fault *fault);

/* How many calls came, which function the one with that number was of (up to FAULTY_CALLS_MAX), and whether the fault's
 * turn came. */
#define FAULTY_CALLS_MAX 512
unsigned faulty_calls(void);
enum p11_call faulty_call(unsigned number);
bool faulty_happened(void);

/* Did the token answer a call of this function with rv since faulty_forget_answers? */
bool faulty_answered(enum p11_call call, CK_RV rv);
void faulty_forget_answers(void);

#endif
