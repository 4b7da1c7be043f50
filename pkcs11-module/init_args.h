/*
 * init_args: what C_Initialize was given, judged, and what the backend is given for it (PKCS#11 2.40, 5.4).
 *
 * The gate locks with the system's mutexes, and so does the backend, always: a host that says nothing of threads has
 * them all the same more often than not, and functions of the host's might be gone with the part of it that they came
 * from.
 *
 * Owner: plain values; what they point to stays the caller's. Thread rule: none.
 */
#ifndef PINWARD_MODULE_INIT_ARGS_H
#define PINWARD_MODULE_INIT_ARGS_H

#include <stdbool.h>

#include "pkcs11-module/p11.h"

/* NSS has a member for parameters where the standard has pReserved, and pReserved behind it. */
struct init_args {
    CK_C_INITIALIZE_ARGS args;
    CK_VOID_PTR reserved_behind;
};

/* The flags as the host gave them, for a backend that cannot lock with the system's mutexes and says so. false: the host
 * has threads, there is nothing more to try. */
bool init_args_give_up_locking(const CK_C_INITIALIZE_ARGS *given, struct init_args *taken);

/* given may be NULL; parameters, unless NULL, take the place of pReserved. CKR_ARGUMENTS_BAD: some of the four mutex
 * functions and not all. CKR_CANT_LOCK: the host wants its own to be used, and nothing else. */
CK_RV init_args_take(const CK_C_INITIALIZE_ARGS *given, const char *parameters, struct init_args *taken);

#endif
