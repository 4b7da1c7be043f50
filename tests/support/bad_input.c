#include "support/bad_case.h"
#include "support/test.h"

#define NEVER_ISSUED 987654321UL
#define NO_SLOT      4711UL
#define BEYOND       (~0UL) /* bytes, or attributes: no memory holds as many */

static const struct bad_case during = {.begun = 1, .calls = 1};

static void try_replaced(struct trial *trial, size_t argument, const char *what, uintptr_t by, CK_RV expected)
{
    struct bad_case bad = during;

    bad.what = what;
    bad.argument = argument;
    bad.replaced = true;
    bad.by = by;
    bad.expected = expected;
    bad_case_try(trial, &bad);
}

static void try_both_replaced(struct trial *trial, size_t argument, const char *what, uintptr_t by,
                              uintptr_t next_by, CK_RV expected)
{
    struct bad_case bad = during;

    bad.what = what;
    bad.argument = argument;
    bad.replaced = bad.next_replaced = true;
    bad.by = by;
    bad.next_by = next_by;
    bad.expected = expected;
    bad_case_try(trial, &bad);
}

static void try_session(struct trial *trial, size_t i)
{
    CK_SESSION_HANDLE closed;

    bad_world_begin_case(trial->world, true);
    closed = trial->world->session;
    bad_world_end_case(trial->world);
    if (!trial->world->mock) /* which gives the number again at once */
        try_replaced(trial, i, "of a closed session", closed, CKR_SESSION_HANDLE_INVALID);
    try_replaced(trial, i, "0", CK_INVALID_HANDLE, CKR_SESSION_HANDLE_INVALID);
    try_replaced(trial, i, "never issued", NEVER_ISSUED, CKR_SESSION_HANDLE_INVALID);
    try_replaced(trial, i, "the greatest number", ~0UL, CKR_SESSION_HANDLE_INVALID);
}

static void try_object(struct trial *trial, size_t i, const struct bad_parameter *p)
{
    try_replaced(trial, i, "0", CK_INVALID_HANDLE, p->null);
    try_replaced(trial, i, "never issued", NEVER_ISSUED, p->null);
    try_replaced(trial, i, "the greatest number", ~0UL, p->null);
    bad_world_begin_case(trial->world, true);
    bad_world_end_case(trial->world);
    try_replaced(trial, i, "destroyed", trial->world->destroyed, p->null);
}

static void try_mechanism(struct trial *trial, size_t i, const struct bad_parameter *p)
{
    struct bad_case bad = during;

    trial->unknown = trial->without = trial->world->mechanisms[p->which];
    trial->unknown.mechanism = 0x7FFFFFFF;
    trial->without.pParameter = NULL;
    trial->without.ulParameterLen = 24;
    try_replaced(trial, i, "NULL", 0, p->null);
    if (trial->world->mock)
        return;
    bad.argument = i;
    bad.replaced = true;
    bad.what = "unknown";
    bad.by = (uintptr_t)&trial->unknown;
    bad.expected = CKR_MECHANISM_INVALID;
    bad.asks = p->asks;
    bad_case_try(trial, &bad);
    try_replaced(trial, i, "with a length but no parameter", (uintptr_t)&trial->without,
                 p->empty ? p->empty : AS_BACKEND);
}

/* NULL, and nothing: with a length, without, and not NULL without. What is empty may be right, and then the
 * user is asked before the token sees it. */
static void try_empty(struct trial *trial, size_t i, const struct bad_parameter *p, const char *const what[3])
{
    const bool uses_key = (trial->row->flags & BAD_USES_KEY) != 0;
    struct bad_case bad = during;

    bad.argument = i;
    bad.replaced = true;
    bad.what = what[0];
    bad.expected = p->null;
    bad.asks = p->asks;
    bad_case_try(trial, &bad);
    bad.next_replaced = true;
    bad.what = what[1];
    bad.expected = p->asks ? p->null : p->empty;
    bad.asks = p->asks || (uses_key && p->empty != CKR_ARGUMENTS_BAD);
    bad_case_try(trial, &bad);
    bad.next_replaced = false;
    bad.argument = i + 1;
    bad.what = what[2];
    bad.expected = p->empty;
    bad.asks = uses_key && p->empty != CKR_ARGUMENTS_BAD;
    bad_case_try(trial, &bad);
}

static void try_data(struct trial *trial, size_t i, const struct bad_parameter *p)
{
    static const char *const what[] = {"NULL with a length", "NULL without a length", "0"};

    try_empty(trial, i, p, what);
    try_replaced(trial, i + 1, "beyond memory", BEYOND, p[1].null);
}

/* 2.40, 5.2: NULL asks for the length, and a buffer that is too small is told it; the operation goes on. */
static void try_result(struct trial *trial, size_t i)
{
    struct bad_case bad = during;

    try_replaced(trial, i + 1, "NULL", 0, CKR_ARGUMENTS_BAD);
    try_both_replaced(trial, i, "NULL, and NULL its length", 0, 0, CKR_ARGUMENTS_BAD);
    if (trial->row->right != CKR_OK || trial->needed == 0)
        return;
    bad.replaced = bad.goes_on = true;
    bad.argument = i;
    bad.what = "NULL";
    bad.expected = CKR_OK;
    bad_case_try(trial, &bad);
    bad.asks = (trial->row->flags & BAD_ASKS_FOR_ROOM) != 0;
    bad.argument = i + 1;
    bad.what = "no room";
    bad.by = (uintptr_t)&trial->zero;
    bad.expected = CKR_BUFFER_TOO_SMALL;
    trial->zero = 0;
    bad_case_try(trial, &bad);
    bad.what = "room for one byte too few";
    bad.by = (uintptr_t)&trial->one_less;
    trial->one_less = trial->needed - 1;
    bad_case_try(trial, &bad);
}

