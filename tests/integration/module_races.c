/* Threads that meet in the gate: one consent is one use, whoever comes first; what is ended meanwhile stays
 * ended; the backend is not taken from under a call; and handles that belong to somebody else serve nobody.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "support/isolated.h"
#include "support/keys.h"
#include "support/mock.h"
#include "support/pinentry_script.h"
#include "support/process_state.h"
#include "support/test.h"
#include "support/use.h"

#define RIGHT       "pin " FIXTURE_PIN "\n"
#define THREADS     4
#define PROMPTLY_MS 2000

enum object { SECRET = 1, PRIVATE };

static struct fixture fx;
static struct mock_backend *mock;
static CK_MECHANISM rsa = {CKM_RSA_PKCS, NULL, 0};

/* A thread that signs, once or until it is told no. */
struct signer {
    pthread_t thread;
    pthread_barrier_t *start; /* NULL: at once */
    CK_SESSION_HANDLE session;
    CK_OBJECT_HANDLE key;
    _Atomic unsigned good;
    CK_RV rv; /* of the last call */
    struct use_result signature;
};

static int stop(void **state)
{
    (void)state;
    fixture_stop(&fx);
    return process_has_child();
}

static void start_mock(const char *lines)
{
    mock = mock_reset();
    mock->objects[SECRET] = (struct mock_object){.exists = true, .object_class = CKO_SECRET_KEY};
    mock->objects[PRIVATE] =
        (struct mock_object){.exists = true, .object_class = CKO_PRIVATE_KEY, .key_type = CKK_GOSTR3410};
    mock->reuses_sessions = true;
    mock_start(&fx, lines);
    assert_ok(fixture_login(&fx, FIXTURE_PIN));
    script_set(&fx, "");
}

static void *sign_data(void *argument)
{
    struct signer *signer = argument;

    if (signer->start)
        pthread_barrier_wait(signer->start);
    signer->rv = use_sign_data(&fx, signer->session, &signer->signature);
    signer->good += signer->rv == CKR_OK;
    return NULL;
}

static void signer_start(struct signer *signer, void *run(void *))
{
    assert_int_equal(pthread_create(&signer->thread, NULL, run, signer), 0);
}

static void answer_many(const char *answer, unsigned count)
{
    char answers[4096] = "";

    for (unsigned i = 0; i < count; i++)
        strcat(answers, answer);
    script_set(&fx, answers);
}

/* ------------------------------------------------------------------ a logout while others sign */

static void *sign_until_refused(void *argument)
{
    struct signer *signer = argument;

    do {
        signer->rv = use_sign(&fx, signer->session, signer->key, &signer->signature);
        signer->good += signer->rv == CKR_OK;
    } while (signer->rv == CKR_OK);
    return NULL;
}

/* A backend may be slow: the logout is to come between signatures, not before the first. */
static void wait_for_a_signature(const struct signer signers[THREADS])
{
    unsigned good = 0;

    for (int tries = 0; tries < 1000 && good == 0; tries++) {
        process_sleep_ms(5);
        for (size_t i = 0; i < THREADS; i++)
            good += signers[i].good;
    }
}

static void logout_ends_all_signing(void **state)
{
    struct signer signers[THREADS];

    (void)state;
    for (int round = 0; round < 3; round++) {
        unsigned good = 0;

        fixture_start_logged_in(&fx, "level = medium\n");
        answer_many("ok\n", 1000);
        for (size_t i = 0; i < THREADS; i++) {
            signers[i] = (struct signer){.session = fixture_session(&fx)};
            signers[i].key = key_private(fx.p11, signers[i].session, KEY_PLAIN_RSA);
            signer_start(&signers[i], sign_until_refused);
        }
        wait_for_a_signature(signers);
        process_sleep_ms(100 + 50 * round);
        assert_ok(fx.p11->C_Logout(fx.session));
        for (size_t i = 0; i < THREADS; i++) {
            pthread_join(signers[i].thread, NULL);
            assert_int_not_equal(signers[i].rv, CKR_OK);
            assert_true(use_result_is_untouched(&signers[i].signature));
            assert_int_not_equal(use_sign(&fx, signers[i].session, signers[i].key, &signers[i].signature),
                                 CKR_OK);
            good += signers[i].good;
        }
        assert_in_range(good, 1, script_asked(&fx)); /* each signature had its question */
        fixture_stop(&fx);
    }
}

/* ------------------------------------------------------------------ two threads, one consent */

static bool is_busy(CK_RV rv)
{
    return rv == CKR_OPERATION_ACTIVE || rv == CKR_OPERATION_NOT_INITIALIZED;
}

/* Two threads at C_Sign in the same session, at the same moment. */
static void sign_twice_at_once(struct signer pair[2], CK_SESSION_HANDLE session)
{
    pthread_barrier_t barrier;

    pthread_barrier_init(&barrier, NULL, 2);
    for (size_t i = 0; i < 2; i++) {
        pair[i] = (struct signer){.start = &barrier, .session = session};
        signer_start(&pair[i], sign_data);
    }
    for (size_t i = 0; i < 2; i++)
        pthread_join(pair[i].thread, NULL);
    pthread_barrier_destroy(&barrier);
}

