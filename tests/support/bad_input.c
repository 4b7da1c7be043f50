#include "support/bad_input.h"

#include <stdio.h>
#include <string.h>

#include "support/pinentry_script.h"
#include "support/test.h"

#define NEVER_ISSUED 987654321UL
#define NO_SLOT      4711UL
#define BEYOND       (~0UL) /* bytes, or attributes: no memory holds as many */

/* One case: the right call but for this. */
struct bad_case {
    const char *what;
    size_t argument;     /* which is replaced; 0 in a call that is right in itself replaces nothing */
    bool replaced;
    uintptr_t by;
    bool next_replaced;  /* the parameter after it too */
    uintptr_t next_by;
    CK_RV expected;
    unsigned begun;      /* how often the operation is begun */
    unsigned calls;      /* and the call made; only the last counts */
    bool goes_on;        /* afterwards the right call is still right */
    bool asks;           /* for a PIN */
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

/* ------------------------------------------------------------------ one call */

static uintptr_t right_argument(const struct trial *trial, size_t i)
{
    struct bad_world *world = trial->world;
    const struct bad_parameter *p = &trial->row->parameters[i];

    switch (p->kind) {
    case BAD_END:
        return 0;
    case BAD_SESSION:
        return world->session;
    case BAD_SLOT:
        return world->slot;
    case BAD_NUMBER:
        return p->which;
    case BAD_OBJECT:
        return world->objects[p->which];
    case BAD_POINTER:
        /* Two may be given out at once. */
        return (uintptr_t)(i > 0 && p[-1].kind == BAD_POINTER ? world->given + sizeof world->given / 2 : world->given);
    case BAD_MECHANISM:
        return (uintptr_t)&world->mechanisms[p->which];
    case BAD_DATA:
        return (uintptr_t)world->data[p->which].bytes;
    case BAD_LENGTH:
        return world->data[p[-1].which].len;
    case BAD_RESULT:
        return (uintptr_t)world->result;
    case BAD_ROOM:
        return (uintptr_t)&world->room;
    case BAD_TEMPLATE:
        return (uintptr_t)world->templates[p->which].attributes;
    case BAD_COUNT:
        return world->templates[p[-1].which].count;
    }
    return 0;
}

static CK_RV call(const struct trial *trial, const struct bad_case *bad)
{
    uintptr_t v[P11_CALL_PARAMETERS_MAX];

    for (size_t i = 0; i < P11_CALL_PARAMETERS_MAX; i++) {
        if (trial->row->parameters[i].kind == BAD_RESULT)
            trial->world->room = sizeof trial->world->result / trial->row->parameters[i].which;
        v[i] = right_argument(trial, i);
    }
    if (bad->replaced)
        v[bad->argument] = bad->by;
    if (bad->next_replaced)
        v[bad->argument + 1] = bad->next_by;
    return p11_makers_3_0[trial->row->call].make(&trial->world->list, v);
}

/* ------------------------------------------------------------------ one case */

static void complain(struct trial *trial, const struct bad_case *bad, const char *about, CK_RV rv, CK_RV expected)
{
    const char *name = p11_makers_3_0[trial->row->call].name;

    trial->wrong++;
    if (bad->replaced)
        printf("# %s, argument %zu %s: %s 0x%lx, not 0x%lx\n", name, bad->argument + 1, bad->what, about, rv,
               expected);
    else
        printf("# %s, %s: %s 0x%lx, not 0x%lx\n", name, bad->what, about, rv, expected);
}

/* What is to come out: the row's word, or the backend's. */
static CK_RV expected_answer(const struct trial *trial, const struct bad_case *bad)
{
    return bad->expected == AS_BACKEND ? trial->backend->rv[trial->number] : bad->expected;
}

static void compare(struct trial *trial, const struct bad_case *bad, CK_RV rv)
{
    const CK_RV expected = expected_answer(trial, bad);

    if (!trial->world->module)
        trial->backend->rv[trial->number] = rv;
    else if (rv != expected && !((trial->row->flags & BAD_LACKED) && rv == CKR_FUNCTION_NOT_SUPPORTED))
        complain(trial, bad, "answers", rv, expected);
}

static void answer_with_pins(struct bad_world *world, unsigned pins)
{
    char script[256] = "";

    for (unsigned i = 0; i < pins; i++)
        strcat(script, "pin " FIXTURE_PIN "\n");
    if (world->module)
        script_set(world->fx, script);
}

static void check_asked(struct trial *trial, const struct bad_case *bad)
{
    const int expected = bad->asks ? 1 : 0;
    int asked;

    if (!trial->world->module)
        return;
    asked = script_asked(trial->world->fx);
    if (asked != expected)
        complain(trial, bad, "asks", (CK_RV)asked, (CK_RV)expected);
}

/* Nothing came of the bad call: the operation is where it was, the token has what it had. */
static void check_aftermath(struct trial *trial, const struct bad_case *bad)
{
    const struct bad_case right = {.what = bad->what};
    CK_ULONG objects;
    CK_RV rv;

    if (bad->goes_on && trial->world->module) {
        answer_with_pins(trial->world, 1);
        rv = call(trial, &right);
        if (rv != trial->row->right)
            complain(trial, bad, "and then the right call answers", rv, trial->row->right);
    }
    bad_world_end_case(trial->world);
    if (bad->logged_out)
        return;
    bad_world_begin_case(trial->world, true);
    bad_world_end_case(trial->world);
    objects = bad_world_count_objects(trial->world);
    if (objects != trial->objects)
        complain(trial, bad, "leaves objects", objects, trial->objects);
}

static void try_case(struct trial *trial, const struct bad_case *bad)
{
    struct bad_world *world = trial->world;
    CK_RV rv = CKR_OK;

    trial->number++;
    assert_in_range(trial->number, 1, BAD_CASES_MAX - 1);
    if (bad->expected == NOT_TRIED || (!world->module && bad->replaced && bad->expected != AS_BACKEND))
        return;
    bad_world_begin_case(world, !bad->read_only);
    for (unsigned i = 0; i < bad->begun; i++)
        assert_ok(bad_world_begin_operation(world, trial->row->during));
    if (bad->logged_out)
        bad_world_log_out(world);
    answer_with_pins(world, bad->calls);
    for (unsigned i = 0; i < bad->calls; i++)
        rv = call(trial, bad);
    trial->room = world->room;
    compare(trial, bad, rv);
    check_asked(trial, bad);
    check_aftermath(trial, bad);
}

/* ------------------------------------------------------------------ the cases of a row */

static const struct bad_case during = {.begun = 1, .calls = 1};

static void try_replaced(struct trial *trial, size_t argument, const char *what, uintptr_t by, CK_RV expected)
{
    struct bad_case bad = during;

    bad.what = what;
    bad.argument = argument;
    bad.replaced = true;
    bad.by = by;
    bad.expected = expected;
    try_case(trial, &bad);
}

static void try_both_replaced(struct trial *trial, size_t argument, const char *what, uintptr_t by, uintptr_t next_by,
                              CK_RV expected)
{
    struct bad_case bad = during;

    bad.what = what;
    bad.argument = argument;
    bad.replaced = bad.next_replaced = true;
    bad.by = by;
    bad.next_by = next_by;
    bad.expected = expected;
    try_case(trial, &bad);
}

static void try_session(struct trial *trial, size_t i)
{
    CK_SESSION_HANDLE closed;

    bad_world_begin_case(trial->world, true);
    closed = trial->world->session;
    bad_world_end_case(trial->world);
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
    bad.argument = i;
    bad.replaced = true;
    bad.what = "unknown";
    bad.by = (uintptr_t)&trial->unknown;
    bad.expected = CKR_MECHANISM_INVALID;
    bad.asks = p->asks;
    try_case(trial, &bad);
    try_replaced(trial, i, "with a length but no parameter", (uintptr_t)&trial->without, p->empty ? p->empty : AS_BACKEND);
}

/* NULL, and nothing: with a length, without, and not NULL without. What is empty may be right, and then the user is asked
 * before the token sees it. */
static void try_empty(struct trial *trial, size_t i, const struct bad_parameter *p, const char *const what[3])
{
    const bool uses_key = (trial->row->flags & BAD_USES_KEY) != 0;
    struct bad_case bad = during;

    bad.argument = i;
    bad.replaced = true;
    bad.what = what[0];
    bad.expected = p->null;
    bad.asks = p->asks;
    try_case(trial, &bad);
    bad.next_replaced = true;
    bad.what = what[1];
    bad.expected = p->asks ? p->null : p->empty;
    bad.asks = p->asks || (uses_key && p->empty != CKR_ARGUMENTS_BAD);
    try_case(trial, &bad);
    bad.next_replaced = false;
    bad.argument = i + 1;
    bad.what = what[2];
    bad.expected = p->empty;
    bad.asks = uses_key && p->empty != CKR_ARGUMENTS_BAD;
    try_case(trial, &bad);
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
    try_case(trial, &bad);
    bad.asks = (trial->row->flags & BAD_ASKS_FOR_ROOM) != 0;
    bad.argument = i + 1;
    bad.what = "no room";
    bad.by = (uintptr_t)&trial->zero;
    bad.expected = CKR_BUFFER_TOO_SMALL;
    trial->zero = 0;
    try_case(trial, &bad);
    bad.what = "room for one byte too few";
    bad.by = (uintptr_t)&trial->one_less;
    trial->one_less = trial->needed - 1;
    try_case(trial, &bad);
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

static void try_order(struct trial *trial)
{
    const struct bad_row *row = trial->row;
    const struct bad_case right = {
        .what = "right", .begun = 1, .calls = 1, .expected = row->right, .asks = (row->flags & BAD_USES_KEY) != 0};
    struct bad_case bad = right;

    try_case(trial, &right);
    trial->needed = trial->room < sizeof trial->world->result ? trial->room : 0;
    if (row->during != DURING_NOTHING) {
        bad.what = "nothing begun";
        bad.begun = 0;
        bad.asks = false;
        bad.expected = CKR_OPERATION_NOT_INITIALIZED;
        try_case(trial, &bad);
    }
    bad = right;
    bad.calls = 2;
    if (row->flags & (BAD_BEGINS | BAD_ENDS)) {
        bad.what = row->flags & BAD_BEGINS ? "begun already" : "ended already";
        bad.expected = row->flags & BAD_BEGINS ? CKR_OPERATION_ACTIVE : CKR_OPERATION_NOT_INITIALIZED;
        try_case(trial, &bad);
    }
}

static void try_rights(struct trial *trial)
{
    struct bad_case bad = during;

    if (trial->row->flags & BAD_WRITES) {
        bad.what = "in a session that may not write";
        bad.read_only = true;
        bad.expected = CKR_SESSION_READ_ONLY;
        try_case(trial, &bad);
    }
    bad = during;
    if (trial->row->flags & BAD_NEEDS_LOGIN) {
        bad.what = "logged out";
        bad.logged_out = true;
        bad.expected = trial->row->out;
        try_case(trial, &bad);
    }
}

unsigned bad_input_try(struct bad_world *world, const struct bad_rows *rows, struct bad_answers *backend)
{
    struct trial trial = {.world = world, .backend = backend, .objects = bad_world_count_objects(world)};

    for (size_t r = 0; r < rows->count; r++) {
        trial.row = &rows->rows[r];
        trial.needed = 0;
        try_order(&trial);
        for (size_t i = 0; i < P11_CALL_PARAMETERS_MAX; i++)
            try_parameter(&trial, i);
        try_rights(&trial);
    }
    if (!world->module)
        backend->count = trial.number;
    else
        assert_int_equal(trial.number, backend->count);
    return trial.wrong;
}
