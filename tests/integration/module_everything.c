/* Eight threads do everything at once: sessions, searches, signatures and decryptions that are asked for, logins and
 * logouts, and forked children that begin anew. Nothing crashes or hangs; no more was done with the private key than was
 * agreed to; and nothing is left. Under ThreadSanitizer (preset tsan) there is also no race in it.
 *
 * PINWARD_RACE_S: for how many seconds (3). */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/fork_among.h"
#include "support/keys.h"
#include "support/mock.h"
#include "support/pinentry_script.h"
#include "support/process_state.h"
#include "support/test.h"

#define THREADS 8
#define ANSWERS 10000

enum object { SECRET = 1, PRIVATE };

static struct fixture fx;
static struct mock_backend *mock;
static int64_t end_ms;
static _Atomic unsigned made[6];
static _Atomic bool child_failed;

#define FORK 2

static void use(CK_SESSION_HANDLE session, bool decrypts)
{
    CK_MECHANISM mechanism = {CKM_RSA_PKCS, NULL, 0};
    CK_BYTE data[32] = "data", out[256];
    CK_ULONG len = sizeof out;

    if (decrypts) {
        if (fx.p11->C_DecryptInit(session, &mechanism, PRIVATE) == CKR_OK)
            (void)fx.p11->C_Decrypt(session, data, sizeof data, out, &len);
    } else if (fx.p11->C_SignInit(session, &mechanism, PRIVATE) == CKR_OK) {
        (void)fx.p11->C_Sign(session, data, sizeof data, out, &len);
    }
}

static void look(CK_SESSION_HANDLE session)
{
    CK_OBJECT_CLASS object_class = CKO_PRIVATE_KEY;
    CK_BBOOL always = CK_FALSE;
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &object_class, sizeof object_class},
                               {CKA_ALWAYS_AUTHENTICATE, &always, sizeof always}};
    CK_OBJECT_HANDLE objects[4];
    CK_ULONG count = 0;

    if (fx.p11->C_FindObjectsInit(session, template, 2) == CKR_OK) {
        (void)fx.p11->C_FindObjects(session, objects, 4, &count);
        (void)fx.p11->C_FindObjectsFinal(session);
    }
    (void)fx.p11->C_GetAttributeValue(session, PRIVATE, template, 2);
}

static void log_in_or_out(CK_SESSION_HANDLE session, bool out)
{
    if (out)
        (void)fx.p11->C_Logout(session);
    else
        (void)fx.p11->C_Login(session, CKU_USER, (CK_BYTE_PTR)FIXTURE_PIN, strlen(FIXTURE_PIN));
}

/* A child has its parent's library, and nothing of its logins, sessions and locks. False when it did not get on. */
static bool fork_child(void)
{
    const pid_t pid = fork_among();
    int status = 0;

    if (pid == 0) {
        CK_SESSION_HANDLE session;
        bool well;

        alarm(40);
        well = fx.p11->C_GetSlotList(CK_TRUE, NULL, &(CK_ULONG){0}) == CKR_CRYPTOKI_NOT_INITIALIZED &&
               fx.p11->C_Initialize(NULL) == CKR_OK &&
               fx.p11->C_OpenSession(0, CKF_SERIAL_SESSION, NULL, NULL, &session) == CKR_OK &&
               fx.p11->C_Finalize(NULL) == CKR_OK;
        _exit(well ? 0 : 1);
    }
    return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

static void do_one(unsigned what, unsigned *seed)
{
    CK_SESSION_HANDLE session;

    if (fx.p11->C_OpenSession(0, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session) != CKR_OK)
        return;
    switch (what) {
    case 0: look(session); break;
    case 1: log_in_or_out(session, rand_r(seed) % 4 == 0); break;
    case FORK: break; /* among the others' work, not in its own */
    case 3: use(session, true); break;
    default: use(session, false); break;
    }
    made[what]++;
    (void)fx.p11->C_CloseSession(session);
}

static void *do_everything(void *data)
{
    unsigned seed = (unsigned)(uintptr_t)data;

    while (process_now_ms() < end_ms && !atomic_load(&child_failed)) {
        const unsigned what = (unsigned)rand_r(&seed) % 6;

        fork_work_begin();
        do_one(what, &seed);
        fork_work_end();
        if (what == FORK && !fork_child())
            atomic_store(&child_failed, true);
    }
    return NULL;
}

static void answer_all(void)
{
    char *answers = malloc(ANSWERS * 3 + 1);

    assert_non_null(answers);
    for (size_t i = 0; i < ANSWERS; i++)
        memcpy(answers + 3 * i, "ok\n", 3);
    answers[ANSWERS * 3] = '\0';
    script_set(&fx, answers);
    free(answers);
}

static void eight_threads_do_everything(void **state)
{
    const char *length = getenv("PINWARD_RACE_S");
    pthread_t threads[THREADS];
    unsigned uses;

    (void)state;
    mock = mock_reset();
    mock->objects[SECRET] = (struct mock_object){.exists = true, .object_class = CKO_SECRET_KEY};
    mock->objects[PRIVATE] = (struct mock_object){.exists = true, .object_class = CKO_PRIVATE_KEY, .key_type = CKK_RSA};
    mock->reuses_sessions = true;
    mock_start(&fx, "level = medium\n");
    answer_all();
    end_ms = process_now_ms() + 1000L * (length ? atoi(length) : 3);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, do_everything, (void *)(uintptr_t)(i + 1)), 0); // NOLINT
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_false(child_failed);
    uses = mock->calls[CALL_C_Sign] + mock->calls[CALL_C_Decrypt];
    assert_in_range(uses, 1, script_asked(&fx));
    for (CK_SESSION_HANDLE session = 1; session < MOCK_SESSIONS; session++)
        assert_int_equal(mock->session_open[session], session == fx.session);
    fixture_stop(&fx);
    assert_false(process_has_child());
    print_message("# %u searches, %u logins and logouts, %u children, %u uses of the private key\n", made[0], made[1],
                  made[2], uses);
    for (size_t i = 0; i < 4; i++)
        assert_true(made[i] > 0);
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

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(eight_threads_do_everything)};

    return cmocka_run_group_tests(tests, begin, end);
}
