/* Every decision is a line of the ledger, the right one; what cannot be recorded is not allowed; no PIN is in it. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/fixture.h"
#include "support/isolated.h"
#include "support/keys.h"
#include "support/pinentry_script.h"
#include "support/test.h"
#include "support/use.h"

#define RIGHT      "pin " FIXTURE_PIN "\n"
#define WRONG_PIN  "271828-wrong"
#define WRONG      "pin " WRONG_PIN "\n"
#define LEDGER     "state/pinward/ledger.jsonl"

static struct fixture fx;

static void forget_ledger(void)
{
    folder_unlink(fx.folder, LEDGER);
    folder_unlink(fx.folder, LEDGER ".head");
}

static int start(void **state)
{
    (void)state;
    fixture_start_logged_in(&fx, "");
    script_set(&fx, "");
    forget_ledger();
    return 0;
}

static int stop(void **state)
{
    (void)state;
    fixture_stop(&fx);
    return 0;
}

static CK_OBJECT_HANDLE key(const char *label)
{
    return key_private(fx.p11, fx.session, label);
}

static unsigned count_lines(const char *text)
{
    unsigned n = 0;

    for (; *text; text++)
        n += *text == '\n';
    return n;
}

/* The ledger has so many lines; this is the last, on the heap. */
static char *last_line(unsigned lines)
{
    char *ledger = folder_read(fx.folder, LEDGER);
    char *line;

    assert_int_equal(count_lines(ledger), lines);
    ledger[strlen(ledger) - 1] = '\0';
    line = strrchr(ledger, '\n');
    line = strdup(line ? line + 1 : ledger);
    free(ledger);
    return line;
}

/* The last of so many lines says this. */
static void told(unsigned lines, const char *operation, const char *verdict, const char *how, CK_RV rv)
{
    char expected[256];
    char *line = last_line(lines);

    snprintf(expected, sizeof expected, "\"operation\":\"%s\",", operation);
    assert_contains(line, expected);
    snprintf(expected, sizeof expected, "\"verdict\":\"%s\",\"how\":\"%s\",\"rv\":\"0x%08lx\",", verdict, how, rv);
    assert_contains(line, expected);
    assert_not_contains(line, FIXTURE_PIN);
    assert_not_contains(line, WRONG_PIN);
    free(line);
}

/* ------------------------------------------------------------------ the lines */

static void signature_leaves_its_line(void **state)
{
    unsigned char digest[crypto_hash_sha256_BYTES];
    char hex[2 * sizeof digest + 1];
    char program[FOLDER_PATH_MAX] = {0};
    char expected[2 * FOLDER_PATH_MAX];
    struct use_result signature;
    char *line;

    (void)state;
    script_set(&fx, RIGHT);
    assert_ok(use_sign(&fx, fx.session, key(KEY_HIGH_RSA), &signature));
    told(1, "sign", "allowed", "asked", CKR_OK);
    line = last_line(1);
    crypto_hash_sha256(digest, (const unsigned char *)USE_DATA, USE_DATA_LEN);
    sodium_bin2hex(hex, sizeof hex, digest, sizeof digest);
    assert_contains(line, hex);
    sodium_bin2hex(hex, sizeof hex, (const unsigned char *)KEY_HIGH_RSA, strlen(KEY_HIGH_RSA));
    snprintf(expected, sizeof expected, "\"key\":\"" KEY_HIGH_RSA "\",\"key_id\":\"%s\",\"token\":\"" FIXTURE_TOKEN "\"",
             hex);
    assert_contains(line, expected);
    assert_true(readlink("/proc/self/exe", program, sizeof program - 1) > 0);
    snprintf(expected, sizeof expected, "\"program\":\"%s\",\"pid\":%ld,\"uid\":%lu,", program, (long)getpid(),
             (unsigned long)getuid());
    assert_contains(line, expected);
    free(line);
}

