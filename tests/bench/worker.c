/*
 * worker: measures operations through the modules that it was given, one slice of time at a time, as it is told to on its
 * stdin; so several workers and modules can be measured in turn.
 *
 * Usage: pinward-bench-worker TOKEN-LABEL OBJECTS MODULE...
 *   "ready" is the first line it prints. Then it reads lines, and answers each with one:
 *   run MODULE-NUMBER OPERATION THREADS NANOSECONDS   operations a second by all threads together, how many there were, how
 *                                                     often a thread gave up its processor to wait for something, and
 *                                                     nanoseconds of processor time
 *   count MODULE-NUMBER OPERATION TIMES               the same for so many by one thread, for what counts instructions
 *   begin MODULE-NUMBER TIMES                         how many C_Initialize with C_GetSlotList a second; first the module is
 *                                                     finalized, so that nothing but more of these comes after it
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "tests/bench/clock.h"
#include "tests/bench/operations.h"

#define MODULES_MAX 4

/* In cache lines of its own, two of which the processor fetches at once: a thread's counting must not slow another's. */
struct share {
    _Alignas(128) pthread_t thread;
    const struct place *place;
    operation_function *operation;
    CK_SESSION_HANDLE session;
    pthread_barrier_t *start;
    _Atomic int64_t *begun_ns; /* when the first of the threads began; 0: none has */
    int64_t length_ns;
    uint64_t most; /* 0: until the time is over */
    uint64_t done;
    int64_t end_ns, used_ns;
    long waits;
    CK_RV rv;
};

static long thread_waits(void)
{
    struct rusage usage;

    return getrusage(RUSAGE_THREAD, &usage) == 0 ? usage.ru_nvcsw : 0;
}

static int64_t thread_used_ns(void)
{
    struct timespec used;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return (int64_t)used.tv_sec * 1000000000 + used.tv_nsec;
}

static void *work(void *data)
{
    struct share *share = data;
    int64_t begun_ns = 0, now_ns, used_ns;
    long waits;

    pthread_barrier_wait(share->start);
    waits = thread_waits();
    used_ns = thread_used_ns();
    now_ns = clock_now_ns();
    if (atomic_compare_exchange_strong(share->begun_ns, &begun_ns, now_ns))
        begun_ns = now_ns;
    do {
        share->rv = share->operation(share->place, share->session);
        share->done++;
        share->end_ns = clock_now_ns();
    } while (share->rv == CKR_OK &&
             (share->most ? share->done < share->most : share->end_ns - begun_ns < share->length_ns));
    share->used_ns = thread_used_ns() - used_ns;
    share->waits = thread_waits() - waits;
    return NULL;
}

static void run(const struct place *place, const char *name, unsigned threads, int64_t length_ns, uint64_t most)
{
    operation_function *operation = operation_named(name);
    struct share shares[PLACE_SESSIONS];
    _Atomic int64_t begun_ns = 0;
    pthread_barrier_t start;
    uint64_t done = 0;
    int64_t end_ns = 0, used_ns = 0;
    long waits = 0;

    if (!operation || threads == 0 || threads > PLACE_SESSIONS)
        place_must(CKR_ARGUMENTS_BAD, name);
    pthread_barrier_init(&start, NULL, threads);
    for (unsigned i = 0; i < threads; i++) {
        shares[i] = (struct share){.place = place, .operation = operation, .session = place->sessions[i], .start = &start,
                                   .begun_ns = &begun_ns, .length_ns = length_ns, .most = most};
        if (pthread_create(&shares[i].thread, NULL, work, &shares[i]) != 0)
            place_must(CKR_HOST_MEMORY, "a thread");
    }
    for (unsigned i = 0; i < threads; i++) {
        pthread_join(shares[i].thread, NULL);
        place_must(shares[i].rv, name);
        end_ns = shares[i].end_ns > end_ns ? shares[i].end_ns : end_ns;
        done += shares[i].done;
        used_ns += shares[i].used_ns;
        waits += shares[i].waits;
    }
    pthread_barrier_destroy(&start);
    printf("%.6g %llu %ld %lld\n", (double)done * 1e9 / (double)(end_ns - begun_ns), (unsigned long long)done, waits, (long long)used_ns);
}

static void begin(struct place *place, unsigned times)
{
    CK_SLOT_ID slots[16];
    int64_t took_ns = 0;

    for (unsigned i = 0; i < times; i++) {
        CK_ULONG count = 16;
        int64_t begun_ns;

        place_must(place->functions->C_Finalize(NULL), "C_Finalize");
        begun_ns = clock_now_ns();
        place_initialize(place->functions);
        place_must(place->functions->C_GetSlotList(CK_TRUE, slots, &count), "C_GetSlotList");
        took_ns += clock_now_ns() - begun_ns;
    }
    printf("%.6g %u 0 0\n", times * 1e9 / (double)took_ns, times);
}

/* Does what the line says; ends the program when it says nothing that is known. */
static void obey(const char *line, struct place *places, unsigned modules)
{
    unsigned module = modules, threads;
    unsigned long long number;
    char name[32];

    if (sscanf(line, "run %u %31s %u %llu", &module, name, &threads, &number) == 4 && module < modules)
        run(&places[module], name, threads, (int64_t)number, 0);
    else if (sscanf(line, "count %u %31s %llu", &module, name, &number) == 3 && module < modules)
        run(&places[module], name, 1, 0, number);
    else if (sscanf(line, "begin %u %llu", &module, &number) == 2 && module < modules)
        begin(&places[module], (unsigned)number);
    else
        place_must(CKR_ARGUMENTS_BAD, line);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    const unsigned modules = argc > 3 ? (unsigned)argc - 3 : 0;
    struct place places[MODULES_MAX];
    char line[128];

    if (modules == 0 || modules > MODULES_MAX) {
        fprintf(stderr, "usage: pinward-bench-worker TOKEN-LABEL OBJECTS MODULE...\n");
        return 2;
    }
    for (unsigned i = 0; i < modules; i++)
        place_open(argv[3 + i], argv[1], strtoul(argv[2], NULL, 10), &places[i]);
    puts("ready");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin))
        obey(line, places, modules);
    for (unsigned i = modules; i > 0; i--)
        (void)places[i - 1].functions->C_Finalize(NULL); /* who shared the backend finds it finalized */
    return 0;
}
