/* A host with busy threads forks again and again: its children exit, or begin anew, and the threads notice nothing. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/fork_among.h"
#include "support/mock.h"
#include "support/process_state.h"
#include "support/test.h"

#define THREADS  3
#define CHILDREN 40

enum object { PRIVATE = 1 };

static struct fixture fx;
static _Atomic bool enough;
static CK_MECHANISM rsa = {CKM_RSA_PKCS, NULL, 0};

static bool is_child;

/* LeakSanitizer asks. What a child holds when it exits is no leak: neither what it has made, nor what its parent had,
 * which the wiped mapping no longer leads to. */
int __lsan_is_turned_off(void);

__attribute__((visibility("default"))) int __lsan_is_turned_off(void)
{
    return is_child;
}

/* ThreadSanitizer asks. Each process that exits waits a second for what its threads may yet do; of the children here, of
 * which there are a hundred and more, none has any. */
const char *__tsan_default_options(void);

__attribute__((visibility("default"))) const char *__tsan_default_options(void)
{
    return "atexit_sleep_ms=0";
}

static int stop(void **state)
{
    (void)state;
    fixture_stop(&fx);
    return process_has_child();
}

struct worker {
    pthread_t thread;
    CK_SESSION_HANDLE session;
    CK_RV rv; /* of the first call that failed */
    unsigned good;
};

/* Refused uses: each takes the locks of the session, the ledger and the log. */
static void *be_refused(void *argument)
{
    struct worker *worker = argument;

    while (!atomic_load(&enough) && worker->rv == CKR_OK) {
        CK_RV rv;

        fork_work_begin();
        rv = fx.p11->C_EncryptInit(worker->session, &rsa, PRIVATE);
        fork_work_end();
        worker->rv = rv == CKR_KEY_TYPE_INCONSISTENT ? CKR_OK : CKR_GENERAL_ERROR;
        worker->good++;
    }
    return NULL;
}

/* Forks while the threads work; life is what a child does before it exits with all its handlers. */
static void fork_among_threads(struct worker workers[THREADS], void life(void))
{
    int status;

    atomic_store(&enough, false);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&workers[i].thread, NULL, be_refused, &workers[i]), 0);
    for (int n = 0; n < CHILDREN; n++) {
        const pid_t pid = fork_among();

        assert_true(pid >= 0);
        if (pid == 0) {
            is_child = true;
            alarm(20); /* ends a child that waits for a lock which nobody holds any more */
            life();
            exit(0);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    atomic_store(&enough, true);
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(workers[i].thread, NULL);
        assert_rv(workers[i].rv, CKR_OK);
        assert_in_range(workers[i].good, 1, UINT32_MAX);
    }
}

static void just_exit(void)
{
}

static void unload(void)
{
    fixture_unload(&fx);
}

static void start_busy_mock(struct worker workers[THREADS])
{
    struct mock_backend *mock = mock_reset();

    mock->objects[PRIVATE] = (struct mock_object){.exists = true, .object_class = CKO_PRIVATE_KEY};
    mock_start(&fx, "");
    for (size_t i = 0; i < THREADS; i++)
        workers[i] = (struct worker){.session = fixture_session(&fx)};
}

static void children_exit(void **state)
{
    static void (*const lives[])(void) = {just_exit, unload};
    struct worker workers[THREADS];

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        start_busy_mock(workers);
        fork_among_threads(workers, lives[i]);
        fixture_stop(&fx);
    }
}

/* Initialised anew, the child has its own sessions and logins; it finds every lock of the gate's free. (Not so with
 * SoftHSM2, whose locks are its own: docs/hosts.md.) */
static void begin_anew(void)
{
    if (fx.p11->C_Initialize(NULL) != CKR_OK)
        _exit(2);
    if (fx.p11->C_OpenSession(fx.slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &fx.session) != CKR_OK)
        _exit(3);
    if (fixture_login(&fx, FIXTURE_PIN) != CKR_OK)
        _exit(4);
    if (fx.p11->C_EncryptInit(fx.session, &rsa, PRIVATE) != CKR_KEY_TYPE_INCONSISTENT)
        _exit(5);
    if (fx.p11->C_Finalize(NULL) != CKR_OK)
        _exit(6);
}

static void children_begin_anew(void **state)
{
    struct worker workers[THREADS];

    (void)state;
    start_busy_mock(workers);
    fork_among_threads(workers, begin_anew);
}

static int begin(void **state)
{
    (void)state;
    fixture_begin_bare(&fx);
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
        TEST(children_exit),
        TEST(children_begin_anew),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