/* Of a part of the data, no hash is recorded. */
static void multi_part_has_no_data(void **state)
{
    struct use_result signature;
    char *line;

    (void)state;
    script_set(&fx, RIGHT);
    assert_ok(use_sign_init(&fx, fx.session, key(KEY_HIGH_RSA)));
    assert_ok(fx.p11->C_SignUpdate(fx.session, (CK_BYTE_PTR)USE_DATA, USE_DATA_LEN));
    use_result_init(&signature);
    assert_ok(fx.p11->C_SignFinal(fx.session, signature.bytes, &signature.len));
    told(1, "sign", "allowed", "asked", CKR_OK);
    line = last_line(1);
    assert_contains(line, "\"data\":null,");
    free(line);
}

static void denials_leave_their_lines(void **state)
{
    struct use_result signature;
    struct use_result message;
    struct use_result data;

    (void)state;
    script_set(&fx, WRONG WRONG WRONG);
    assert_rv(use_sign(&fx, fx.session, key(KEY_HIGH_RSA), &signature), CKR_FUNCTION_REJECTED);
    told(1, "sign", "denied", "asked", CKR_FUNCTION_REJECTED);
    script_set(&fx, "cancel\n");
    assert_rv(use_sign(&fx, fx.session, key(KEY_HIGH_RSA), &signature), CKR_FUNCTION_CANCELED);
    told(2, "sign", "denied", "asked", CKR_FUNCTION_CANCELED);
    script_set(&fx, "cancel\n");
    use_encrypt(&fx, KEY_HIGH_RSA, &message);
    assert_ok(use_decrypt_init(&fx, fx.session, key(KEY_HIGH_RSA)));
    assert_rv(use_decrypt_data(&fx, fx.session, &message, &data), CKR_FUNCTION_CANCELED);
    told(3, "decrypt", "denied", "asked", CKR_FUNCTION_CANCELED);
    script_set(&fx, "cancel\n");
    assert_rv(fx.p11->C_DestroyObject(fx.session, key(KEY_HIGH_RSA)), CKR_FUNCTION_CANCELED);
    told(4, "delete", "denied", "asked", CKR_FUNCTION_CANCELED);
}

/* What nobody was asked about. */
static void refusals_leave_their_lines(void **state)
{
    CK_BBOOL no = CK_FALSE;
    CK_ATTRIBUTE weaker = {CKA_SENSITIVE, &no, sizeof no};
    CK_MECHANISM sha256 = {CKM_SHA256, NULL, 0};
    CK_MECHANISM rsa = {CKM_RSA_PKCS, NULL, 0};
    const CK_SESSION_HANDLE other = fixture_session(&fx);
    CK_BYTE wrapped[512];
    CK_ULONG wrapped_len = sizeof wrapped;

    (void)state;
    assert_rv(fx.p11->C_SetAttributeValue(fx.session, key(KEY_HIGH_RSA), &weaker, 1), CKR_ATTRIBUTE_READ_ONLY);
    told(1, "change", "denied", "would weaken the key", CKR_ATTRIBUTE_READ_ONLY);
    assert_ok(fx.p11->C_DigestInit(other, &sha256));
    assert_rv(fx.p11->C_DigestKey(other, key(KEY_HIGH_RSA)), CKR_KEY_INDIGESTIBLE);
    told(2, "other", "denied", "not for private keys", CKR_KEY_INDIGESTIBLE);
    assert_rv(fx.p11->C_WrapKey(fx.session, &rsa, key(KEY_HIGH_RSA), key(KEY_PLAIN_RSA), wrapped, &wrapped_len),
              CKR_WRAPPING_KEY_TYPE_INCONSISTENT);
    told(3, "other", "denied", "not for private keys", CKR_WRAPPING_KEY_TYPE_INCONSISTENT);
    assert_int_equal(script_asked(&fx), 0);
}

static void logins_leave_their_lines(void **state)
{
    struct use_result signature;

    (void)state;
    assert_ok(fx.p11->C_Logout(fx.session));
    script_set(&fx, "cancel\n");
    assert_rv(fx.p11->C_Login(fx.session, CKU_USER, NULL, 0), CKR_FUNCTION_CANCELED);
    told(1, "login", "denied", "asked", CKR_FUNCTION_CANCELED);
    script_set(&fx, RIGHT);
    assert_ok(fx.p11->C_Login(fx.session, CKU_USER, NULL, 0));
    told(2, "login", "allowed", "asked", CKR_OK);
    assert_ok(use_sign(&fx, fx.session, key(KEY_HIGH_RSA), &signature));
    told(3, "sign", "allowed", "login grace", CKR_OK);
}

