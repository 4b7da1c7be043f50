/* A backend that comes back to the module while it is being initialised or finalised, as p11-kit's proxy does where
 * the module is registered in p11-kit too: it gets an answer, and the module works. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "support/mock.h"
#include "support/test.h"

static struct fixture fx;
static bool on_another_thread;
static CK_RV initialize_answer, finalize_answer, slots_answer;

static int start(void **state)
{
    (void)state;
    mock_reset();
    mock_configure(&fx, mock_backend_path(), "");
    folder_unlink(fx.folder, "pinward.log");
    initialize_answer = finalize_answer = slots_answer = CKR_OK;
    return 0;
}

static int stop(void **state)
{
    (void)state;
    mock_reset();
    fixture_stop(&fx);
    return 0;
}

static void *come_back(void *unused)
{
    CK_ULONG count = 0;

    (void)unused;
    initialize_answer = fx.p11->C_Initialize(NULL);
    slots_answer = fx.p11->C_GetSlotList(CK_TRUE, NULL, &count);
    if (!on_another_thread) /* there each wait is a long one */
        finalize_answer = fx.p11->C_Finalize(NULL);
    return NULL;
}

/* The backend waits for the thread, as one that takes a lock waits for who holds it. */
static void come_back_during(enum p11_call call)
{
    pthread_t thread;

    (void)call;
    if (!on_another_thread) {
        come_back(NULL);
        return;
    }
    assert_int_equal(pthread_create(&thread, NULL, come_back, NULL), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
}

static void assert_it_works(void)
{
    CK_SESSION_HANDLE session;
    CK_INFO info;

    assert_ok(fx.p11->C_GetInfo(&info));
    assert_ok(fx.p11->C_OpenSession(1, CKF_SERIAL_SESSION, NULL, NULL, &session));
    assert_ok(fx.p11->C_CloseSession(session));
}

static void comes_back_while_initialised(void)
{
    mock_reset()->meanwhile = come_back_during;
    assert_ok(fx.p11->C_Initialize(NULL));
    assert_rv(initialize_answer, CKR_GENERAL_ERROR);
    assert_rv(slots_answer, CKR_CRYPTOKI_NOT_INITIALIZED);
    assert_it_works();
    mock_reset();
    assert_it_works();
    assert_ok(fx.p11->C_Finalize(NULL));
}

static void comes_back_in_the_same_thread(void **state)
{
    char *log;

    (void)state;
    on_another_thread = false;
    comes_back_while_initialised();
    assert_rv(finalize_answer, CKR_CRYPTOKI_NOT_INITIALIZED);
    log = folder_read(fx.folder, "pinward.log");
    assert_contains(log, "the backend has loaded pinward too");
    free(log);
}

static void comes_back_in_another_thread(void **state)
{
    char *log;

    (void)state;
    on_another_thread = true;
    comes_back_while_initialised();
    log = folder_read(fx.folder, "pinward.log");
    assert_contains(log, "another thread has not ended");
    free(log);
}

static void comes_back_while_finalised(void **state)
{
    (void)state;
    on_another_thread = false;
    assert_ok(fx.p11->C_Initialize(NULL));
    mock_reset()->meanwhile = come_back_during;
    assert_ok(fx.p11->C_Finalize(NULL));
    assert_rv(initialize_answer, CKR_GENERAL_ERROR);
    assert_rv(slots_answer, CKR_CRYPTOKI_NOT_INITIALIZED);
    assert_rv(finalize_answer, CKR_CRYPTOKI_NOT_INITIALIZED);
    mock_reset();
    assert_ok(fx.p11->C_Initialize(NULL)); /* and once more, whole */
    assert_it_works();
    assert_ok(fx.p11->C_Finalize(NULL));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(comes_back_in_the_same_thread),
        TEST(comes_back_while_finalised),
        TEST(comes_back_in_another_thread),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
