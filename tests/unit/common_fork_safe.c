/* fork_safe: a child forked while another thread is in such a call of the C library can make it too. The C library's
 * functions have stand-ins here, which hold a lock as long as the test wants. */
#include "common/fork_safe.h"

#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/process_state.h"
#include "support/test.h"

static pthread_mutex_t their_lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic bool slow, inside;
static _Atomic unsigned stand_ins;

static void their_lock_take(void)
{
    pthread_mutex_lock(&their_lock);
    atomic_fetch_add(&stand_ins, 1);
    if (atomic_load(&slow)) {
        atomic_store(&inside, true);
        process_sleep_ms(200);
    }
}

#define STAND_IN(result, name, parameters, arguments)                                                        \
    __attribute__((visibility("default"))) result name parameters                                            \
    {                                                                                                        \
        result(*theirs) parameters;                                                                          \
        result answer;                                                                                       \
                                                                                                             \
        *(void **)&theirs = dlsym(RTLD_NEXT, #name);                                                         \
        their_lock_take();                                                                                   \
        answer = theirs arguments;                                                                           \
        pthread_mutex_unlock(&their_lock);                                                                   \
        return answer;                                                                                       \
    }

STAND_IN(struct tm *, gmtime_r, (const time_t *when, struct tm *out), (when, out))
STAND_IN(struct tm *, localtime_r, (const time_t *when, struct tm *out), (when, out))
STAND_IN(char *, dcgettext, (const char *domain, const char *text, int category), (domain, text, category))
STAND_IN(locale_t, newlocale, (int mask, const char *name, locale_t base), (mask, name, base))
STAND_IN(char *, strerror, (int number), (number))

/* 2026-02-28 23:59:59 UTC */
#define WHEN 1772323199

static bool utc(void)
{
    struct tm out;

    return fork_safe_utc(WHEN, &out) && out.tm_year == 126 && out.tm_mon == 1 && out.tm_mday == 28 && out.tm_sec == 59;
}

static bool local_time(void)
{
    struct tm out;

    return fork_safe_local_time(WHEN, &out) && out.tm_year == 126 && out.tm_sec == 59;
}

static bool text(void)
{
    return strcmp(fork_safe_text("no such domain", "as it is"), "as it is") == 0;
}

static bool users_locale(void)
{
    locale_t made = fork_safe_users_locale(LC_MESSAGES_MASK);

    if (made != (locale_t)0)
        freelocale(made);
    return true; /* the system may have none */
}

static bool system_error(void)
{
    return strcmp(fork_safe_error(2), "No such file or directory") == 0;
}

static bool (*const calls[])(void) = {utc, local_time, text, users_locale, system_error};

static void *call_on_thread(void *call)
{
    return (*(bool (*const *)(void))call)() ? NULL : call;
}

static void child_can_call(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        const unsigned before = atomic_load(&stand_ins);
        pthread_t thread;
        void *failed;
        int status;
        pid_t pid;

        atomic_store(&inside, false);
        atomic_store(&slow, true);
        assert_int_equal(pthread_create(&thread, NULL, call_on_thread, (void *)&calls[i]), 0);
        while (!atomic_load(&inside))
            process_sleep_ms(1);
        pid = fork();
        if (pid == 0) {
            alarm(10);
            _exit(calls[i]() ? 0 : 1);
        }
        pthread_join(thread, &failed);
        atomic_store(&slow, false);
        assert_null(failed);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        assert_int_equal(atomic_load(&stand_ins), before + 1);
        assert_true(calls[i]()); /* the parent has its lock back */
    }
}

static volatile sig_atomic_t handled;

static void fork_in_handler(int number)
{
    const pid_t pid = fork();

    (void)number;
    if (pid == 0)
        _exit(0);
    handled = pid > 0 && waitpid(pid, NULL, 0) == pid;
}

/* The handler's thread has the lock itself. */
static void handler_of_a_signal_may_fork(void **state)
{
    pthread_t thread;

    (void)state;
    signal(SIGUSR1, fork_in_handler);
    atomic_store(&inside, false);
    atomic_store(&slow, true);
    assert_int_equal(pthread_create(&thread, NULL, call_on_thread, (void *)&calls[0]), 0);
    while (!atomic_load(&inside))
        process_sleep_ms(1);
    assert_int_equal(pthread_kill(thread, SIGUSR1), 0);
    pthread_join(thread, NULL);
    atomic_store(&slow, false);
    signal(SIGUSR1, SIG_DFL);
    assert_true(handled);
    assert_true(utc());
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(child_can_call), cmocka_unit_test(handler_of_a_signal_may_fork)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
