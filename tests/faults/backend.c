/* A backend that fails. In a scenario of a whole sitting (faults/scenario.h) every call that reaches the token
 *
 *  - is answered with each CKR there is, CKR_OK too, without being carried out;
 *  - is carried out and answered with an error;
 *  - is answered as by a token that was pulled, and so are all later ones;
 *  - tells lengths that are zero, one too many, far too many, or CK_UNAVAILABLE_INFORMATION;
 *  - blocks, while another thread goes on with its own session.
 *
 * Each time the gate answers what the standard lets the function answer, or what the token itself answered to that
 * function; no private key is used without a consent, none becomes weaker, no session and no descriptor is left; and the
 * scenario then goes well without the fault.
 *
 * PINWARD_FAULTS=all: all of it; else every so many of these points, so that each call and each fault has some. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "faults/answers.h"
#include "faults/faulty.h"
#include "faults/scenario.h"
#include "fuzz/fuzz.h"
#include "fuzz/judge.h"
#include "pkcs11-module/dispatch.h"
#include "support/process_state.h"

#define EVERY     89 /* in the short form; no divisor of the number of points at a call */
#define HANG_S    20
#define BLOCKED_S 5

static const struct scenario_world *world;
static unsigned points, wrong;
static unsigned complaints[P11_CALL_COUNT_3_0][P11_CALL_COUNT_3_0]; /* about an answer of the first, when the second failed */
static struct fault fault;

/* ------------------------------------------------------------------ one point */

static void complain(const char *what, const struct scenario_step *step)
{
    static const char *const kinds[] = {"nothing", "refuses", "lies", "tells lengths", "is gone", "blocks"};

    wrong++;
    if (step && ++complaints[step->call][faulty_call(fault.at)] > 1)
        return; /* the first of a kind is enough */
    printf("# %s: call %u (%s) %s, 0x%lx, length %lu: %s", world->name, fault.at, answers_name(faulty_call(fault.at)),
           kinds[fault.kind], fault.rv, fault.len, what);
    if (step)
        printf(": %s answers 0x%lx", answers_name(step->call), step->rv);
    printf("\n");
    fflush(stdout);
}

/* What the token said to the function itself is passed on as it is. */
static void look_at_answer(const struct scenario_step *step)
{
    if (!answers_allow(step->call, step->rv) && !faulty_answered(step->call, step->rv))
        complain("not an answer of this function", step);
    faulty_forget_answers();
}

static void try(const struct fault *tried)
{
    const int descriptors = process_descriptors();

    fault = *tried;
    alarm(HANG_S); /* a hang ends the program */
    faulty_begin(&fault);
    scenario_play(world, look_at_answer);
    if (!faulty_happened())
        complain("its turn never came", NULL);
    if (process_descriptors() != descriptors)
        complain("descriptors are left", NULL);
    points++;
}

static void expect_clean_run(void)
{
    const struct fault none = {.kind = FAULT_NONE};

    faulty_begin(&none);
    scenario_play(world, NULL);
    if (!scenario_went_well())
        complain("afterwards the scenario does not go well", NULL);
}

/* A violation, a crash or a hang ends the program: at which point? */
static void tell_point(int number)
{
    complain(number == SIGALRM ? "hangs" : "ends the program", NULL);
    fflush(stdout);
    signal(number, SIG_DFL);
    raise(number);
}

/* ------------------------------------------------------------------ the faults of one call */

static bool try_all;

/* In the short form one of so many points is tried: others in each world. */
static bool is_due(void)
{
    static unsigned asked;

    return try_all || asked++ % EVERY == 0;
}

static void try_if_due(const struct fault *tried)
{
    if (is_due())
        try(tried);
}

static void try_answers(unsigned at)
{
    for (unsigned i = 0; i < answers_count; i++)
        try_if_due(&(struct fault){.kind = FAULT_REFUSES, .at = at, .rv = answers_all[i]});
    for (unsigned i = 1; i < answers_count; i += 9)
        try_if_due(&(struct fault){.kind = FAULT_LIES, .at = at, .rv = answers_all[i]});
}

static void try_removal(unsigned at)
{
    static const CK_RV gone[] = {CKR_DEVICE_REMOVED, CKR_TOKEN_NOT_PRESENT, CKR_SESSION_HANDLE_INVALID};

    for (size_t i = 0; i < sizeof gone / sizeof gone[0]; i++)
        try_if_due(&(struct fault){.kind = FAULT_GONE, .at = at, .rv = gone[i]});
}

static void try_lengths(unsigned at)
{
    static const CK_ULONG lengths[] = {0, 1, 4, 65, 4096, 1UL << 40, CK_UNAVAILABLE_INFORMATION};

    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++)
        try_if_due(&(struct fault){.kind = FAULT_LENGTH, .at = at, .len = lengths[i]});
}

/* ------------------------------------------------------------------ a call that blocks */

static _Atomic bool second_done;

/* What needs nobody's consent, on a session of its own: nothing in the gate may make it wait for the first thread. */
static void *go_on(void *nothing)
{
    CK_SESSION_INFO info;
    CK_BBOOL token = CK_FALSE;
    CK_ATTRIBUTE attribute = {CKA_TOKEN, &token, sizeof token};

    (void)nothing;
    (void)dispatch_list_3_0.C_GetSessionInfo(scenario_second_session(), &info);
    (void)dispatch_list_3_0.C_GetAttributeValue(scenario_second_session(), 1, &attribute, 1);
    second_done = true;
    return NULL;
}

static void while_blocked(void)
{
    struct timespec until;
    pthread_t thread;

    second_done = false;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += BLOCKED_S;
    fuzz_require(pthread_create(&thread, NULL, go_on, NULL) == 0, "there is a second thread");
    if (pthread_timedjoin_np(thread, NULL, &until) != 0) {
        complain("the other thread waits for it", NULL);
        fuzz_require(false, "no call waits for a backend that is busy with another's");
    }
}

static void try_blocking(unsigned at)
{
    if (!try_all && at % (EVERY / 8) != 0)
        return;
    try(&(struct fault){.kind = FAULT_BLOCKS, .at = at, .meanwhile = while_blocked});
    if (!second_done)
        complain("the other thread did nothing", NULL);
    if (!scenario_went_well())
        complain("a slow token is no fault", NULL);
}

/* ------------------------------------------------------------------ all of it */

static void try_world(void)
{
    unsigned calls;

    expect_clean_run();
    calls = faulty_calls();
    printf("# %s: %u calls of the program's, %u of the token's\n", world->name, scenario_steps(), calls);
    fuzz_require(calls > 60 && calls <= FAULTY_CALLS_MAX, "the scenario reaches the token often enough");
    for (unsigned at = 1; at <= calls; at++) {
        try_answers(at);
        try_removal(at);
        try_lengths(at);
        try_blocking(at);
        if (try_all || at % EVERY == 0)
            expect_clean_run();
    }
    expect_clean_run();
}

int main(void)
{
    try_all = scenario_tries_all();
    signal(SIGABRT, tell_point);
    signal(SIGALRM, tell_point);
    for (unsigned i = 0; i < scenario_world_count; i++) {
        world = &scenario_worlds[i];
        try_world();
    }
    printf("%u points tried, %u wrong\n", points, wrong);
    return wrong == 0 && points > 1500 ? 0 : 1;
}