static void try_template(struct trial *trial, size_t i, const struct bad_parameter *p)
{
    static const char *const what[] = {"NULL with a count", "NULL without a count", "0"};

    try_empty(trial, i, p, what);
    try_replaced(trial, i + 1, "beyond memory", BEYOND, p[1].null);
}

static void try_parameter(struct trial *trial, size_t i)
{
    const struct bad_parameter *p = &trial->row->parameters[i];

    switch (p->kind) {
    case BAD_SESSION:
        try_session(trial, i);
        break;
    case BAD_SLOT:
        try_replaced(trial, i, "a slot that there is not", NO_SLOT, CKR_SLOT_ID_INVALID);
        try_replaced(trial, i, "the greatest number", ~0UL, CKR_SLOT_ID_INVALID);
        break;
    case BAD_OBJECT:
        try_object(trial, i, p);
        break;
    case BAD_POINTER:
        try_replaced(trial, i, "NULL", 0, p->null);
        break;
    case BAD_MECHANISM:
        try_mechanism(trial, i, p);
        break;
    case BAD_DATA:
        try_data(trial, i, p);
        break;
    case BAD_RESULT:
        try_result(trial, i);
        break;
    case BAD_TEMPLATE:
        try_template(trial, i, p);
        break;
    case BAD_END:
    case BAD_NUMBER:
    case BAD_LENGTH:
    case BAD_ROOM:
    case BAD_COUNT:
        break;
    }
}

/* Operations of every other kind in progress, and none of this. */
static void try_other_operations(struct trial *trial)
{
    struct bad_case bad = {
        .what = "another operation begun", .calls = 1, .expected = CKR_OPERATION_NOT_INITIALIZED};

    for (int other = DURING_NOTHING + 1; other < DURINGS; other++) {
        const enum bad_family family = bad_world_family((enum bad_operation)other);

        bad.other = (enum bad_operation)other;
        if (family != FAMILY_OF_THE_MOCK && family != bad_world_family(trial->row->during))
            bad_case_try(trial, &bad);
    }
}

static void try_order(struct trial *trial)
{
    const struct bad_row *row = trial->row;
    const struct bad_case right = {.what = "right",
                                   .begun = 1,
                                   .calls = 1,
                                   .expected = row->right,
                                   .asks = (row->flags & BAD_USES_KEY) != 0};
    struct bad_case bad = right;

    bad_case_try(trial, &right);
    trial->needed = trial->room < sizeof trial->world->result ? trial->room : 0;
    if (row->during != DURING_NOTHING) {
        bad.what = "nothing begun";
        bad.begun = 0;
        bad.asks = false;
        bad.expected = CKR_OPERATION_NOT_INITIALIZED;
        bad_case_try(trial, &bad);
        if (!trial->world->mock)
            try_other_operations(trial);
    }
    bad = right;
    bad.calls = 2;
    if (row->flags & (BAD_BEGINS | BAD_ENDS)) {
        bad.what = row->flags & BAD_BEGINS ? "begun already" : "ended already";
        bad.expected = row->flags & BAD_BEGINS ? CKR_OPERATION_ACTIVE : CKR_OPERATION_NOT_INITIALIZED;
        bad_case_try(trial, &bad);
    }
}

static void try_rights(struct trial *trial)
{
    struct bad_case bad = during;

    if (trial->row->flags & BAD_WRITES) {
        bad.what = "in a session that may not write";
        bad.read_only = true;
        bad.expected = CKR_SESSION_READ_ONLY;
        bad_case_try(trial, &bad);
    }
    bad = during;
    if (trial->row->flags & BAD_NEEDS_LOGIN) {
        bad.what = "logged out";
        bad.logged_out = true;
        bad.expected = trial->row->out;
        bad_case_try(trial, &bad);
    }
}

static void try_reading(struct trial *trial)
{
    const struct bad_case bad = {.what = "in a session that may not write",
                                 .calls = 1,
                                 .read_only = true,
                                 .asks = (trial->row->flags & BAD_USES_KEY) != 0,
                                 .expected = trial->row->right};

    bad_case_try(trial, &bad);
}

unsigned bad_input_try(struct bad_world *world, const struct bad_rows *rows, struct bad_answers *backend)
{
    struct trial trial = {.world = world, .backend = backend, .objects = bad_world_count_objects(world)};

    for (size_t r = 0; r < rows->count; r++) {
        trial.row = &rows->rows[r];
        trial.needed = 0;
        if (trial.row->flags & BAD_ONLY_READING) {
            try_reading(&trial);
            continue;
        }
        try_order(&trial);
        for (size_t i = 0; i < P11_CALL_PARAMETERS_MAX; i++)
            try_parameter(&trial, i);
        try_rights(&trial);
    }
    if (!world->module)
        backend->count = trial.number;
    else if (backend)
        assert_int_equal(trial.number, backend->count);
    return trial.wrong;
}
