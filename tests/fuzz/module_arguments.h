/*
 * module_arguments: what the application of the target "module" knows, and the arguments of its calls, out of the input.
 *
 * Owner: the application's state is kept here; struct arguments is the caller's. Thread rule: one thread.
 */
#ifndef PINWARD_TESTS_MODULE_ARGUMENTS_H
#define PINWARD_TESTS_MODULE_ARGUMENTS_H

#include <stdbool.h>

#include "fuzz/fuzz.h"
#include "pkcs11-module/p11.h"

#define APPLICATION_SESSIONS 4

struct application {
    CK_SESSION_HANDLE sessions[APPLICATION_SESSIONS];
    unsigned next_session;
    CK_OBJECT_HANDLE made; /* the last object that it made */
    CK_ULONG batch;        /* and the last batch */
};
extern struct application application;

#define ARGUMENTS_ROOM   64
#define ARGUMENTS_FILLED 0x5a

/* The arguments of a call, as the input has them. Every output has room behind what is promised. */
struct arguments {
    struct fuzz_input *input;
    CK_SESSION_HANDLE session;
    CK_BYTE out[ARGUMENTS_ROOM];
    CK_ULONG out_len;
    CK_BYTE_PTR out_at; /* out, or NULL */
    CK_MECHANISM mechanism;
    CK_OBJECT_HANDLE second; /* a key in the mechanism's parameter */
    CK_ATTRIBUTE template[4];
    CK_ULONG count;
    CK_BBOOL values[4];
    CK_OBJECT_CLASS object_class;
    CK_BYTE data[8];
    CK_ULONG data_len;
};

/* One of its own sessions; now and then one that it has guessed. */
CK_SESSION_HANDLE take_session(struct fuzz_input *input);
CK_OBJECT_HANDLE take_object(struct fuzz_input *input);

void take_mechanism(struct arguments *a);
void take_data(struct arguments *a);
void take_out(struct arguments *a);
void take_template(struct arguments *a);

/* NULL: the module is to ask. */
CK_BYTE_PTR take_pin(struct arguments *a, CK_ULONG *len, bool *right);

#endif
