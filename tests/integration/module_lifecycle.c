/* The module lives in hosts that initialise twice, fork, unload it, or just exit. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/backend_direct.h"
#include "support/fixture.h"
#include "support/isolated.h"
#include "support/keys.h"
#include "support/lacks.h"
#include "support/p11_make.h"
#include "support/pinentry_script.h"
#include "support/process_state.h"
#include "support/test.h"
#include "support/use.h"

#define RIGHT "pin " FIXTURE_PIN "\n"

static struct fixture fx;

/* What a process holds when it exits, or forks, is no leak; LeakSanitizer does not look into the module's
 * mapping. */
extern void __lsan_disable(void) __attribute__((weak));
extern void __lsan_enable(void) __attribute__((weak));

static void leaks_allowed(bool allowed)
{
    if (allowed && __lsan_disable)
        __lsan_disable();
    if (!allowed && __lsan_enable)
        __lsan_enable();
}

static int stop(void **state)
{
    (void)state;
    fixture_stop(&fx);
    return 0;
}

static void expect_signs_unless(const char *name, const char *when, CK_RV lacking)
{
    struct use_result signature;
    CK_RV rv;

    script_set(&fx, RIGHT);
    rv = use_sign(&fx, fx.session, key_private(fx.p11, fx.session, KEY_HIGH_RSA), &signature);
    if (name)
        lacks_on(name, when, rv, lacking);
    assert_ok(rv);
    assert_true(use_signature_is_good(&fx, KEY_HIGH_RSA, &signature));
    assert_int_equal(script_asked(&fx), 1);
}

static void expect_signs(void)
{
    expect_signs_unless(NULL, NULL, CKR_OK);
}

/* ------------------------------------------------------------------ C_Initialize and C_Finalize */

static void initialized_once(void **state)
{
    struct backend_direct direct;
    CK_VERSION version;
    CK_INFO info;

    (void)state;
    backend_direct_open(&direct);
    version = backend_direct_version(&direct);
    backend_direct_close(&direct);
    fixture_start_logged_in(&fx, "");
    assert_rv(fx.p11->C_Initialize(NULL), CKR_CRYPTOKI_ALREADY_INITIALIZED);
    assert_ok(fx.p11->C_GetInfo(&info));
    assert_memory_equal(&info.cryptokiVersion, &version, sizeof version);
    assert_memory_equal(info.manufacturerID, "Pinward                         ", 32);
    assert_rv(fx.p11->C_GetInfo(NULL), CKR_ARGUMENTS_BAD);
    assert_rv(fx.p11->C_Finalize(&info), CKR_ARGUMENTS_BAD);
    expect_signs();
    assert_ok(fx.p11->C_Finalize(NULL));
    assert_rv(fx.p11->C_Finalize(NULL), CKR_CRYPTOKI_NOT_INITIALIZED);
}

/* A login, a grace and a session end with C_Finalize. */
static void nothing_outlives_finalize(void **state)
{
    CK_SESSION_HANDLE old;
    CK_SESSION_INFO info;

    (void)state;
    fixture_start(&fx, "");
    script_set(&fx, RIGHT);
    assert_ok(fx.p11->C_Login(fx.session, CKU_USER, NULL, 0));
    old = fx.session;
    fixture_stop(&fx);
    fixture_start(&fx, "");
    assert_ok(fx.p11->C_GetSessionInfo(fx.session, &info));
    assert_int_equal(info.state, CKS_RW_PUBLIC_SESSION);
    assert_true(old == fx.session || fx.p11->C_GetSessionInfo(old, &info) == CKR_SESSION_HANDLE_INVALID);
    assert_int_equal(key_find(fx.p11, fx.session, CKO_PRIVATE_KEY, KEY_HIGH_RSA), CK_INVALID_HANDLE);
}

