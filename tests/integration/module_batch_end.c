/* Batch consent: when it is over, and that no more uses are had of it than were agreed to. */
#include <pthread.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/batch.h"
#include "support/fixture.h"
#include "support/isolated.h"
#include "support/keys.h"
#include "support/pinentry_script.h"
#include "support/process_state.h"
#include "support/test.h"
#include "support/use.h"

#define RIGHT  "pin " FIXTURE_PIN "\n"
#define LEDGER "state/pinward/ledger.jsonl"

static struct fixture fx;
static struct use_result result;
static const struct pinward_consent_functions *consent;

/* Logged in with a PIN that is no consent: what is used is asked for. */
static void begin(const char *lines, const char *answers)
{
    fixture_start_logged_in(&fx, lines);
    folder_unlink(fx.folder, LEDGER);
    folder_unlink(fx.folder, LEDGER ".head");
    script_set(&fx, answers);
    consent = batch_functions(&fx);
}

static int stop(void **state)
{
    (void)state;
    fixture_stop(&fx);
    return process_has_child();
}

static CK_RV sign(const char *label)
{
    return use_sign(&fx, fx.session, key_private(fx.p11, fx.session, label), &result);
}

static CK_STATE session_state(void)
{
    CK_SESSION_INFO info;

    assert_ok(fx.p11->C_GetSessionInfo(fx.session, &info));
    return info.state;
}

static void list_and_revoke(void **state)
{
    struct pinward_batch found[2];
    CK_ULONG first, second, count = 1;

    (void)state;
    begin("", RIGHT RIGHT RIGHT);
    assert_ok(batch_request(&fx, 2, 60, &first));
    assert_ok(batch_request(&fx, 5, 100, &second));
    assert_int_not_equal(first, second);
    memset(found, 0xa5, sizeof found);
    assert_rv(consent->list_batches(fx.session, found, &count), CKR_BUFFER_TOO_SMALL);
    assert_int_equal(count, 2);
    assert_ok(consent->list_batches(fx.session, found, &count));
    assert_int_equal(found[0].number + found[1].number, first + second);
    assert_int_equal(found[0].uses_left + found[1].uses_left, 7);
    assert_in_range(found[0].seconds_left, 1, 100);
    assert_string_equal((const char *)found[1].purpose, BATCH_PURPOSE);
    /* The one that ends first is used first. */
    assert_ok(sign(KEY_PLAIN_RSA));
    assert_ok(consent->revoke_batch(fx.session, second));
    assert_rv(consent->revoke_batch(fx.session, second), CKR_ARGUMENTS_BAD);
    assert_ok(consent->list_batches(fx.session, found, &count));
    assert_int_equal(count, 1);
    assert_int_equal(found[0].number, first);
    assert_int_equal(found[0].uses_left, 1);
    assert_ok(consent->revoke_batch(fx.session, PINWARD_ALL_BATCHES));
    assert_ok(consent->revoke_batch(fx.session, PINWARD_ALL_BATCHES));
    assert_int_equal(batch_count(&fx), 0);
    script_set(&fx, "");
    assert_rv(sign(KEY_PLAIN_RSA), CKR_FUNCTION_CANCELED);
}

static void time_runs_out(void **state)
{
    CK_ULONG batch;

    (void)state;
    begin("", RIGHT);
    assert_ok(batch_request(&fx, 9, 1, &batch));
    process_sleep_ms(1100);
    assert_int_equal(batch_count(&fx), 0);
    assert_rv(sign(KEY_HIGH_RSA), CKR_FUNCTION_CANCELED);
}

static void logout_ends_it(void **state)
{
    CK_ULONG batch;

    (void)state;
    begin("", RIGHT);
    assert_ok(batch_request(&fx, 9, 60, &batch));
    assert_ok(fx.p11->C_Logout(fx.session));
    assert_ok(fixture_login(&fx, FIXTURE_PIN));
    assert_int_equal(batch_count(&fx), 0);
    assert_rv(sign(KEY_HIGH_RSA), CKR_FUNCTION_CANCELED);
}

static void last_session_closed_ends_it(void **state)
{
    CK_ULONG batch;

    (void)state;
    begin("", RIGHT);
    assert_ok(batch_request(&fx, 9, 60, &batch));
    assert_ok(fx.p11->C_CloseSession(fx.session));
    fx.session = fixture_session(&fx);
    assert_ok(fixture_login(&fx, FIXTURE_PIN));
    assert_int_equal(batch_count(&fx), 0);
    assert_rv(sign(KEY_HIGH_RSA), CKR_FUNCTION_CANCELED);
}

