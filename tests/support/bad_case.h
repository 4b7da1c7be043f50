/*
 * bad_case: one call that is right but for one thing: made, its answer compared, and what is left of it
 * looked at.
 *
 * Owner: struct trial is bad_input's. Thread rule: one thread.
 */
#ifndef PINWARD_TESTS_BAD_CASE_H
#define PINWARD_TESTS_BAD_CASE_H

#include "support/bad_input.h"

/* One case: the right call but for this. */
struct bad_case {
    const char *what;
    size_t argument; /* which is replaced; 0 in a call that is right in itself replaces nothing */
    bool replaced;
    uintptr_t by;
    bool next_replaced; /* the parameter after it too */
    uintptr_t next_by;
    CK_RV expected;
    unsigned begun;           /* how often the operation is begun */
    enum bad_operation other; /* another one, which is begun too */
    unsigned calls;           /* and the call made; only the last counts */
    bool goes_on;             /* afterwards the right call is still right */
    bool asks;                /* for a PIN */
    bool read_only, logged_out;
};

/* A row that is being tried. */
struct trial {
    struct bad_world *world;
    const struct bad_row *row;
    struct bad_answers *backend;
    size_t number; /* of the case */
    CK_ULONG objects;
    CK_ULONG room;   /* as the case leaves it */
    CK_ULONG needed; /* by the result of the right call */
    CK_ULONG zero, one_less;
    CK_MECHANISM unknown, without;
    CK_ATTRIBUTE lacking[BAD_TEMPLATE_MAX];
    unsigned wrong;
};

/* Makes the call, and tells what is wrong. Its number in the order of all cases goes up in any case. */
void bad_case_try(struct trial *trial, const struct bad_case *bad);

#endif
