/* C_Initialize and C_Finalize, and the threads that are in the module meanwhile. */
#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "support/mock.h"
#include "support/pinentry_script.h"
#include "support/process_state.h"
#include "support/test.h"

#define THREADS 8

enum object { PRIVATE = 1 };

static struct fixture fx;
static struct mock_backend *mock;
static CK_MECHANISM rsa = {CKM_RSA_PKCS, NULL, 0};

static int stop(void **state)
{
    (void)state;
    fixture_stop(&fx);
    return process_has_child();
}

static void start_mock(CK_STATE session_state)
{
    mock = mock_reset();
    mock->session_state = session_state;
    mock->objects[PRIVATE] = (struct mock_object){.exists = true, .object_class = CKO_PRIVATE_KEY};
    mock_start(&fx, "pin-tries = 0\n");
    script_set(&fx, "");
}

/* ------------------------------------------------------------------ many at once */

struct starter {
    pthread_t thread;
    pthread_barrier_t *start;
    CK_RV rv;
};

static void *initialize(void *argument)
{
    struct starter *starter = argument;

    pthread_barrier_wait(starter->start);
    starter->rv = fx.p11->C_Initialize(NULL);
    return NULL;
}

/* SoftHSM2 by itself crashes when its C_Initialize is called by several threads. */
static void one_of_many_threads_initializes(void **state)
{
    struct starter starters[THREADS];
    pthread_barrier_t barrier;

    (void)state;
    fixture_configure(&fx, "");
    pthread_barrier_init(&barrier, NULL, THREADS);
    for (int round = 0; round < 8; round++) {
        unsigned initialized = 0;

        for (size_t i = 0; i < THREADS; i++) {
            starters[i] = (struct starter){.start = &barrier};
            assert_int_equal(pthread_create(&starters[i].thread, NULL, initialize, &starters[i]), 0);
        }
        for (size_t i = 0; i < THREADS; i++) {
            pthread_join(starters[i].thread, NULL);
            assert_true(starters[i].rv == CKR_OK || starters[i].rv == CKR_CRYPTOKI_ALREADY_INITIALIZED);
            initialized += starters[i].rv == CKR_OK;
        }
        assert_int_equal(initialized, 1);
        assert_ok(fx.p11->C_Finalize(NULL));
    }
    pthread_barrier_destroy(&barrier);
}

/* ------------------------------------------------------------------ finalized under a thread */

struct caller {
    pthread_t thread;
    enum p11_call call;
    CK_RV rv;
};

static void *give_pin(void *argument)
{
    struct caller *caller = argument;
    CK_BYTE_PTR pin = (CK_BYTE_PTR)FIXTURE_PIN;
    const CK_ULONG len = strlen(FIXTURE_PIN);

    switch (caller->call) {
    case CALL_C_Login:
        caller->rv = fx.p11->C_Login(fx.session, CKU_USER, pin, len);
        break;
    case CALL_C_SetPIN:
        caller->rv = fx.p11->C_SetPIN(fx.session, pin, len, pin, len);
        break;
    case CALL_C_InitPIN:
        caller->rv = fx.p11->C_InitPIN(fx.session, pin, len);
        break;
    default:
        caller->rv = fx.p11->C_InitToken(fx.slot, pin, len, (CK_BYTE_PTR) "token                           ");
    }
    return NULL;
}

/* The backend is not taken from under a PIN that it is looking at. */
static void finalize_waits_for_pins(void **state)
{
    static const enum p11_call calls[] = {CALL_C_Login, CALL_C_SetPIN, CALL_C_InitPIN, CALL_C_InitToken};

    (void)state;
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        struct caller caller = {.call = calls[i]};

        start_mock(calls[i] == CALL_C_InitPIN ? CKS_RW_SO_FUNCTIONS : CKS_RW_PUBLIC_SESSION);
        mock->delay_ms[calls[i]] = 150;
        assert_int_equal(pthread_create(&caller.thread, NULL, give_pin, &caller), 0);
        mock_wait_inside(mock, 1);
        assert_ok(fx.p11->C_Finalize(NULL));
        assert_int_equal(atomic_load(&mock->inside), 0);
        pthread_join(caller.thread, NULL);
        assert_ok(caller.rv);
        assert_false(atomic_load(&mock->finalized_under_a_call));
        fixture_stop(&fx);
    }
}