static void one_consent_is_one_signature(void **state)
{
    static const char *const labels[] = {KEY_HIGH_RSA, KEY_PLAIN_RSA};
    struct signer pair[2];

    (void)state;
    fixture_start_logged_in(&fx, "");
    for (int round = 0; round < 10; round++) {
        script_set(&fx, RIGHT RIGHT);
        assert_ok(use_sign_init(&fx, fx.session, key_private(fx.p11, fx.session, labels[round % 2])));
        sign_twice_at_once(pair, fx.session);
        assert_int_equal(pair[0].good + pair[1].good, 1);
        assert_true(is_busy(pair[0].good ? pair[1].rv : pair[0].rv));
        assert_true(use_result_is_untouched(pair[0].good ? &pair[1].signature : &pair[0].signature));
        assert_int_equal(script_asked(&fx), 1);
    }
}

/* The consent is there already, and the backend slow: both threads come to the same operation. */
static void one_context_login_is_one_signature(void **state)
{
    struct signer pair[2];

    (void)state;
    isolated_lacks(__func__, "what reaches the backend is seen in the agent's process, not here");
    start_mock("prompt = application\n");
    mock->delay_ms[CALL_C_Sign] = 20;
    for (unsigned round = 1; round <= 10; round++) {
        assert_ok(fx.p11->C_SignInit(fx.session, &rsa, PRIVATE));
        assert_ok(
            fx.p11->C_Login(fx.session, CKU_CONTEXT_SPECIFIC, (CK_BYTE_PTR)FIXTURE_PIN, strlen(FIXTURE_PIN)));
        sign_twice_at_once(pair, fx.session);
        assert_int_equal(pair[0].good + pair[1].good, 1);
        assert_true(is_busy(pair[0].good ? pair[1].rv : pair[0].rv));
        assert_int_equal(mock->calls[CALL_C_Sign], round);
    }
}

/* A PIN presented for a single call serves one of two that come at once. */
static void *destroy(void *argument)
{
    struct signer *signer = argument;

    pthread_barrier_wait(signer->start);
    signer->rv = fx.p11->C_DestroyObject(signer->session, signer->key);
    return NULL;
}

static void one_presented_pin_is_one_call(void **state)
{
    struct signer pair[2];
    pthread_barrier_t barrier;

    (void)state;
    isolated_lacks(__func__, "what reaches the backend is seen in the agent's process, not here");
    start_mock("prompt = application\n");
    pthread_barrier_init(&barrier, NULL, 2);
    for (int round = 0; round < 10; round++) {
        for (size_t i = 0; i < 2; i++)
            mock->objects[PRIVATE + i] =
                (struct mock_object){.exists = true, .object_class = CKO_PRIVATE_KEY};
        assert_ok(
            fx.p11->C_Login(fx.session, CKU_CONTEXT_SPECIFIC, (CK_BYTE_PTR)FIXTURE_PIN, strlen(FIXTURE_PIN)));
        for (size_t i = 0; i < 2; i++) {
            pair[i] = (struct signer){.start = &barrier, .session = fx.session, .key = PRIVATE + i};
            signer_start(&pair[i], destroy);
        }
        for (size_t i = 0; i < 2; i++)
            pthread_join(pair[i].thread, NULL);
        assert_int_equal((pair[0].rv == CKR_OK) + (pair[1].rv == CKR_OK), 1);
        assert_int_equal(mock->objects[PRIVATE].exists + mock->objects[PRIVATE + 1].exists, 1);
    }
    pthread_barrier_destroy(&barrier);
}

/* ------------------------------------------------------------------ ended while the backend works */

static void start_slow_signature(struct signer *signer)
{
    start_mock("level = medium\n");
    mock->delay_ms[CALL_C_Sign] = 200;
    script_set(&fx, "ok\n");
    *signer = (struct signer){.session = fixture_session(&fx)};
    assert_ok(fx.p11->C_SignInit(signer->session, &rsa, PRIVATE));
    signer_start(signer, sign_data);
    mock_wait_inside(mock, 1);
}

/* The session in which the backend works is closed when it is done, not before, and then for good. */
static void session_closed_while_signing(void **state)
{
    struct signer signer;

    (void)state;
    isolated_lacks(__func__, "what reaches the backend is seen in the agent's process, not here");
    start_slow_signature(&signer);
    assert_ok(fx.p11->C_CloseSession(signer.session));
    assert_int_equal(atomic_load(&mock->inside), 1);
    pthread_join(signer.thread, NULL);
    assert_rv(signer.rv, CKR_OK); /* it was agreed to and done before the session was closed */
    assert_int_equal(mock->arguments[CALL_C_CloseSession][0], mock->arguments[CALL_C_SignInit][0]);
    assert_false(mock->session_open[mock->arguments[CALL_C_SignInit][0]]);
    assert_false(mock->session_open[signer.session]);
    assert_rv(use_sign_data(&fx, signer.session, &signer.signature), CKR_SESSION_HANDLE_INVALID);
}