static void restarting_leaks_no_descriptor(void **state)
{
    int descriptors;

    (void)state;
    fixture_start_logged_in(&fx, "");
    fixture_stop(&fx);
    descriptors = process_descriptors();
    for (int n = 0; n < 5; n++) {
        fixture_start_logged_in(&fx, "");
        expect_signs();
        fixture_stop(&fx);
    }
    assert_int_equal(process_descriptors(), descriptors);
}

/* ------------------------------------------------------------------ loading */

static void unloaded_and_loaded_again(void **state)
{
    (void)state;
    for (int n = 0; n < 3; n++) {
        fixture_start_logged_in(&fx, "");
        expect_signs();
        fixture_stop(&fx);
        fixture_unload(&fx);
        fixture_load(&fx);
    }
}

/* ------------------------------------------------------------------ fork */

/* Runs check in a forked child; its return value is 0 when all is well, else the line that is not. */
static void in_child(int check(void))
{
    int status = 0;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        alarm(20);
        _exit(check() == 0 ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

#define CHECK(condition)                                                                                     \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            dprintf(STDERR_FILENO, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                           \
            return __LINE__;                                                                                 \
        }                                                                                                    \
    } while (0)

/* PKCS#11 2.40, 6.7.4: a child has not initialised, whatever its parent did. */
static int check_not_initialized(void)
{
    static CK_BYTE room[1024];

    for (size_t i = 0; i < P11_CALL_COUNT; i++) {
        uintptr_t v[P11_CALL_PARAMETERS_MAX];

        if (i == CALL_C_Initialize || i == CALL_C_GetFunctionList)
            continue;
        for (size_t p = 0; p < P11_CALL_PARAMETERS_MAX; p++)
            v[p] = i == CALL_C_Finalize ? 0 : (uintptr_t)room;
        CHECK(p11_makers[i].make(fx.p11, v) == CKR_CRYPTOKI_NOT_INITIALIZED);
    }
    return 0;
}

static int check_child_signs(void)
{
    CK_C_INITIALIZE_ARGS args = {.flags = CKF_OS_LOCKING_OK};
    struct use_result signature;
    CK_SESSION_INFO info;

    CHECK(fx.p11->C_Initialize(&args) == CKR_OK);
    CHECK(fx.p11->C_OpenSession(fx.slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &fx.session) ==
          CKR_OK);
    CHECK(fx.p11->C_GetSessionInfo(fx.session, &info) == CKR_OK);
    CHECK(info.state == CKS_RW_PUBLIC_SESSION);
    CHECK(fixture_login(&fx, FIXTURE_PIN) == CKR_OK);
    script_set(&fx, RIGHT RIGHT);
    for (int n = 0; n < 2; n++) {
        const char *label = n == 0 ? KEY_HIGH_RSA : KEY_PLAIN_RSA;

        CHECK(use_sign(&fx, fx.session, key_private(fx.p11, fx.session, label), &signature) == CKR_OK);
        CHECK(use_signature_is_good(&fx, label, &signature));
    }
    CHECK(script_asked(&fx) == 2);
    CHECK(fx.p11->C_Finalize(NULL) == CKR_OK);
    return 0;
}

static int check_child(void)
{
    const int line = check_not_initialized();

    return line ? line : check_child_signs();
}

static void child_must_initialize_anew(void **state)
{
    (void)state;
    isolated_lacks(__func__, "p11-kit's client looks after forked children by itself");
    fixture_start_logged_in(&fx, "");
    expect_signs();
    in_child(check_child);
    /* tpm2-pkcs11's sessions with the TPM are the child's too, who ends them. */
    expect_signs_unless(__func__, "C_Sign after a forked child's C_Finalize", CKR_GENERAL_ERROR);
}

