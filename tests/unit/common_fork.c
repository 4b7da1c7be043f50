/* A host forks whenever it likes: what a child carries along must not be what its parent waits for. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/ledger.h"
#include "support/folder.h"
#include "support/process_state.h"
#include "support/test.h"

#define CHILDREN 24

static char folder[FOLDER_PATH_MAX];
static char path[FOLDER_PATH_MAX];
static _Atomic bool enough;
static _Atomic unsigned written;

static int start(void **state)
{
    (void)state;
    folder_make(folder);
    folder_path(folder, "ledger.jsonl", path);
    atomic_store(&enough, false);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    folder_remove(folder);
    return 0;
}

static enum error_code append(void)
{
    static const struct ledger_entry entry = {
        .program = "/usr/bin/signer", .key = "my key", .operation = "sign", .allowed = true, .how = "asked"};
    struct ledger_line line;
    struct error err = {0};

    return ledger_append(path, &entry, &line, &err);
}

static void *append_on_thread(void *first_failure)
{
    enum error_code *status = first_failure;

    while (*status == ERROR_NONE && !atomic_load(&enough)) {
        *status = append();
        atomic_fetch_add(&written, 1);
    }
    return NULL;
}

/* Children that do nothing and stay, forked while another thread writes: one of them, in all likelihood, while that
 * one had the ledger locked. */
static void lock_does_not_stay_with_a_child(void **state)
{
    enum error_code status = ERROR_NONE;
    pid_t children[CHILDREN];
    pthread_t thread;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, append_on_thread, &status), 0);
    for (size_t i = 0; i < CHILDREN; i++) {
        const unsigned before = atomic_load(&written);

        children[i] = fork();
        assert_true(children[i] >= 0);
        if (children[i] == 0) {
            alarm(30);
            for (;;)
                pause();
        }
        for (int n = 0; n < 1000 && atomic_load(&written) < before + 2; n++)
            process_sleep_ms(1);
    }
    atomic_store(&enough, true);
    pthread_join(thread, NULL);
    assert_int_equal(status, ERROR_NONE);
    assert_int_equal(append(), ERROR_NONE);
    for (size_t i = 0; i < CHILDREN; i++) {
        assert_int_equal(kill(children[i], SIGKILL), 0);
        assert_int_equal(waitpid(children[i], NULL, 0), children[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lock_does_not_stay_with_a_child, start, stop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
