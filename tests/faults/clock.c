/* Clocks that jump. In a scenario of a whole sitting (faults/scenario.h)
 *
 *  - at each reading of a clock in turn the time of day jumps forwards or backwards by a year, as somebody sets it;
 *  - after each call in turn time passes, more than any consent holds, as in a machine that sleeps.
 *
 * The first changes nothing. After the second what was agreed to before is over: the judge holds that no consent counts
 * longer than it should (tests/fuzz/judge.h).
 *
 * PINWARD_FAULTS=all: each of it; else every second of these points. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "faults/answers.h"
#include "faults/faulty.h"
#include "faults/scenario.h"
#include "fuzz/fuzz.h"
#include "fuzz/judge.h"

#define YEAR_S 31536000
#define HANG_S 20

static unsigned readings, calls, jumps_at, points; /* jumps_at: a reading's number, or a call's */
static time_t jump_s;
static int64_t passes_ms;
static const struct scenario_world *world;

int __real_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now);

/* The linker puts it in the place of the clock that the gate reads. */
int __wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
    int rc;

    readings += judge_call() != 0;
    rc = __real_clock_gettime(clock, now);
    if (clock == CLOCK_REALTIME && jump_s != 0 && readings >= jumps_at)
        now->tv_sec += jump_s;
    return rc;
}

static void look_at_answer(const struct scenario_step *step)
{
    if (++calls == jumps_at)
        judge_time_passes(passes_ms);
    if (!answers_allow(step->call, step->rv)) {
        printf("# %s, number %u: %s answers 0x%lx\n", world->name, jumps_at, answers_name(step->call), step->rv);
        fuzz_require(false, "a call answers what it may");
    }
}

static void play(unsigned at, time_t s, int64_t ms)
{
    const struct fault none = {.kind = FAULT_NONE};

    readings = calls = 0;
    jumps_at = at;
    jump_s = s;
    passes_ms = ms;
    alarm(HANG_S); /* a hang ends the program */
    faulty_begin(&none);
    scenario_play(world, look_at_answer);
    points += at > 0;
}

static void try_world(void)
{
    unsigned all;

    play(0, 0, 0);
    fuzz_require(scenario_went_well(), "with steady clocks the scenario goes well");
    all = readings;
    fuzz_require(all > 20, "the scenario reads clocks often enough");
    printf("# %s: %u readings\n", world->name, all);
    for (unsigned at = 1; at <= all; at += scenario_tries_all() ? 1 : 2) {
        play(at, YEAR_S, 0);
        fuzz_require(scenario_went_well(), "the time of day set forwards changes nothing");
        play(at, -YEAR_S, 0);
        fuzz_require(scenario_went_well(), "the time of day set backwards changes nothing");
    }
    for (unsigned at = 1; at <= scenario_steps(); at += scenario_tries_all() ? 1 : 2) {
        play(at, 0, 31000);
        fuzz_require(scenario_went_well() || judge_rules()->application_asks, "who is asked again agrees again");
        play(at, 0, 1000LL * YEAR_S);
        fuzz_require(scenario_went_well() || judge_rules()->application_asks, "who is asked again agrees again");
    }
}

int main(void)
{
    for (unsigned i = 0; i < scenario_world_count; i++) {
        world = &scenario_worlds[i];
        try_world();
    }
    printf("%u points tried\n", points);
    return points > 400 ? 0 : 1;
}