/* An operation that has its consent does not pass to a child. */
static void child_inherits_no_consent(void **state)
{
    struct use_result signature;

    (void)state;
    isolated_lacks(__func__, "p11-kit's client looks after forked children by itself");
    fixture_start_logged_in(&fx, "");
    script_set(&fx, RIGHT);
    assert_ok(use_sign_init(&fx, fx.session, key_private(fx.p11, fx.session, KEY_HIGH_RSA)));
    assert_ok(fx.p11->C_SignUpdate(fx.session, (CK_BYTE_PTR)USE_DATA, USE_DATA_LEN));
    in_child(check_not_initialized);
    use_result_init(&signature);
    assert_ok(fx.p11->C_SignFinal(fx.session, signature.bytes, &signature.len));
    assert_true(use_signature_is_good(&fx, KEY_HIGH_RSA, &signature));
}

static void *sign_on_thread(void *data)
{
    static struct use_result signature;

    (void)data;
    return (void *)(uintptr_t)use_sign_data(&fx, fx.session, &signature);
}

static void fork_during_a_question(void **state)
{
    pthread_t thread;
    void *rv;

    (void)state;
    isolated_lacks(__func__, "p11-kit's client looks after forked children by itself");
    fixture_start_logged_in(&fx, "");
    script_set(&fx, "late 500 " FIXTURE_PIN "\n");
    assert_ok(use_sign_init(&fx, fx.session, key_private(fx.p11, fx.session, KEY_HIGH_RSA)));
    assert_int_equal(pthread_create(&thread, NULL, sign_on_thread, NULL), 0);
    script_wait_question(&fx);
    in_child(check_not_initialized);
    pthread_join(thread, &rv);
    assert_int_equal((uintptr_t)rv, CKR_OK);
}

/* ------------------------------------------------------------------ exit */

/* Ends a child with exit, handlers and destructors and all; the module is as before() left it. */
static void exits_cleanly(void before(void))
{
    int status = 0;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        alarm(20);
        leaks_allowed(true);
        before();
        exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void sign_and_stay_initialized(void)
{
    struct use_result signature;

    fixture_start_logged_in(&fx, "");
    script_set(&fx, RIGHT);
    if (use_sign(&fx, fx.session, key_private(fx.p11, fx.session, KEY_HIGH_RSA), &signature) != CKR_OK ||
        use_sign_init(&fx, fx.session, key_private(fx.p11, fx.session, KEY_HIGH_RSA)) != CKR_OK)
        _exit(1);
}

static void unload_initialized(void)
{
    sign_and_stay_initialized();
    fixture_unload(&fx);
}

static void finalize_late(void)
{
    CK_RV rv = fx.p11->C_CloseAllSessions(fx.slot);

    if (rv == CKR_OK || rv == CKR_CRYPTOKI_NOT_INITIALIZED)
        rv = fx.p11->C_Finalize(NULL);
    if (rv != CKR_OK && rv != CKR_CRYPTOKI_NOT_INITIALIZED)
        _exit(1);
}

/* A host's library that closes its sessions and finalizes from an exit handler which was registered before the module
 * was loaded, as NSS does in pdfsig: SoftHSM2's own destructors have run by then, and it crashes there. */
static void finalize_from_an_exit_handler(void)
{
    fixture_unload(&fx);
    if (atexit(finalize_late) != 0)
        _exit(1);
    fixture_load(&fx);
    sign_and_stay_initialized();
}

static void exit_without_finalize(void **state)
{
    (void)state;
    exits_cleanly(sign_and_stay_initialized);
    exits_cleanly(unload_initialized);
    exits_cleanly(finalize_from_an_exit_handler);
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

#define TEST(f) cmocka_unit_test_teardown(f, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(exit_without_finalize), /* first: its children must find the module as the parent left it, unused
                                      */
        TEST(initialized_once),
        TEST(nothing_outlives_finalize),
        TEST(restarting_leaks_no_descriptor),
        TEST(unloaded_and_loaded_again),
        TEST(child_must_initialize_anew),
        TEST(child_inherits_no_consent),
        TEST(fork_during_a_question),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
