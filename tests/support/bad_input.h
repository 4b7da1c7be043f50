/*
 * bad_input: calls that are right but for one thing, for every function of PKCS#11, and what the standard
 * answers.
 *
 * A row is one function's right call: what each parameter is, what must be in progress in its session, what
 * it answers. The cases come from the row: the right call; no operation in progress; begun twice; called
 * again; each session closed or never opened; each slot that there is not; each object unknown or destroyed;
 * each pointer NULL; each length 0 or beyond memory; each buffer too small; nobody logged in; a session that
 * may not write.
 *
 * Where the standard leaves the answer open, a row says AS_BACKEND: the same case is tried on the backend
 * without the module first, and both must answer alike.
 *
 * Owner: struct bad_world is the test program's. Thread rule: one thread.
 */
#ifndef PINWARD_TESTS_BAD_INPUT_H
#define PINWARD_TESTS_BAD_INPUT_H

#include "support/bad_world.h"

#define AS_BACKEND (CKR_VENDOR_DEFINED | 0x1001UL)
#define NOT_TRIED                                                                                            \
    (CKR_VENDOR_DEFINED | 0x1002UL) /* nobody can tell: such a call has promised memory that is not there */
#define NOT_SUPPORTED CKR_FUNCTION_NOT_SUPPORTED

enum bad_kind {
    BAD_END,
    BAD_SESSION,
    BAD_SLOT,
    BAD_NUMBER,    /* number; nothing can be wrong with it */
    BAD_OBJECT,    /* which: enum bad_object; null: what an unknown one is answered */
    BAD_POINTER,   /* room for what is given out; null: what NULL is answered */
    BAD_MECHANISM, /* which: enum bad_mechanism; null */
    BAD_DATA,      /* which: enum bad_data; null: NULL with a length; empty: with none. BAD_LENGTH follows */
    BAD_LENGTH,    /* null: what a length beyond memory is answered */
    BAD_RESULT,    /* a buffer that may be NULL to ask for the length (2.40, 5.2), of things of which bytes.
                      BAD_ROOM follows */
    BAD_ROOM,
    BAD_TEMPLATE, /* which: enum bad_template; null: NULL with a count; empty: with none. BAD_COUNT follows */
    BAD_COUNT,    /* null: what a count beyond memory is answered */
};

struct bad_parameter {
    enum bad_kind kind;
    uintptr_t which;
    CK_RV null;
    CK_RV empty;
    bool asks; /* a wrong one makes the module ask for a PIN: only the token knows that it is wrong */
};

#define P_SESSION                                                                                            \
    {                                                                                                        \
        .kind = BAD_SESSION                                                                                  \
    }
#define P_SLOT                                                                                               \
    {                                                                                                        \
        .kind = BAD_SLOT                                                                                     \
    }
#define P_NUMBER(n)                                                                                          \
    {                                                                                                        \
        .kind = BAD_NUMBER, .which = (n)                                                                     \
    }
#define P_OBJECT(object, unknown)                                                                            \
    {                                                                                                        \
        .kind = BAD_OBJECT, .which = (object), .null = (unknown)                                             \
    }
#define P_POINTER                                                                                            \
    {                                                                                                        \
        .kind = BAD_POINTER, .null = CKR_ARGUMENTS_BAD                                                       \
    }
#define P_OPTIONAL(null_)                                                                                    \
    {                                                                                                        \
        .kind = BAD_POINTER, .null = (null_)                                                                 \
    }
#define P_MECHANISM(mechanism)                                                                               \
    {                                                                                                        \
        .kind = BAD_MECHANISM, .which = (mechanism), .null = CKR_ARGUMENTS_BAD                               \
    }
/* One that the gate copies before it asks, and one that only the token can judge besides. */
#define P_MECHANISM_COPIED(mechanism, asks_)                                                                 \
    {                                                                                                        \
        .kind = BAD_MECHANISM, .which = (mechanism), .null = CKR_ARGUMENTS_BAD,                              \
        .empty = CKR_MECHANISM_PARAM_INVALID, .asks = (asks_)                                                \
    }
#define P_DATA(data, empty_, huge)                                                                           \
    {.kind = BAD_DATA, .which = (data), .null = CKR_ARGUMENTS_BAD, .empty = (empty_)},                       \
    {                                                                                                        \
        .kind = BAD_LENGTH, .null = (huge)                                                                   \
    }
/* A PIN: NULL has a meaning with or without a length (a protected path), and nobody reads 4 GiB of it. */
#define P_PIN(null_, empty_, huge, asks_)                                                                    \
    {.kind = BAD_DATA, .which = DATA_PIN, .null = (null_), .empty = (empty_), .asks = (asks_)},              \
    {                                                                                                        \
        .kind = BAD_LENGTH, .null = (huge)                                                                   \
    }
/* Where one-part and multi-part calls are mixed, whatever else is wrong. */
#define P_DATA_AS_BACKEND(data)                                                                              \
    {.kind = BAD_DATA, .which = (data), .null = AS_BACKEND, .empty = AS_BACKEND},                            \
    {                                                                                                        \
        .kind = BAD_LENGTH, .null = NOT_TRIED                                                                \
    }
#define P_RESULT                                                                                             \
    {.kind = BAD_RESULT, .which = 1},                                                                        \
    {                                                                                                        \
        .kind = BAD_ROOM                                                                                     \
    }
#define P_RESULT_OF(type)                                                                                    \
    {.kind = BAD_RESULT, .which = sizeof(type)},                                                             \
    {                                                                                                        \
        .kind = BAD_ROOM                                                                                     \
    }
#define P_TEMPLATE(template, empty_, huge)                                                                   \
    {.kind = BAD_TEMPLATE, .which = (template), .null = CKR_ARGUMENTS_BAD, .empty = (empty_)},               \
    {                                                                                                        \
        .kind = BAD_COUNT, .null = (huge)                                                                    \
    }

/* What can be said of a row besides. */
enum {
    BAD_BEGINS = 1,         /* begins an operation: CKR_OPERATION_ACTIVE when there is one */
    BAD_ENDS = 2,           /* ends one: CKR_OPERATION_NOT_INITIALIZED when called again */
    BAD_USES_KEY = 4,       /* the right call asks for the PIN */
    BAD_WRITES = 8,         /* to the token: CKR_SESSION_READ_ONLY in a session that may not */
    BAD_ASKS_FOR_ROOM = 64, /* only the token knows how much room the right call needs */
    BAD_LACKED =
        128, /* the backend does not have the function: what the gate leaves to it may be answered so */
    BAD_ONLY_READING =
        256, /* not to be made but in a session that may not write: there `right` is the answer */
    BAD_NEEDS_LOGIN = 16, /* nobody logged in: out says what is answered */
};

struct bad_row {
    enum p11_call call;
    CK_RV right;
    enum bad_operation during;
    unsigned flags;
    CK_RV out;
    struct bad_parameter parameters[P11_CALL_PARAMETERS_MAX];
};

/* A room of the standard's functions. */
struct bad_rows {
    const struct bad_row *rows;
    size_t count;
};

/* The answers of the backend, by the number of the case. */
#define BAD_CASES_MAX 2048
struct bad_answers {
    CK_RV rv[BAD_CASES_MAX];
    size_t count;
};

/* Tries every case of the rows. With a world without the module the answers are noted; with one that has it
 * they are compared, and whatever is wrong is told. The number of wrong ones. */
unsigned bad_input_try(struct bad_world *world, const struct bad_rows *rows, struct bad_answers *backend);

#endif
