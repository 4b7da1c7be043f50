/*
 * module_calls_internal: what the files of the application share: module_calls.c (sessions, logins, batches, and what
 * happens outside), module_calls_operation.c (what begins with an Init call), module_calls_object.c (keys and objects).
 *
 * Owner: none. Thread rule: one thread.
 */
#ifndef PINWARD_TESTS_MODULE_CALLS_INTERNAL_H
#define PINWARD_TESTS_MODULE_CALLS_INTERNAL_H

#include "fuzz/module_arguments.h"
#include "pkcs11-module/dispatch.h"

#define CALLS_OF_OPERATIONS 26
#define CALLS_OF_OBJECTS    14

/* The call of this number. */
CK_RV calls_operation(struct arguments *a, uint8_t which);
CK_RV calls_object(struct arguments *a, uint8_t which);

#endif