static void applications_pin_leaves_its_line(void **state)
{
    struct use_result signature;

    (void)state;
    fixture_stop(&fx);
    fixture_start_logged_in(&fx, "prompt = application\n");
    forget_ledger();
    assert_rv(use_sign(&fx, fx.session, key(KEY_HIGH_RSA), &signature), CKR_USER_NOT_LOGGED_IN);
    told(1, "sign", "denied", "no context-specific login", CKR_USER_NOT_LOGGED_IN);
    assert_ok(use_sign_init(&fx, fx.session, key(KEY_HIGH_RSA)));
    assert_rv(fx.p11->C_Login(fx.session, CKU_CONTEXT_SPECIFIC, (CK_BYTE_PTR)WRONG_PIN, strlen(WRONG_PIN)),
              CKR_PIN_INCORRECT);
    told(2, "sign", "denied", "context-specific login", CKR_PIN_INCORRECT);
    assert_ok(fx.p11->C_Login(fx.session, CKU_CONTEXT_SPECIFIC, (CK_BYTE_PTR)FIXTURE_PIN, strlen(FIXTURE_PIN)));
    told(3, "sign", "allowed", "context-specific login", CKR_OK);
    assert_ok(use_sign_data(&fx, fx.session, &signature));
    told(3, "sign", "allowed", "context-specific login", CKR_OK);
}

/* ------------------------------------------------------------------ a ledger that cannot be written */

#define FULL 100000

/* A ledger that is as long as a file may become. */
static void fill_ledger(void)
{
    char *full = malloc(FULL + 1);

    memset(full, 'x', FULL);
    full[FULL - 1] = '\n';
    full[FULL] = '\0';
    folder_write(fx.folder, LEDGER, full);
    free(full);
}

