/* Hosts with signals, children, limits and descriptors of their own: the PIN is asked for all the same, and what is the
 * host's stays as it was. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/backend_kind.h"
#include "support/fixture.h"
#include "support/isolated.h"
#include "support/keys.h"
#include "support/pinentry_script.h"
#include "support/process_state.h"
#include "support/test.h"
#include "support/use.h"

#define RIGHT "pin " FIXTURE_PIN "\n"

static struct fixture fx;
static _Atomic int reaped;

static int start(void **state)
{
    (void)state;
    fixture_start_logged_in(&fx, "");
    atomic_store(&reaped, 0);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    signal(SIGCHLD, SIG_DFL);
    fixture_stop(&fx);
    return process_has_child();
}

/* One signature that the user agrees to, and one after a pinentry that died. */
static void expect_asks_and_signs(void)
{
    const CK_OBJECT_HANDLE key = key_private(fx.p11, fx.session, KEY_HIGH_RSA);
    const int descriptors = process_descriptors();
    struct use_result signature;

    script_set(&fx, RIGHT "die\n" RIGHT);
    assert_ok(use_sign(&fx, fx.session, key, &signature));
    assert_true(use_signature_is_good(&fx, KEY_HIGH_RSA, &signature));
    assert_rv(use_sign(&fx, fx.session, key, &signature), CKR_FUNCTION_FAILED);
    assert_ok(use_sign(&fx, fx.session, key, &signature));
    assert_int_equal(script_asked(&fx), 3);
    assert_int_equal(process_descriptors(), descriptors);
    assert_false(process_has_child());
}

/* ------------------------------------------------------------------ SIGCHLD */

static void handle(int signal_number, void handler(int), int flags)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};

    assert_int_equal(sigaction(signal_number, &action, NULL), 0);
}

static void reap_everything(int signal_number)
{
    const int saved_errno = errno;

    (void)signal_number;
    while (waitpid(-1, NULL, WNOHANG) > 0)
        atomic_fetch_add(&reaped, 1);
    errno = saved_errno;
}

static void ignored_children(void **state)
{
    (void)state;
    handle(SIGCHLD, SIG_IGN, 0);
    expect_asks_and_signs();
    handle(SIGCHLD, SIG_DFL, SA_NOCLDWAIT);
    expect_asks_and_signs();
}

/* The host waits for whatever child there is, and so for pinentry. */
static void handler_that_takes_every_child(void **state)
{
    static const int flags[] = {0, SA_RESTART, SA_NODEFER};

    (void)state;
    isolated_lacks(__func__, "pinentry is the agent's child, not the program's");
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        atomic_store(&reaped, 0);
        handle(SIGCHLD, reap_everything, flags[i]);
        expect_asks_and_signs();
        assert_int_equal(atomic_load(&reaped), 3);
    }
}

/* A child of the host's, dead and not yet waited for, is the host's to wait for. */
static void child_of_the_host_is_left_alone(void **state)
{
    const pid_t child = fork();
    struct use_result signature;
    siginfo_t info;
    int status;

    (void)state;
    assert_true(child >= 0);
    if (child == 0)
        _exit(7);
    assert_int_equal(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
    script_set(&fx, RIGHT);
    assert_ok(use_sign(&fx, fx.session, key_private(fx.p11, fx.session, KEY_HIGH_RSA), &signature));
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(WEXITSTATUS(status), 7);
}

/* ------------------------------------------------------------------ other signals */

static void note_signal(int signal_number)
{
    (void)signal_number;
}

/* Calls are interrupted every other millisecond, and not restarted. */
static void host_with_a_timer(void **state)
{
    const struct itimerval often = {.it_interval = {.tv_usec = 2000}, .it_value = {.tv_usec = 2000}};
    const struct itimerval never = {.it_value = {.tv_usec = 0}};

    (void)state;
    handle(SIGALRM, note_signal, 0);
    assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
    expect_asks_and_signs();
    assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
    handle(SIGALRM, SIG_DFL, 0);
}

/* Handlers and mask are as the host left them, and a broken pipe to pinentry kills nobody. */
static void signals_are_the_hosts(void **state)
{
    struct sigaction before[NSIG], after;
    sigset_t mask_before, mask_after;

    (void)state;
    handle(SIGPIPE, SIG_DFL, 0);
    handle(SIGUSR1, note_signal, SA_RESTART);
    for (int n = 1; n < NSIG; n++)
        (void)sigaction(n, NULL, &before[n]);
    pthread_sigmask(SIG_SETMASK, NULL, &mask_before);
    expect_asks_and_signs();
    for (int n = 1; n < NSIG; n++)
        if (sigaction(n, NULL, &after) == 0) {
            assert_ptr_equal(after.sa_handler, before[n].sa_handler);
            assert_int_equal(after.sa_flags, before[n].sa_flags);
        }
    pthread_sigmask(SIG_SETMASK, NULL, &mask_after);
    for (int n = 1; n < NSIG; n++)
        assert_int_equal(sigismember(&mask_after, n), sigismember(&mask_before, n));
    handle(SIGUSR1, SIG_DFL, 0);
}

/* ------------------------------------------------------------------ descriptors */

/* Is it a file of the token's, or what NSPR puts there for softokn? SoftHSM2 keeps nothing open. */
static bool is_the_backends(int fd)
{
    char name[64], path[PATH_MAX], folder[FOLDER_PATH_MAX];
    ssize_t len;

    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    len = readlink(name, path, sizeof path - 1);
    if (len < 0 || backend_kind() == &backend_softhsm2)
        return false;
    path[len] = '\0';
    folder_path(fx.folder, "tokens/", folder);
    return strncmp(path, folder, strlen(folder)) == 0 || strcmp(path, "/dev/null") == 0;
}

/* Has anything of the gate's taken the place of a standard descriptor? */
static bool standard_descriptor_taken(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) >= 0 && !is_the_backends(fd))
            return true;
    return false;
}

