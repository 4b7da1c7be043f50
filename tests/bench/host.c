/*
 * host: what loading and initialising a module costs the process that does it.
 *
 * Usage: pinward-bench-host MODULE
 *   Prints nanoseconds of dlopen, C_GetFunctionList and C_Initialize together, and by how many KiB the process's resident
 *   memory grew: all of it, and what no other process can share (private and written to).
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/bench/clock.h"
#include "tests/bench/place.h"

struct memory {
    long resident_kib, private_kib;
};

static struct memory memory_now(void)
{
    struct memory memory = {0};
    char line[128];
    FILE *file = fopen("/proc/self/smaps_rollup", "re");

    if (!file)
        place_must(CKR_FUNCTION_FAILED, "/proc/self/smaps_rollup");
    while (fgets(line, sizeof line, file)) {
        (void)sscanf(line, "Rss: %ld", &memory.resident_kib);
        (void)sscanf(line, "Private_Dirty: %ld", &memory.private_kib);
    }
    fclose(file);
    return memory;
}

int main(int argc, char **argv)
{
    struct memory before, after;
    CK_FUNCTION_LIST *functions;
    int64_t begun_ns, took_ns;

    if (argc != 2) {
        fprintf(stderr, "usage: pinward-bench-host MODULE\n");
        return 2;
    }
    (void)memory_now(); /* what reading it needs is there from now on */
    before = memory_now();
    begun_ns = clock_now_ns();
    functions = place_load(argv[1]);
    place_initialize(functions);
    took_ns = clock_now_ns() - begun_ns;
    after = memory_now();
    printf("%" PRId64 " %ld %ld\n", took_ns, after.resident_kib - before.resident_kib, after.private_kib - before.private_kib);
    place_must(functions->C_Finalize(NULL), "C_Finalize");
    return 0;
}
