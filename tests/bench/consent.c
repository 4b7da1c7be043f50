/*
 * consent: what level high costs one signature besides pinentry's own time.
 *
 * Usage: pinward-bench-consent BACKEND MODULE PINENTRY ROUNDS
 *   For two protected keys, one whose PIN the gate checks and one whose PIN the token checks, it prints a line for each round:
 *   which key, and the milliseconds of a signature made directly; of starting that pinentry and waiting for its end, without a
 *   word; of a bare question put to it by the module's own code; and of a gated signature.
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/pinentry.h"
#include "tests/bench/bench_token.h"
#include "tests/bench/clock.h"

extern char **environ;

static CK_BYTE text[64] = "the same sixty-four bytes, signed again and again for the clock";

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

/* How long a process needs to start and to end: pinentry, whose input is at its end. */
static double start_ms(const char *pinentry)
{
    char *const words[] = {(char *)(uintptr_t)pinentry, NULL};
    posix_spawn_file_actions_t actions;
    int64_t started;
    int status = 0;
    pid_t pid;

    prepare();
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    started = clock_now_ns();
    must(posix_spawn(&pid, pinentry, &actions, NULL, words, environ) == 0, "starting pinentry", 0);
    must(waitpid(pid, &status, 0) == pid && WIFEXITED(status), "the end of pinentry", (unsigned long)status);
    posix_spawn_file_actions_destroy(&actions);
    return (double)(clock_now_ns() - started) / 1e6;
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
    started = clock_now_ns();
    must(pinentry_get_pin(&question, &pin, &err) == ERROR_NONE, "the bare question", 0);
    took_ms = (double)(clock_now_ns() - started) / 1e6;
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
    started = clock_now_ns();
    rv = functions->C_SignInit(session, &mechanism, key);
    if (rv == CKR_OK && log_in)
        rv = functions->C_Login(session, CKU_CONTEXT_SPECIFIC, pin, sizeof pin - 1);
    if (rv == CKR_OK)
        rv = functions->C_Sign(session, text, sizeof text, signature, &len);
    must(rv == CKR_OK, "a signature", rv);
    return (double)(clock_now_ns() - started) / 1e6;
}

static CK_SESSION_HANDLE open_session(CK_FUNCTION_LIST *functions, CK_SLOT_ID slot)
{
    CK_SESSION_HANDLE session;
    const CK_RV rv = functions->C_OpenSession(slot, CKF_SERIAL_SESSION, NULL, NULL, &session);

    must(rv == CKR_OK, "C_OpenSession", rv);
    return session;
}

/* The four are measured in turn, round by round, so that a machine that others load slows all of them. */
static void measure_key(const struct bench_token *token, const char *name, CK_OBJECT_HANDLE key, bool token_asks,
                        const char *pinentry, unsigned rounds)
{
    const CK_SESSION_HANDLE direct = open_session(token->direct, token->slot);
    const CK_SESSION_HANDLE gated = open_session(token->pinward, token->slot);

    for (unsigned i = 0; i < rounds; i++) {
        const double alone = signature_ms(token->direct, direct, key, token_asks);
        const double starting = start_ms(pinentry);
        const double asking = question_ms(pinentry);
        const double together = signature_ms(token->pinward, gated, key, false);

        printf("%s %.4f %.4f %.4f %.4f\n", name, alone, starting, asking, together);
    }
    token->direct->C_CloseSession(direct);
    token->pinward->C_CloseSession(gated);
}

int main(int argc, char **argv)
{
    struct bench_token token;
    unsigned rounds;

    if (argc != 5) {
        fprintf(stderr, "usage: pinward-bench-consent BACKEND MODULE PINENTRY ROUNDS\n");
        return 2;
    }
    rounds = (unsigned)strtoul(argv[4], NULL, 10);
    bench_token_open(argv[1], argv[2], &token);
    measure_key(&token, "gate", token.key_gate, false, argv[3], rounds);
    measure_key(&token, "token", token.key_token, true, argv[3], rounds);
    bench_token_close(&token);
    return 0;
}