static void child_has_none(void **state)
{
    CK_ULONG batch;
    int status;
    pid_t pid;

    (void)state;
    begin("", RIGHT);
    assert_ok(batch_request(&fx, 9, 60, &batch));
    pid = fork();
    if (pid == 0) {
        CK_ULONG n;

        _exit(consent->list_batches(fx.session, NULL, &n) == CKR_CRYPTOKI_NOT_INITIALIZED ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_ok(sign(KEY_HIGH_RSA));
}

#define NEW_PIN "84-Linden 5%+"

static void *set_pin_on_thread(void *rv)
{
    *(CK_RV *)rv = fx.p11->C_SetPIN(fx.session, NULL, 0, NULL, 0);
    return NULL;
}

/* Also of a login that came about while the new PIN was asked for. */
static void new_pin_ends_it(void **state)
{
    pthread_t thread;
    CK_ULONG batch;
    CK_RV rv = CKR_OK;

    (void)state;
    begin("", "late 1000 " FIXTURE_PIN "\n" RIGHT "repeat " NEW_PIN "\n");
    assert_ok(fx.p11->C_Logout(fx.session));
    assert_int_equal(pthread_create(&thread, NULL, set_pin_on_thread, &rv), 0);
    script_wait_question(&fx);
    assert_ok(fixture_login(&fx, FIXTURE_PIN));
    assert_ok(batch_request(&fx, 9, 60, &batch));
    pthread_join(thread, NULL);
    assert_ok(rv);
    assert_int_equal(batch_count(&fx), 0);
    script_set(&fx, RIGHT "pin " NEW_PIN "\n");
    assert_ok(sign(KEY_PLAIN_RSA));
    assert_int_equal(script_asked(&fx), 2); /* the old one is a wrong one */
    assert_ok(fx.p11->C_SetPIN(fx.session, (CK_BYTE_PTR)NEW_PIN, strlen(NEW_PIN), (CK_BYTE_PTR)FIXTURE_PIN,
                               strlen(FIXTURE_PIN)));
}

static void *request_on_thread(void *rv)
{
    CK_ULONG batch;

    *(CK_RV *)rv = batch_request(&fx, 1, 60, &batch);
    return NULL;
}

static void logout_while_asked_gives_none(void **state)
{
    pthread_t thread;
    CK_RV rv = CKR_OK;

    (void)state;
    begin("", "late 3000 " FIXTURE_PIN "\n");
    assert_int_equal(pthread_create(&thread, NULL, request_on_thread, &rv), 0);
    script_wait_question(&fx);
    assert_ok(fx.p11->C_Logout(fx.session));
    pthread_join(thread, NULL);
    assert_rv(rv, CKR_USER_NOT_LOGGED_IN);
    assert_int_equal(session_state(), CKS_RW_PUBLIC_SESSION);
    assert_int_equal(batch_count(&fx), 0);
}

static void session_closed_while_asked_gives_none(void **state)
{
    pthread_t thread;
    CK_RV rv = CKR_OK;

    (void)state;
    begin("", "hang\n");
    (void)fixture_session(&fx); /* so that the login stays */
    assert_int_equal(pthread_create(&thread, NULL, request_on_thread, &rv), 0);
    script_wait_question(&fx);
    assert_ok(fx.p11->C_CloseSession(fx.session));
    pthread_join(thread, NULL);
    assert_rv(rv, CKR_SESSION_CLOSED);
}

static void finalize_while_asked_gives_none(void **state)
{
    pthread_t thread;
    CK_RV rv = CKR_OK;

    (void)state;
    isolated_lacks(__func__, "p11-kit's client may end a program that finalizes it during a call");
    begin("", "late 3000 " FIXTURE_PIN "\n");
    assert_int_equal(pthread_create(&thread, NULL, request_on_thread, &rv), 0);
    script_wait_question(&fx);
    assert_ok(fx.p11->C_Finalize(NULL));
    pthread_join(thread, NULL);
    assert_rv(rv, CKR_CRYPTOKI_NOT_INITIALIZED);
}

/* ------------------------------------------------------------------ threads */

#define THREADS 4
#define EACH    5

struct signer {
    pthread_t thread;
    int signed_;
};

static void *sign_on_thread(void *data)
{
    struct signer *signer = data;
    const CK_SESSION_HANDLE session = fixture_session(&fx);
    const CK_OBJECT_HANDLE key = key_private(fx.p11, session, KEY_PLAIN_RSA);
    struct use_result signature;

    for (int n = 0; n < EACH; n++)
        signer->signed_ += use_sign(&fx, session, key, &signature) == CKR_OK;
    return NULL;
}

/* However many threads race for it, so many uses and not one more. */
static void threads_share_it_exactly(void **state)
{
    struct signer signers[THREADS] = {0};
    CK_ULONG batch;
    int sum = 0;

    (void)state;
    begin("cool-down = 0\n", RIGHT);
    assert_ok(batch_request(&fx, THREADS * EACH - 3, 60, &batch));
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&signers[i].thread, NULL, sign_on_thread, &signers[i]), 0);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(signers[i].thread, NULL);
        sum += signers[i].signed_;
    }
    assert_int_equal(sum, THREADS * EACH - 3);
    assert_int_equal(script_asked(&fx), 1 + 3);
}

#define TEST(f) cmocka_unit_test_teardown(f, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(list_and_revoke),
        TEST(time_runs_out),
        TEST(logout_ends_it),
        TEST(last_session_closed_ends_it),
        TEST(new_pin_ends_it),
        TEST(child_has_none),
        TEST(logout_while_asked_gives_none),
        TEST(session_closed_while_asked_gives_none),
        TEST(finalize_while_asked_gives_none),
        TEST(threads_share_it_exactly),
    };
    int failed;

    fixture_begin(&fx, KEYS_HIGH_RSA | KEYS_PLAIN_RSA);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    fixture_end(&fx);
    return failed;
}
