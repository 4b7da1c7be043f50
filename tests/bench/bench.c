/*
 * bench: signatures through the module beside the same loop on SoftHSM2 directly, in one run.
 *
 * Usage: pinward-bench-isolated BACKEND MODULE PINENTRY [SECONDS [isolated]]. The two are measured in turn, round by round, so that a machine
 * whose speed drifts slows both; printed are medians over the rounds and the median of the rounds' ratios.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/bench/bench_token.h"

#define ROUNDS      15
#define THREADS_MAX 8

struct worker {
    pthread_t thread;
    CK_FUNCTION_LIST *functions;
    CK_SESSION_HANDLE session;
    CK_OBJECT_HANDLE key;
    pthread_barrier_t *start;
    int64_t length_ns;
    uint64_t done;
    int64_t took_ns;
    CK_RV rv;
};

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void *sign_loop(void *data)
{
    CK_MECHANISM mechanism = {CKM_SHA256_RSA_PKCS, NULL, 0};
    CK_BYTE text[64] = "the same sixty-four bytes, signed again and again for the clock";
    CK_BYTE signature[256];
    struct worker *w = data;
    int64_t started;

    pthread_barrier_wait(w->start);
    started = now_ns();
    do {
        CK_ULONG len = sizeof signature;

        w->rv = w->functions->C_SignInit(w->session, &mechanism, w->key);
        if (w->rv == CKR_OK)
            w->rv = w->functions->C_Sign(w->session, text, sizeof text, signature, &len);
        w->done++;
        w->took_ns = now_ns() - started;
    } while (w->rv == CKR_OK && w->took_ns < w->length_ns);
    return NULL;
}

/* Signatures a second by all threads together; ends the program when a call failed. */
static double measure(const struct bench_token *token, CK_FUNCTION_LIST *functions, unsigned threads,
                      int64_t length_ns)
{
    const bool direct = functions == token->direct;
    const CK_OBJECT_HANDLE key = direct ? token->key_direct : token->key;
    const CK_SLOT_ID slot = direct ? token->slot_direct : token->slot;
    struct worker workers[THREADS_MAX];
    pthread_barrier_t start;
    double rate = 0;

    pthread_barrier_init(&start, NULL, threads);
    for (unsigned i = 0; i < threads; i++) {
        workers[i] = (struct worker){.functions = functions, .key = key, .start = &start, .length_ns = length_ns};
        if (functions->C_OpenSession(slot, CKF_SERIAL_SESSION, NULL, NULL, &workers[i].session) != CKR_OK ||
            pthread_create(&workers[i].thread, NULL, sign_loop, &workers[i]) != 0) {
            fprintf(stderr, "bench: no session or thread\n");
            exit(1);
        }
    }
    for (unsigned i = 0; i < threads; i++) {
        pthread_join(workers[i].thread, NULL);
        if (workers[i].rv != CKR_OK) {
            fprintf(stderr, "bench: a signature returned 0x%08lx\n", workers[i].rv);
            exit(1);
        }
        rate += (double)workers[i].done * 1e9 / (double)workers[i].took_ns;
        functions->C_CloseSession(workers[i].session);
    }
    pthread_barrier_destroy(&start);
    return rate;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *values)
{
    qsort(values, ROUNDS, sizeof *values, compare);
    return values[ROUNDS / 2];
}

static void compare_signing(const struct bench_token *token, unsigned threads, double seconds)
{
    const int64_t length_ns = (int64_t)(seconds * 1e9 / (2 * ROUNDS));
    double direct[ROUNDS], pinward[ROUNDS], ratio[ROUNDS];

    measure(token, token->direct, threads, length_ns);
    measure(token, token->pinward, threads, length_ns);
    for (int i = 0; i < ROUNDS; i++) {
        /* Who goes first changes from round to round. */
        if (i % 2) {
            pinward[i] = measure(token, token->pinward, threads, length_ns);
            direct[i] = measure(token, token->direct, threads, length_ns);
        } else {
            direct[i] = measure(token, token->direct, threads, length_ns);
            pinward[i] = measure(token, token->pinward, threads, length_ns);
        }
        ratio[i] = pinward[i] / direct[i];
    }
    printf("%-34s %7u %14.0f %14.0f %9.3f\n", "C_SignInit + C_Sign, RSA-2048", threads, median(direct),
           median(pinward), median(ratio));
}

int main(int argc, char **argv)
{
    struct bench_token token;
    double seconds = argc > 4 ? atof(argv[4]) : 6;
    const bool isolated = argc > 5 && strcmp(argv[5], "isolated") == 0;

    if (argc < 4 || seconds <= 0) {
        fprintf(stderr, "usage: pinward-bench-isolated BACKEND MODULE PINENTRY [SECONDS for each row [isolated]]\n");
        return 2;
    }
    bench_token_open(argv[1], argv[2], isolated, &token);
    printf("%-34s %7s %14s %14s %9s\n", isolated ? "a key at level low, isolated" : "a key at level low", "threads", "direct /s", "pinward /s", "ratio");
    compare_signing(&token, 1, seconds);
    compare_signing(&token, 2, seconds);
    bench_token_close(&token);
    return 0;
}