static void *be_refused(void *argument)
{
    struct caller *caller = argument;

    do
        caller->rv = fx.p11->C_EncryptInit(fx.session, &rsa, PRIVATE);
    while (caller->rv == CKR_KEY_TYPE_INCONSISTENT);
    return NULL;
}

/* Threads that no question and no consent holds: they see the end, or what there was before it, and nothing else. */
static void finalized_among_refusals(void **state)
{
    struct caller callers[THREADS];

    (void)state;
    for (int round = 0; round < 10; round++) {
        start_mock(CKS_RW_USER_FUNCTIONS);
        for (size_t i = 0; i < THREADS; i++)
            assert_int_equal(pthread_create(&callers[i].thread, NULL, be_refused, &callers[i]), 0);
        process_sleep_ms(5);
        assert_ok(fx.p11->C_Finalize(NULL));
        for (size_t i = 0; i < THREADS; i++) {
            pthread_join(callers[i].thread, NULL);
            assert_int_not_equal(callers[i].rv, CKR_OK);
        }
    }
}

static void *use_unknown_session(void *argument)
{
    struct caller *caller = argument;
    CK_BYTE data[4] = "data", signature[256];
    CK_ULONG len = sizeof signature;

    caller->rv = caller->call == CALL_C_Sign ? fx.p11->C_Sign(50, data, sizeof data, signature, &len)
                                             : fx.p11->C_SignInit(50, &rsa, PRIVATE);
    return NULL;
}

/* A thread that comes with a session that the gate no longer knows, since C_Finalize has just forgotten all, while the
 * backend still does: it makes no record of it behind C_Finalize's back, and hears what has happened. */
static void finalized_under_a_session_that_is_looked_up(void **state)
{
    static const enum p11_call calls[] = {CALL_C_Sign, CALL_C_SignInit};

    (void)state;
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        struct caller caller = {.call = calls[i]};

        start_mock(CKS_RW_USER_FUNCTIONS);
        mock->next_session = 100;
        mock->delay_ms[CALL_C_GetSessionInfo] = 150;
        assert_int_equal(pthread_create(&caller.thread, NULL, use_unknown_session, &caller), 0);
        mock_wait_inside(mock, 1);
        assert_ok(fx.p11->C_Finalize(NULL));
        pthread_join(caller.thread, NULL);
        assert_rv(caller.rv, CKR_CRYPTOKI_NOT_INITIALIZED);
        assert_int_equal(mock->calls[CALL_C_Sign] + mock->calls[CALL_C_SignInit], 0);
        fixture_stop(&fx);
    }
}

/* ------------------------------------------------------------------ no thread of its own */

static int count_threads(void)
{
    DIR *tasks = opendir("/proc/self/task");
    int n = -2; /* "." and ".." */

    assert_non_null(tasks);
    while (readdir(tasks))
        n++;
    closedir(tasks);
    return n;
}

static void *login_asking(void *argument)
{
    struct caller *caller = argument;

    caller->rv = fx.p11->C_Login(fx.session, CKU_USER, NULL, 0);
    return NULL;
}

/* CKF_LIBRARY_CANT_CREATE_OS_THREADS holds, also while a question is on the screen. */
static void no_thread_is_made(void **state)
{
    const int before = count_threads();
    struct caller caller = {.rv = CKR_OK};

    (void)state;
    start_mock(CKS_RW_PUBLIC_SESSION);
    script_set(&fx, "hang\n");
    assert_int_equal(pthread_create(&caller.thread, NULL, login_asking, &caller), 0);
    script_wait_question(&fx);
    assert_int_equal(count_threads(), before + 1); /* the one that asks */
    assert_ok(fx.p11->C_Finalize(NULL));
    pthread_join(caller.thread, NULL);
    assert_rv(caller.rv, CKR_CRYPTOKI_NOT_INITIALIZED);
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
        TEST(one_of_many_threads_initializes),
        TEST(finalize_waits_for_pins),
        TEST(finalized_among_refusals),
        TEST(finalized_under_a_session_that_is_looked_up),
        TEST(no_thread_is_made),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