static void logout_while_signing(void **state)
{
    struct signer signer;

    (void)state;
    isolated_lacks(__func__, "what reaches the backend is seen in the agent's process, not here");
    start_slow_signature(&signer);
    assert_ok(fx.p11->C_Logout(fx.session));
    pthread_join(signer.thread, NULL);
    assert_int_equal(mock->arguments[CALL_C_CloseSession][0], mock->arguments[CALL_C_SignInit][0]);
    assert_rv(use_sign_data(&fx, signer.session, &signer.signature), CKR_OPERATION_NOT_INITIALIZED);
}

static void finalized_while_signing(void **state)
{
    struct signer signer;

    (void)state;
    isolated_lacks(__func__, "what the backend is to do is told to one in this process, not the agent's");
    start_slow_signature(&signer);
    assert_ok(fx.p11->C_Finalize(NULL));
    assert_false(atomic_load(&mock->finalized_under_a_call));
    assert_int_equal(mock->calls[CALL_C_Finalize], 1);
    pthread_join(signer.thread, NULL);
    assert_rv(signer.rv, CKR_OK);
    assert_rv(use_sign_data(&fx, signer.session, &signer.signature), CKR_CRYPTOKI_NOT_INITIALIZED);
}

/* ------------------------------------------------------------------ a thread cancelled while it asks */

static void *destroy_key(void *argument)
{
    struct signer *signer = argument;

    signer->rv = fx.p11->C_DestroyObject(signer->session, signer->key);
    return NULL;
}

/* pthread_cancel does not leave the gate's locks behind: C_Finalize comes back, and so does the thread. */
static void cancelled_thread_leaves_no_lock(void **state)
{
    (void)state;
    isolated_lacks(__func__, "p11-kit's client does not survive a thread that is cancelled during a call");
    for (int round = 0; round < 4; round++) {
        struct signer signer;
        int64_t start_ms;

        fixture_start_logged_in(&fx, "");
        script_set(&fx, "hang\n");
        signer = (struct signer){.session = fixture_session(&fx)};
        signer.key = key_private(fx.p11, signer.session, round % 2 ? KEY_HIGH_RSA : KEY_PLAIN_RSA);
        assert_ok(use_sign_init(&fx, signer.session, signer.key));
        signer_start(&signer, round < 2 ? sign_data : destroy_key);
        script_wait_question(&fx);
        assert_int_equal(pthread_cancel(signer.thread), 0);
        process_sleep_ms(20);
        start_ms = process_now_ms();
        assert_ok(fx.p11->C_Finalize(NULL));
        pthread_join(signer.thread, NULL);
        assert_true(process_now_ms() - start_ms < PROMPTLY_MS);
        assert_false(process_has_child());
    }
}

/* ------------------------------------------------------------------ sessions that come and go */

static void *open_sign_close(void *argument)
{
    struct signer *signer = argument;

    for (int n = 0; n < 8 && signer->rv == CKR_OK; n++) {
        signer->rv =
            fx.p11->C_OpenSession(fx.slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &signer->session);
        if (signer->rv == CKR_OK)
            signer->rv = fx.p11->C_SignInit(signer->session, &rsa, PRIVATE);
        if (signer->rv == CKR_OK)
            signer->rv = use_sign_data(&fx, signer->session, &signer->signature);
        signer->good += signer->rv == CKR_OK;
        (void)fx.p11->C_CloseSession(signer->session);
    }
    return NULL;
}

/* Numbers that go round between threads: each is served in its own session, and none is left open. */
static void numbers_go_round(void **state)
{
    struct signer signers[THREADS] = {0};

    (void)state;
    isolated_lacks(__func__, "what reaches the backend is seen in the agent's process, not here");
    start_mock("level = medium\n");
    answer_many("ok\n", 8 * THREADS);
    for (size_t i = 0; i < THREADS; i++)
        signer_start(&signers[i], open_sign_close);
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(signers[i].thread, NULL);
        assert_rv(signers[i].rv, CKR_OK);
        assert_int_equal(signers[i].good, 8);
    }
    assert_int_equal(mock->calls[CALL_C_Sign], 8 * THREADS);
    assert_int_equal(script_asked(&fx), 8 * THREADS);
    for (CK_SESSION_HANDLE session = 1; session < MOCK_SESSIONS; session++)
        assert_int_equal(mock->session_open[session], session == fx.session);
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
        TEST(logout_ends_all_signing),
        TEST(one_consent_is_one_signature),
        TEST(one_context_login_is_one_signature),
        TEST(one_presented_pin_is_one_call),
        TEST(session_closed_while_signing),
        TEST(logout_while_signing),
        TEST(finalized_while_signing),
        TEST(cancelled_thread_leaves_no_lock),
        TEST(numbers_go_round),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
