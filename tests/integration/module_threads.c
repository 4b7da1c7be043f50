/* Threads with sessions of their own: at level low and at level high. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "support/fixture.h"
#include "support/isolated.h"
#include "support/keys.h"
#include "support/lacks.h"
#include "support/pinentry_script.h"
#include "support/process_state.h"
#include "support/test.h"
#include "support/use.h"

#define THREADS 8

static struct fixture fx;

struct worker {
    pthread_t thread;
    const char *label;
    unsigned rounds;
    unsigned good;
    CK_RV rv; /* of the first call that failed */
    CK_OBJECT_HANDLE key;
    CK_SESSION_HANDLE session;
    struct use_result signature;
};

static int stop(void **state)
{
    (void)state;
    fixture_stop(&fx);
    return process_has_child();
}

static void *work(void *data)
{
    struct worker *worker = data;

    for (unsigned n = 0; n < worker->rounds && worker->rv == CKR_OK; n++) {
        worker->rv = use_sign(&fx, worker->session, worker->key, &worker->signature);
        if (worker->rv == CKR_OK)
            worker->good++;
    }
    return NULL;
}

static void run(struct worker workers[THREADS], const char *const labels[2], unsigned rounds)
{
    for (size_t i = 0; i < THREADS; i++) {
        workers[i] =
            (struct worker){.label = labels[i % 2], .rounds = rounds, .session = fixture_session(&fx)};
        workers[i].key = key_private(fx.p11, workers[i].session, workers[i].label);
    }
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(workers[i].thread, NULL);
}

static void expect_all_good(struct worker workers[THREADS])
{
    for (size_t i = 0; i < THREADS; i++) {
        assert_rv(workers[i].rv, CKR_OK);
        assert_int_equal(workers[i].good, workers[i].rounds);
        assert_true(use_signature_is_good(&fx, workers[i].label, &workers[i].signature));
    }
}

static void at_low(void **state)
{
    static const char *const labels[] = {KEY_PLAIN_RSA, KEY_PLAIN_RSA};
    struct worker workers[THREADS];

    (void)state;
    fixture_start_logged_in(&fx, "level = low\n");
    script_set(&fx, "");
    run(workers, labels, 25);
    expect_all_good(workers);
    assert_int_equal(script_asked(&fx), 0);
}

/* Each signature of each thread asks, also while others are asking, and each answer serves the thread that
 * asked. */
static void at_high(void **state)
{
    static const char *const labels[] = {KEY_HIGH_RSA, KEY_PLAIN_RSA};
    struct worker workers[THREADS];
    char answers[4 * THREADS * 64] = "";
    int64_t start_ms;

    (void)state;
    lacks_login_for_one_operation(__func__);
    for (int n = 0; n < 2 * THREADS; n++)
        strcat(answers, "late 200 " FIXTURE_PIN "\n");
    fixture_start_logged_in(&fx, "");
    script_set(&fx, answers);
    start_ms = process_now_ms();
    run(workers, labels, 2);
    expect_all_good(workers);
    assert_int_equal(script_asked(&fx), 2 * THREADS);
    /* Asked side by side: one after the other they would take 16 times as long as one. Behind the agent much else takes its
     * time, and agent_story.py shows it. */
    assert_true(isolated() || process_now_ms() - start_ms < 2L * THREADS * 200);
}

/* Some agree and some do not: nobody signs with another's consent. */
static void mixed_answers(void **state)
{
    static const char *const labels[] = {KEY_HIGH_RSA, KEY_PLAIN_RSA};
    struct worker workers[THREADS];
    unsigned good = 0;

    (void)state;
    lacks_login_for_one_operation(__func__);
    fixture_start_logged_in(&fx, "");
    script_set(&fx, "late 50 " FIXTURE_PIN "\ncancel\nlate 50 " FIXTURE_PIN "\ncancel\nlate 50 " FIXTURE_PIN
                    "\ncancel\ncancel\ncancel\n");
    run(workers, labels, 1);
    for (size_t i = 0; i < THREADS; i++) {
        assert_true(workers[i].rv == CKR_OK || workers[i].rv == CKR_FUNCTION_CANCELED);
        assert_int_equal(use_result_is_untouched(&workers[i].signature), workers[i].rv != CKR_OK);
        good += workers[i].good;
    }
    assert_int_equal(good, 3);
}

/* Sessions come and go while others sign, and C_Logout in the middle of it all. */
static void *open_and_close(void *data)
{
    CK_RV *rv = data;

    for (int n = 0; n < 200 && *rv == CKR_OK; n++) {
        CK_SESSION_HANDLE session;

        *rv = fx.p11->C_OpenSession(fx.slot, CKF_SERIAL_SESSION, NULL, NULL, &session);
        if (*rv == CKR_OK)
            *rv = fx.p11->C_CloseSession(session);
    }
    return NULL;
}

static void sessions_come_and_go(void **state)
{
    static const char *const labels[] = {KEY_PLAIN_RSA, KEY_PLAIN_RSA};
    struct worker workers[THREADS];
    pthread_t threads[2];
    CK_RV rvs[2] = {CKR_OK, CKR_OK};

    (void)state;
    fixture_start_logged_in(&fx, "level = low\n");
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, open_and_close, &rvs[i]), 0);
    run(workers, labels, 10);
    for (size_t i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
        assert_rv(rvs[i], CKR_OK);
    }
    expect_all_good(workers);
}

static void logout_in_the_middle(void **state)
{
    static const char *const labels[] = {KEY_HIGH_RSA, KEY_PLAIN_RSA};
    struct worker workers[THREADS];

    (void)state;
    isolated_lacks(__func__, "the ninth call of a program waits for one of the other eight");
    for (int round = 0; round < 3; round++) {
        char answers[THREADS * 64] = "";

        for (int n = 0; n < THREADS; n++)
            strcat(answers, "late 300 " FIXTURE_PIN "\n");
        fixture_start_logged_in(&fx, "");
        script_set(&fx, answers);
        for (size_t i = 0; i < THREADS; i++) {
            workers[i] =
                (struct worker){.label = labels[i % 2], .rounds = 1, .session = fixture_session(&fx)};
            workers[i].key = key_private(fx.p11, workers[i].session, workers[i].label);
            assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
        }
        script_wait_question(&fx);
        assert_ok(fx.p11->C_Logout(fx.session));
        for (size_t i = 0; i < THREADS; i++) {
            pthread_join(workers[i].thread, NULL);
            assert_int_not_equal(workers[i].rv, CKR_OK);
            assert_true(use_result_is_untouched(&workers[i].signature));
        }
        fixture_stop(&fx);
    }
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
        TEST(at_low),
        TEST(at_high),
        TEST(mixed_answers),
        TEST(sessions_come_and_go),
        TEST(logout_in_the_middle),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