/* In a child without standard descriptors; its status says what was wrong. */
static int live_without_stdio(void)
{
    struct use_result signature;

    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        close(fd);
    if (fx.p11->C_Initialize(NULL) != CKR_OK)
        return 2;
    if (fx.p11->C_OpenSession(fx.slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &fx.session) != CKR_OK ||
        fixture_login(&fx, FIXTURE_PIN) != CKR_OK)
        return 3;
    if (standard_descriptor_taken())
        return 4; /* the log, or another file of ours, took its place */
    if (use_sign(&fx, fx.session, key_private(fx.p11, fx.session, KEY_HIGH_RSA), &signature) != CKR_OK)
        return 5;
    if (standard_descriptor_taken())
        return 6;
    return fx.p11->C_Finalize(NULL) == CKR_OK ? 0 : 7;
}

static void host_without_standard_descriptors(void **state)
{
    int status;
    pid_t pid;

    (void)state;
    isolated_lacks(__func__, "p11-kit's client looks after forked children by itself");
    fixture_stop(&fx);
    script_set(&fx, RIGHT);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        alarm(20);
        _exit(live_without_stdio());
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_int_equal(script_asked(&fx), 1);
}

/* While the question is on the screen, what the host prints goes nowhere: not to pinentry, not into the answer. */
static void *print_on_thread(void *argument)
{
    (void)argument;
    script_wait_question(&fx);
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (write(fd, "D 999999\nOK\n", 12) >= 0 || errno != EBADF)
            return (void *)1;
    return NULL;
}

static int print_during_a_question(void)
{
    struct use_result signature;
    pthread_t thread;
    void *printed;
    CK_RV rv;

    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        close(fd);
    if (pthread_create(&thread, NULL, print_on_thread, NULL) != 0)
        return 2;
    rv = use_sign(&fx, fx.session, key_private(fx.p11, fx.session, KEY_HIGH_RSA), &signature);
    pthread_join(thread, &printed);
    return printed ? 3 : rv == CKR_OK ? 0 : 4;
}

static int print_in_a_new_life(void)
{
    if (fx.p11->C_Initialize(NULL) != CKR_OK ||
        fx.p11->C_OpenSession(fx.slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &fx.session) != CKR_OK ||
        fixture_login(&fx, FIXTURE_PIN) != CKR_OK)
        return 1;
    return print_during_a_question();
}

static void host_prints_during_a_question(void **state)
{
    int status;
    pid_t pid;

    (void)state;
    fixture_stop(&fx);
    script_set(&fx, "late 300 " FIXTURE_PIN "\n");
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        alarm(20);
        _exit(print_in_a_new_life());
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* ------------------------------------------------------------------ */

static int begin(void **state)
{
    (void)state;
    fixture_begin(&fx, KEYS_HIGH_RSA);
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
        TEST(ignored_children),
        TEST(handler_that_takes_every_child),
        TEST(child_of_the_host_is_left_alone),
        TEST(host_with_a_timer),
        TEST(signals_are_the_hosts),
        TEST(host_without_standard_descriptors),
        TEST(host_prints_during_a_question),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
