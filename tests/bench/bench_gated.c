#include "tests/bench/bench_gated.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/pinentry.h"

#define ROUNDS_MAX 1000

static CK_BYTE text[64] = "the same sixty-four bytes, signed again and again for the clock";

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void must(bool good, const char *what, unsigned long why)
{
    if (good)
        return;
    fprintf(stderr, "bench: %s failed (0x%lx)\n", what, why);
    exit(1);
}

/* Before the clock runs: one answer in the scripted pinentry's script, and a rest, so that what comes next is not slowed
 * by what the process has used of its share of a busy machine. */
static void prepare(void)
{
    const char *folder = getenv("SCRIPTED_PINENTRY_DIR");
    char path[4096];
    FILE *script;

    snprintf(path, sizeof path, "%s/script", folder ? folder : ".");
    script = fopen(path, "we");
    must(script != NULL, "writing the script", 0);
    fputs("pin " BENCH_PIN "\n", script);
    fclose(script);
    nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
}

/* How long one question takes, of the size of the module's: pinentry is started, asked, answers, and ends. */
static double question_ms(const char *pinentry)
{
    const struct pinentry_question question = {
        .program = pinentry,
        .timeout_s = 60,
        .cancel_fd = -1,
        .title = "Pinward",
        .text = "A program wants to SIGN with your key.\nEnter the PIN only if you have just asked for this.\n\n"
                "Key: a key of the bench\nToken: bench\n"
                "Data (SHA-256): e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n"
                "Program: /usr/lib/pinward/pinward-bench (process 123456)\nCommand: pinward-bench\n",
        .prompt = "PIN:",
    };
    struct secret *pin = NULL;
    struct error err = {0};
    int64_t started;
    double took_ms;

    prepare();
    started = now_ns();
    must(pinentry_get_pin(&question, &pin, &err) == ERROR_NONE, "the bare question", 0);
    took_ms = (double)(now_ns() - started) / 1e6;
    secret_free(&pin);
    return took_ms;
}

/* How long one signature takes. log_in: with a context-specific login, which the token wants when it is used directly. */
static double signature_ms(CK_FUNCTION_LIST *functions, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key, bool log_in)
{
    CK_MECHANISM mechanism = {CKM_SHA256_RSA_PKCS, NULL, 0};
    CK_BYTE signature[256], pin[] = BENCH_PIN;
    CK_ULONG len = sizeof signature;
    int64_t started;
    CK_RV rv;

    prepare();
    started = now_ns();
    rv = functions->C_SignInit(session, &mechanism, key);
    if (rv == CKR_OK && log_in)
        rv = functions->C_Login(session, CKU_CONTEXT_SPECIFIC, pin, sizeof pin - 1);
    if (rv == CKR_OK)
        rv = functions->C_Sign(session, text, sizeof text, signature, &len);
    must(rv == CKR_OK, "a signature", rv);
    return (double)(now_ns() - started) / 1e6;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* The value below which this many tenths of them are. */
static double tenths(double *values, unsigned count, unsigned n)
{
    qsort(values, count, sizeof *values, compare);
    return values[count * n / 10];
}

static CK_SESSION_HANDLE open_session(CK_FUNCTION_LIST *functions, CK_SLOT_ID slot)
{
    CK_SESSION_HANDLE session;
    const CK_RV rv = functions->C_OpenSession(slot, CKF_SERIAL_SESSION, NULL, NULL, &session);

    must(rv == CKR_OK, "C_OpenSession", rv);
    return session;
}

/* The three are measured in turn, round by round, so that a machine that others load slows all of them. */
static void measure_key(const struct bench_token *token, const char *name, CK_OBJECT_HANDLE key, bool token_asks,
                        const char *pinentry, unsigned rounds)
{
    const CK_SESSION_HANDLE direct = open_session(token->direct, token->slot);
    const CK_SESSION_HANDLE gated = open_session(token->pinward, token->slot);
    double alone[ROUNDS_MAX], asking[ROUNDS_MAX], together[ROUNDS_MAX], added[ROUNDS_MAX];

    for (unsigned i = 0; i < rounds; i++) {
        alone[i] = signature_ms(token->direct, direct, key, token_asks);
        asking[i] = question_ms(pinentry);
        together[i] = signature_ms(token->pinward, gated, key, false);
        added[i] = together[i] - alone[i] - asking[i];
    }
    token->direct->C_CloseSession(direct);
    token->pinward->C_CloseSession(gated);
    printf("%-34s %10.2f %12.2f %10.2f %12.2f", name, tenths(alone, rounds, 5), tenths(asking, rounds, 5),
           tenths(together, rounds, 5), tenths(added, rounds, 5));
    /* Where others load the machine, the longest piece of work is interrupted most, and that is the direct signature with
     * a login: the fastest tenths are what a quiet machine shows. */
    printf(" %10.2f\n", tenths(together, rounds, 1) - tenths(alone, rounds, 1) - tenths(asking, rounds, 1));
}

void bench_gated(const struct bench_token *token, const char *pinentry, unsigned rounds)
{
    const unsigned count = rounds < ROUNDS_MAX ? rounds : ROUNDS_MAX;

    printf("\n%-34s %10s %12s %10s %12s %10s\n", "a key at level high", "direct ms", "pinentry ms", "gated ms",
           "gate adds ms", "at its best");
    measure_key(token, "the gate checks the PIN", token->key_gate, false, pinentry, count);
    measure_key(token, "the token checks the PIN", token->key_token, true, pinentry, count);
}
