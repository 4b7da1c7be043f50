/* Memory that cannot be had: in a scenario of a whole sitting (faults/scenario.h) each allocation fails in turn, alone, and
 * with all that come after it. Each time the calls answer what they may, the one that lacked the memory with
 * CKR_HOST_MEMORY, or with CKR_OK where it can do without, or, where it only got so far because a question could not be
 * put, a decision not be recorded or a configuration not be read, with that; no private key is used without a consent,
 * nothing is left behind, and the scenario then goes well with memory. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "faults/answers.h"
#include "faults/faulty.h"
#include "faults/scenario.h"
#include "faults/starve.h"
#include "fuzz/fuzz.h"
#include "support/process_state.h"

#define HANG_S 20

static const struct scenario_world *world;
static unsigned points, wrong, at;
static bool for_good, lacked;
static unsigned answered[3]; /* CKR_OK, CKR_HOST_MEMORY, another */

static void complain(const char *what, enum p11_call call, CK_RV rv)
{
    wrong++;
    printf("# %s, allocation %u%s: %s: %s answers 0x%lx\n", world->name, at, for_good ? " and all after it" : "", what,
           answers_name(call), rv);
    fflush(stdout);
}

static void tell_point(int number)
{
    printf("# %s, allocation %u%s: the program %s\n", world->name, at, for_good ? " and all after it" : "",
           number == SIGALRM ? "hangs" : "ends");
    fflush(stdout);
    signal(number, SIG_DFL);
    raise(number);
}

static void look_at_answer(const struct scenario_step *step)
{
    if (!answers_allow(step->call, step->rv) && !faulty_answered(step->call, step->rv))
        complain("not an answer of this function", step->call, step->rv);
    if (!lacked && starve_happened()) { /* in this call */
        lacked = true;
        answered[step->well ? 0 : step->rv == CKR_HOST_MEMORY ? 1 : 2]++;
        if (!step->well && step->rv != CKR_HOST_MEMORY && step->rv != CKR_FUNCTION_FAILED &&
            step->rv != CKR_GENERAL_ERROR)
            complain("does not say what it lacked", step->call, step->rv);
    }
    faulty_forget_answers();
}

static void play(unsigned number, bool also_later)
{
    const struct fault none = {.kind = FAULT_NONE};
    const int descriptors = process_descriptors();

    at = number;
    for_good = also_later;
    lacked = false;
    alarm(HANG_S);
    faulty_begin(&none);
    starve_begin(number, also_later);
    scenario_play(world, look_at_answer);
    if (process_descriptors() != descriptors)
        complain("descriptors are left", CALL_C_Finalize, CKR_OK);
}

static void expect_clean_run(void)
{
    play(0, false);
    fuzz_require(scenario_went_well(), "with memory the scenario goes well");
}

static void try(unsigned number, bool also_later)
{
    play(number, also_later);
    points++;
}

static void try_world(void)
{
    unsigned allocations;

    expect_clean_run();
    allocations = starve_count();
    printf("# %s: %u allocations\n", world->name, allocations);
    fuzz_require(allocations > 50, "the scenario allocates often enough");
    for (unsigned number = 1; number <= allocations; number++) {
        try(number, false);
        if (!starve_happened())
            complain("its turn never came", CALL_C_Initialize, CKR_OK);
        try(number, true);
    }
    expect_clean_run();
}

int main(void)
{
    signal(SIGABRT, tell_point);
    signal(SIGSEGV, tell_point);
    signal(SIGALRM, tell_point);
    for (unsigned i = 0; i < scenario_world_count; i++) {
        world = &scenario_worlds[i];
        if (i == 0)
            scenario_play(world, NULL); /* some of what is allocated once stays */
        try_world();
    }
    printf("%u points tried, %u wrong; answered: %u CKR_OK, %u CKR_HOST_MEMORY, %u that something failed\n", points, wrong,
           answered[0], answered[1], answered[2]);
    return wrong == 0 && points > 400 ? 0 : 1;
}
