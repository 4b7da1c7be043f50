/* A pinentry that misbehaves, as a real process. In a scenario of a whole sitting (faults/scenario.h) each question in turn
 * is put to a pinentry (faults/wild.h) that hangs, stops, dies, is killed, floods, breaks the protocol at any byte, answers in
 * part, in single bytes, twice, after its time, and after the program has closed the session, all sessions, logged out,
 * cancelled the operation or finalised on another thread.
 *
 * Each time no private key is used without an answer that was a consent, a call whose session or login is over does not
 * succeed, the calls answer what they may, no descriptor, child or memory is left, neither log nor ledger holds what was
 * typed, and the scenario then goes well.
 *
 * PINWARD_FAULTS=all: all of it; else every so many of these points. Since most of the time is spent waiting for what does not
 * come, the points are shared out to processes. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "faults/answers.h"
#include "faults/faulty.h"
#include "faults/scenario.h"
#include "faults/wild.h"
#include "fuzz/fuzz.h"
#include "support/process_state.h"

#define EVERY   13 /* in the short form; no divisor of the number of ways */
#define WORKERS 12
#define HANG_S  120

static const struct scenario_world *world;
static const struct wild_way *way;
static unsigned question;
static unsigned *points; /* of all processes */

/* ------------------------------------------------------------------ one point */

static void tell_point(int number)
{
    static const char *const meanwhile[] = {"", ", session closed", ", all closed", ", logout", ", cancelled", ", finalised"};

    printf("# %s, question %u, %s%s%s: the program %s\n", world->name, question, way ? way->name : "none",
           way ? meanwhile[way->meanwhile] : "", way && way->at_once ? " at once" : "",
           number == SIGALRM ? "hangs" : "ends");
    fflush(stdout);
    signal(number, SIG_DFL);
    raise(number);
}

static bool uses_key(enum p11_call call)
{
    return call == CALL_C_Sign || call == CALL_C_SignUpdate || call == CALL_C_SignFinal || call == CALL_C_Decrypt ||
           call == CALL_C_UnwrapKey || call == CALL_C_WrapKey || call == CALL_C_DeriveKey || call == CALL_C_SignMessage ||
           call == CALL_C_SignMessageBegin || call == CALL_C_DecryptMessage || call == CALL_C_DecryptMessageBegin;
}

/* Is what the call needs over, when the other thread's call had come back before there was an answer? */
static bool is_over(enum p11_call call)
{
    if (way->at_once || wild_meanwhile_rv() != CKR_OK)
        return false;
    switch (way->meanwhile) {
    case WILD_CLOSE_SESSION:
    case WILD_CLOSE_ALL:
        return call != CALL_C_InitToken; /* which has no session */
    case WILD_LOGOUT:
        return uses_key(call);
    case WILD_CANCEL:
        return uses_key(call) && call != CALL_C_UnwrapKey && call != CALL_C_WrapKey && call != CALL_C_DeriveKey;
    case WILD_FINALIZE:
        return true;
    case WILD_NOTHING:
        break;
    }
    return false;
}

static void look_at_answer(const struct scenario_step *step)
{
    if (!answers_allow(step->call, step->rv))
        printf("# %s answers 0x%lx\n", answers_name(step->call), step->rv);
    fuzz_require(answers_allow(step->call, step->rv), "a call answers what it may");
    if (way && wild_asked_in_call() && is_over(step->call)) {
        if (step->rv == CKR_OK)
            printf("# %s succeeds\n", answers_name(step->call));
        fuzz_require(step->rv != CKR_OK, "what was over when the answer came does not succeed");
    }
    fuzz_require(!process_has_child(), "no pinentry is left");
    wild_forget_call();
}

static void play(unsigned number, const struct wild_way *by)
{
    const struct fault none = {.kind = FAULT_NONE};
    const int descriptors = process_descriptors();

    question = number;
    way = by;
    alarm(HANG_S);
    faulty_begin(&none);
    wild_begin(number, by);
    scenario_play(world, look_at_answer);
    fuzz_require(process_descriptors() == descriptors, "no descriptor is left");
}

static void expect_clean_run(void)
{
    play(0, NULL);
    fuzz_require(scenario_went_well(), "with a user who answers the scenario goes well");
}

/* ------------------------------------------------------------------ all of it */

static unsigned worker; /* which of them this process is */
static bool try_all;

static bool is_mine(void)
{
    static unsigned asked;
    const unsigned number = asked++;

    return (try_all || number % EVERY == 0) && number / (try_all ? 1 : EVERY) % WORKERS == worker;
}

static void try_world(void)
{
    unsigned all;

    expect_clean_run();
    all = wild_questions();
    if (worker == 0)
        printf("# %s: %u questions\n", world->name, all);
    for (unsigned number = 1; number <= all; number++) {
        for (unsigned i = 0; i < wild_way_count; i++) {
            if (!is_mine())
                continue;
            play(number, &wild_ways[i]);
            if (wild_ways[i].agrees)
                fuzz_require(scenario_went_well(), "an answer in its own way is an answer");
            points[worker]++;
        }
    }
    expect_clean_run();
}

static void work(void)
{
    signal(SIGABRT, tell_point);
    signal(SIGALRM, tell_point);
    wild_start();
    scenario_settle_with(wild_settle);
    for (unsigned i = 0; i < scenario_world_count; i++) {
        world = &scenario_worlds[i];
        if (i == 0)
            scenario_play(world, NULL); /* some of what is opened once stays */
        try_world();
    }
    wild_stop();
}

int main(void)
{
    unsigned all = 0, wrong = 0;
    int status;

    try_all = scenario_tries_all();
    points = mmap(NULL, WORKERS * sizeof *points, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    fuzz_require(points != MAP_FAILED, "there is memory");
    for (worker = 0; worker < WORKERS; worker++) {
        const pid_t pid = fork();

        fuzz_require(pid >= 0, "there are processes");
        if (pid == 0) {
            work();
            return 0; /* with all that looks for leaks */
        }
    }
    for (unsigned i = 0; i < WORKERS; i++) {
        fuzz_require(wait(&status) > 0, "each process ends");
        wrong += status != 0;
    }
    for (unsigned i = 0; i < WORKERS; i++)
        all += points[i];
    printf("%u points tried, %u of %d processes found something wrong\n", all, wrong, WORKERS);
    return wrong == 0 && all > (try_all ? 2000 : 150) ? 0 : 1;
}