/* In a child, with a ledger that may not grow: as on a full disk. Returns what the child exited with. */
static int with_a_full_disk(int (*work)(void))
{
    const struct rlimit full = {.rlim_cur = FULL, .rlim_max = RLIM_INFINITY};
    int status = 0;
    pid_t pid;

    fixture_stop(&fx);
    pid = fork();
    if (pid == 0) {
        CK_C_INITIALIZE_ARGS args = {.flags = CKF_OS_LOCKING_OK};
        int result;

        if (fx.p11->C_Initialize(&args) != CKR_OK)
            _exit(98);
        fx.session = fixture_session(&fx);
        if (fixture_login(&fx, FIXTURE_PIN) != CKR_OK)
            _exit(97);
        forget_ledger();
        fill_ledger();
        if (setrlimit(RLIMIT_FSIZE, &full) != 0)
            _exit(96);
        result = work();
        fx.p11->C_Finalize(NULL);
        _exit(result);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int sign_and_be_denied(void)
{
    struct use_result signature;

    if (use_sign(&fx, fx.session, key(KEY_PLAIN_RSA), &signature) != CKR_FUNCTION_FAILED)
        return 1;
    if (!use_result_is_untouched(&signature))
        return 2;
    return use_sign_data(&fx, fx.session, &signature) == CKR_OPERATION_NOT_INITIALIZED ? 0 : 3;
}

static int sign_and_succeed(void)
{
    struct use_result signature;

    return use_sign(&fx, fx.session, key(KEY_PLAIN_RSA), &signature) == CKR_OK ? 0 : 1;
}

static void full_disk_denies(void **state)
{
    char *ledger;
    char *log;

    (void)state;
    isolated_lacks(__func__, "the limit that the test sets is the program's own, not the agent's");
    script_set(&fx, RIGHT);
    assert_int_equal(with_a_full_disk(sign_and_be_denied), 0);
    assert_int_equal(script_asked(&fx), 1);
    ledger = folder_read(fx.folder, LEDGER);
    assert_int_equal(strlen(ledger), FULL);
    log = fixture_log(&fx);
    assert_contains(log, "ledger.jsonl cannot be written (File too large)");
    free(ledger);
    free(log);
}

static void unwritable_ledger_denies(void **state)
{
    struct use_result signature;
    char path[FOLDER_PATH_MAX];
    char *log;

    (void)state;
    assert_int_equal(mkdir(folder_path(fx.folder, LEDGER, path), 0700), 0); /* after the login */
    for (int i = 0; i < 2; i++) {
        script_set(&fx, RIGHT);
        assert_rv(use_sign(&fx, fx.session, key(i ? KEY_HIGH_RSA : KEY_PLAIN_RSA), &signature), CKR_FUNCTION_FAILED);
        assert_true(use_result_is_untouched(&signature));
        assert_rv(use_sign_data(&fx, fx.session, &signature), CKR_OPERATION_NOT_INITIALIZED);
    }
    log = fixture_log(&fx);
    assert_contains(log, "ledger.jsonl");
    assert_contains(log, "denied, because what is allowed must be in the ledger");
    free(log);
    /* A denial stays the denial that it was. */
    script_set(&fx, "cancel\n");
    assert_rv(use_sign(&fx, fx.session, key(KEY_HIGH_RSA), &signature), CKR_FUNCTION_CANCELED);
    assert_int_equal(rmdir(path), 0);
}

static void unwritable_ledger_denies_a_login(void **state)
{
    CK_SESSION_INFO info;

    (void)state;
    fixture_stop(&fx);
    fixture_start(&fx, "[ledger]\nfile = /dev/full\n");
    script_set(&fx, RIGHT);
    assert_rv(fx.p11->C_Login(fx.session, CKU_USER, NULL, 0), CKR_FUNCTION_FAILED);
    assert_ok(fx.p11->C_GetSessionInfo(fx.session, &info));
    assert_int_equal(info.state, CKS_RW_PUBLIC_SESSION);
    assert_rv(fixture_login(&fx, FIXTURE_PIN), CKR_FUNCTION_FAILED);
    assert_ok(fx.p11->C_GetSessionInfo(fx.session, &info));
    assert_int_equal(info.state, CKS_RW_PUBLIC_SESSION);
}

static void ledger_that_is_not_required_allows(void **state)
{
    struct use_result signature;
    char *log;

    (void)state;
    fixture_stop(&fx);
    fixture_start_logged_in(&fx, "[ledger]\nfile = /dev/full\nrequired = no\n");
    script_set(&fx, RIGHT);
    assert_ok(use_sign(&fx, fx.session, key(KEY_HIGH_RSA), &signature));
    assert_true(use_signature_is_good(&fx, KEY_HIGH_RSA, &signature));
    log = fixture_log(&fx);
    assert_contains(log, "/dev/full is not a file that only you can write");
    free(log);
    script_set(&fx, RIGHT);
    fixture_configure(&fx, "[ledger]\nrequired = no\n");
    assert_int_equal(with_a_full_disk(sign_and_succeed), 0);
}

/* Where the lines also go may be missing: that is a line in the log. */
static void missing_journal_denies_nothing(void **state)
{
    struct use_result signature;
    char *log;

    (void)state;
    fixture_stop(&fx);
    fixture_start_logged_in(&fx, "[ledger]\njournal = journald\n");
    forget_ledger();
    script_set(&fx, RIGHT);
    assert_ok(use_sign(&fx, fx.session, key(KEY_HIGH_RSA), &signature));
    told(1, "sign", "allowed", "asked", CKR_OK);
    log = fixture_log(&fx);
    if (access("/run/systemd/journal/socket", F_OK) != 0)
        assert_contains(log, "did not reach /run/systemd/journal/socket");
    free(log);
}

static int begin(void **state)
{
    (void)state;
    fixture_begin(&fx, KEYS_HIGH_RSA | KEYS_PLAIN_RSA);
    return 0;
}

static int end(void **state)
{
    (void)state;
    fixture_end(&fx);
    return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(signature_leaves_its_line),
        TEST(multi_part_has_no_data),
        TEST(denials_leave_their_lines),
        TEST(refusals_leave_their_lines),
        TEST(logins_leave_their_lines),
        TEST(applications_pin_leaves_its_line),
        TEST(full_disk_denies),
        TEST(unwritable_ledger_denies),
        TEST(unwritable_ledger_denies_a_login),
        TEST(ledger_that_is_not_required_allows),
        TEST(missing_journal_denies_nothing),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
