#include "pkcs11-module/agent/patience.h"

#include <sched.h>
#include <time.h>

/* A program that signs in a loop calls again within a few microseconds, after the 50 or so in which it is
 * woken. */
#define LOOK_NS 100000

/* A message that came later than that would have been looked for in vain. */
#define QUICK_NS 200000

/* sched_yield(2) takes less than one, and twenty when the client had its turn on the same processor. Another
 * program that has work for the processor keeps it for a slice of the scheduler's, which is thousands. */
#define TAKEN_NS 200000
#define BUSY_NS  100000000

static int64_t monotonic_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void patience_begin(struct patience *patience, bool coming)
{
    patience->begun_ns = monotonic_ns();
    patience->looking = (coming || patience->quick) && patience->begun_ns >= patience->busy_until_ns;
}

bool patience_look(struct patience *patience)
{
    int64_t before_ns, after_ns;

    if (!patience->looking)
        return false;
    before_ns = monotonic_ns();
    sched_yield();
    after_ns = monotonic_ns();
    if (after_ns - before_ns > TAKEN_NS)
        patience->busy_until_ns = after_ns + BUSY_NS;
    patience->looking = after_ns - patience->begun_ns < LOOK_NS;
    return patience->looking;
}

void patience_end(struct patience *patience)
{
    patience->quick = monotonic_ns() - patience->begun_ns < QUICK_NS;
}
