#include "support/bad_case.h"

#include <stdio.h>
#include <string.h>

#include "support/pinentry_script.h"
#include "support/test.h"

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
        return (uintptr_t)(i > 0 && p[-1].kind == BAD_POINTER ? world->given + sizeof world->given / 2
                                                              : world->given);
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

static void complain(struct trial *trial, const struct bad_case *bad, const char *about, CK_RV rv,
                     CK_RV expected)
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
    bad_world_ensure_login(trial->world);
    objects = bad_world_count_objects(trial->world);
    if (objects != trial->objects)
        complain(trial, bad, "leaves objects", objects, trial->objects);
}

void bad_case_try(struct trial *trial, const struct bad_case *bad)
{
    struct bad_world *world = trial->world;
    CK_RV rv = CKR_OK;

    trial->number++;
    assert_in_range(trial->number, 1, BAD_CASES_MAX - 1);
    if (bad->expected == NOT_TRIED || (world->mock && bad->expected == AS_BACKEND) ||
        (!world->module && (bad->replaced || bad->other) && bad->expected != AS_BACKEND))
        return;
    bad_world_begin_case(world, !bad->read_only);
    for (unsigned i = 0; i < bad->begun; i++)
        assert_ok(bad_world_begin_operation(world, trial->row->during));
    assert_ok(bad_world_begin_operation(world, bad->other));
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
