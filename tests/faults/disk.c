/* A disk that fails: in a scenario of a whole sitting (faults/scenario.h) each call of the module's that opens, reads, writes,
 * locks or keeps a file (configuration, log, ledger, its head, counter of wrong PINs) fails in turn, alone and with all that
 * come after it: full, read-only, or taking half of what is written. Each time the calls answer what they may, no
 * private key is used without a consent, none without its line in the ledger (which the configuration requires), and the
 * scenario then goes well.
 *
 * PINWARD_FAULTS=all: each of it; else every tenth of these points. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "faults/answers.h"
#include "faults/faulty.h"
#include "faults/scenario.h"
#include "faults/uses.h"
#include "fuzz/fuzz.h"
#include "fuzz/judge.h"
#include "support/process_state.h"

#define HANG_S 60 /* a lock that cannot be had is waited for */
#define HALF   0  /* instead of an errno: half is written */
#define EVERY  10 /* in the short form; no multiple of 3 */

static const struct scenario_world *world;
static unsigned calls, fails_at, points;
static bool for_good;
static int fails_with;

static bool fails(void)
{
    if (judge_call() == 0)
        return false;
    calls++;
    if (fails_at == 0 || (calls != fails_at && !(for_good && calls > fails_at)))
        return false;
    errno = fails_with == HALF ? EIO : fails_with;
    return true;
}

/* The linker puts these in the place of those that the module calls. */
#define WRAP(type, name, parameters, given)                                                                  \
    type __real_##name parameters;                                                                           \
    type __wrap_##name parameters;                                                                           \
    type __wrap_##name parameters                                                                            \
    {                                                                                                        \
        return fails() ? -1 : __real_##name given;                                                           \
    }
WRAP(ssize_t, pread, (int fd, void *bytes, size_t len, off_t at), (fd, bytes, len, at))
WRAP(int, ftruncate, (int fd, off_t len), (fd, len))
WRAP(int, fdatasync, (int fd), (fd))
WRAP(int, fstat, (int fd, struct stat *st), (fd, st))
WRAP(int, link, (const char *from, const char *to), (from, to))
WRAP(int, mkdir, (const char *path, mode_t mode), (path, mode))

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __real_fcntl(int fd, int command, ...);
int __wrap_fcntl(int fd, int command, ...);
ssize_t __real_write(int fd, const void *bytes, size_t len);
ssize_t __wrap_write(int fd, const void *bytes, size_t len);
ssize_t __real_pwrite(int fd, const void *bytes, size_t len, off_t at);
ssize_t __wrap_pwrite(int fd, const void *bytes, size_t len, off_t at);

int __wrap_open(const char *path, int flags, ...)
{
    va_list arguments;
    mode_t mode;

    va_start(arguments, flags);
    mode = flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    return fails() ? -1 : __real_open(path, flags, mode);
}

int __wrap_fcntl(int fd, int command, ...)
{
    va_list arguments;
    void *argument;

    va_start(arguments, command);
    argument = va_arg(arguments, void *);
    va_end(arguments);
    return fails() ? -1 : __real_fcntl(fd, command, argument);
}

ssize_t __wrap_write(int fd, const void *bytes, size_t len)
{
    if (!fails())
        return __real_write(fd, bytes, len);
    return fails_with == HALF ? __real_write(fd, bytes, len / 2) : -1;
}

ssize_t __wrap_pwrite(int fd, const void *bytes, size_t len, off_t at)
{
    if (!fails())
        return __real_pwrite(fd, bytes, len, at);
    return fails_with == HALF ? __real_pwrite(fd, bytes, len / 2, at) : -1;
}

/* ------------------------------------------------------------------ one point */

/* A violation ends the program: at which point? */
static void require(bool holds, const char *what)
{
    if (!holds)
        printf("# %s, call %u%s fails with %d\n", world->name, fails_at, for_good ? " and all after it" : "", fails_with);
    fflush(stdout);
    fuzz_require(holds, what);
}

static void look_at_answer(const struct scenario_step *step)
{
    if (!answers_allow(step->call, step->rv))
        printf("# %s answers 0x%lx\n", answers_name(step->call), step->rv);
    require(answers_allow(step->call, step->rv), "a call answers what it may");
}

static void play(unsigned at, bool also_later, int with)
{
    const struct fault none = {.kind = FAULT_NONE};
    const int descriptors = process_descriptors();

    calls = 0;
    fails_at = at;
    for_good = also_later;
    fails_with = with;
    alarm(HANG_S);
    faulty_begin(&none);
    scenario_play(world, look_at_answer);
    require(uses_made() <= uses_recorded(), "no private key is used without a line in the ledger");
    require(process_descriptors() == descriptors, "no descriptor is left");
    points += at > 0;
}

static void try_world(void)
{
    static const int errors[] = {ENOSPC, EROFS, HALF};
    static unsigned turn;
    unsigned all;

    play(0, false, 0);
    require(scenario_went_well() && uses_made() > 1, "with a disk the scenario goes well");
    all = calls;
    printf("# %s: %u calls\n", world->name, all);
    for (unsigned at = 1; at <= all; at++) {
        for (int i = 0; i < 3; i++) {
            if (scenario_tries_all() || ++turn % EVERY == 0)
                play(at, false, errors[i]);
            if (scenario_tries_all() || turn % (4 * EVERY) == 0)
                play(at, true, errors[i]);
        }
    }
    play(0, false, 0);
    require(scenario_went_well(), "with a disk the scenario goes well again");
}

int main(void)
{
    for (unsigned i = 0; i < scenario_world_count; i++) {
        world = &scenario_worlds[i];
        if (i == 0)
            scenario_play(world, NULL); /* some of what is opened once stays */
        try_world();
    }
    printf("%u points tried\n", points);
    return points > 500 ? 0 : 1;
}
