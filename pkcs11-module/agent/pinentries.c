#include "pkcs11-module/agent/pinentries.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/descriptor.h"
#include "common/log.h"

#define TERM_TIMEOUT_MS 500

static int64_t monotonic_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ------------------------------------------------------------------ the start */

/* Signals as a program expects them, whatever the agent's own parent ignored. */
static void restore_signals(void)
{
    sigset_t none;

    for (int each = 1; each < NSIG; each++)
        (void)signal(each, SIG_DFL);
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* In the child, between fork and exec: the listener has one thread, so the child may do anything. A group of its own, so
 * that what it starts ends with it; and it ends with the listener (prctl(2), PR_SET_PDEATHSIG), which may have ended just
 * now. Nothing of the listener's is inherited but its environment. */
static void become_pinentry(const char *program, int fd, pid_t listener)
{
    char *const arguments[] = {(char *)program, NULL};
    const int null = descriptor_above_stdio(open("/dev/null", O_WRONLY | O_CLOEXEC));

    restore_signals();
    if (setsid() < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != listener || dup2(fd, STDIN_FILENO) < 0 ||
        dup2(fd, STDOUT_FILENO) < 0 || dup2(null, STDERR_FILENO) < 0 ||
        close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC) != 0)
        return;
    execv(program, arguments);
}

/* The pipe closes when the program runs, and carries an errno when it does not. All descriptors are close-on-exec. */
static int wait_for_exec(int told)
{
    int failure = 0;
    ssize_t n;

    do
        n = read(told, &failure, sizeof failure);
    while (n < 0 && errno == EINTR);
    return n == 0 ? 0 : n == (ssize_t)sizeof failure && failure != 0 ? failure : EIO;
}

static int fork_pinentry(const char *program, int fd, pid_t *pid)
{
    const pid_t listener = getpid();
    int told[2];
    pid_t child;
    int rc;

    if (pipe2(told, O_CLOEXEC) != 0)
        return errno;
    child = fork();
    if (child == 0) {
        become_pinentry(program, fd, listener);
        (void)!write(told[1], &errno, sizeof errno);
        _exit(127);
    }
    rc = child < 0 ? errno : 0;
    close(told[1]);
    if (rc == 0)
        rc = wait_for_exec(told[0]);
    close(told[0]);
    if (rc != 0 && child > 0)
        (void)waitpid(child, NULL, 0);
    if (rc == 0)
        *pid = child;
    return rc;
}

static int start(const char *program, pid_t *pid, int *pidfd, int *fd)
{
    int pair[2];
    int rc;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return errno;
    pair[1] = descriptor_above_stdio(pair[1]); /* dup2 onto itself would keep close-on-exec */
    rc = pair[1] < 0 ? EMFILE : fork_pinentry(program, pair[1], pid);
    if (pair[1] >= 0)
        close(pair[1]);
    *pidfd = rc == 0 ? pidfd_open(*pid, 0) : -1;
    if (rc == 0 && *pidfd < 0) {
        rc = errno;
        (void)kill(-*pid, SIGKILL);
        (void)waitpid(*pid, NULL, 0);
    }
    if (rc == 0)
        *fd = pair[0];
    else
        close(pair[0]);
    return rc;
}

/* NULL: there are too many, of this worker's or of all. */
static struct pinentries_row *find_free(struct pinentries *pinentries, pid_t worker)
{
    struct pinentries_row *found = NULL;
    size_t of_worker = 0;

    for (size_t i = PINENTRIES_MAX; i-- > 0;) {
        of_worker += pinentries->rows[i].pid != 0 && pinentries->rows[i].worker == worker;
        if (pinentries->rows[i].pid == 0)
            found = &pinentries->rows[i];
    }
    return of_worker < PINENTRIES_OF_WORKER_MAX ? found : NULL;
}

/* The configuration is read anew, as each connection reads it. */
int pinentries_start(struct pinentries *pinentries, pid_t worker, pid_t *pid, int *pidfd, int *fd)
{
    struct pinentries_row *row = find_free(pinentries, worker);
    struct config config = {0};
    struct error err = {0};
    int rc;

    if (!row)
        return EAGAIN;
    if (config_load(&config, &err) != ERROR_NONE) {
        log_error("configuration: %s", error_text(&err));
        return EINVAL;
    }
    rc = start(config.module.pinentry, pid, pidfd, fd);
    config_clear(&config);
    if (rc == 0)
        *row = (struct pinentries_row){.pid = *pid, .worker = worker};
    return rc;
}

/* ------------------------------------------------------------------ the end */

void pinentries_signal(const struct pinentries *pinentries, pid_t worker, pid_t pid, int signal)
{
    for (size_t i = 0; i < PINENTRIES_MAX && pid > 0; i++)
        if (pinentries->rows[i].pid == pid && pinentries->rows[i].worker == worker)
            (void)kill(-pid, signal); /* not reaped yet: the number is still its own */
}

void pinentries_end_of(struct pinentries *pinentries, pid_t worker)
{
    for (size_t i = 0; i < PINENTRIES_MAX; i++) {
        struct pinentries_row *row = &pinentries->rows[i];

        if (row->pid == 0 || row->worker != worker)
            continue;
        (void)kill(-row->pid, SIGTERM);
        row->worker = 0;
        row->kill_ms = monotonic_ms() + TERM_TIMEOUT_MS;
    }
}

/* What the program itself has started and left behind goes with it. */
void pinentries_reap(struct pinentries *pinentries)
{
    for (size_t i = 0; i < PINENTRIES_MAX; i++) {
        struct pinentries_row *row = &pinentries->rows[i];
        siginfo_t ended = {.si_pid = 0};

        if (row->pid == 0 || waitid(P_PID, (id_t)row->pid, &ended, WEXITED | WNOHANG | WNOWAIT) != 0 ||
            ended.si_pid != row->pid)
            continue;
        (void)kill(-row->pid, SIGTERM);
        (void)waitpid(row->pid, NULL, 0);
        row->pid = 0;
    }
}

int pinentries_kill_late(struct pinentries *pinentries)
{
    const int64_t now_ms = monotonic_ms();
    int64_t next_ms = -1;

    for (size_t i = 0; i < PINENTRIES_MAX; i++) {
        struct pinentries_row *row = &pinentries->rows[i];

        if (row->pid == 0 || row->kill_ms == 0)
            continue;
        if (row->kill_ms <= now_ms) {
            (void)kill(-row->pid, SIGKILL);
            row->kill_ms = 0; /* it ends, whether it wants or not */
        } else if (next_ms < 0 || row->kill_ms - now_ms < next_ms) {
            next_ms = row->kill_ms - now_ms;
        }
    }
    return (int)next_ms;
}

void pinentries_end(struct pinentries *pinentries)
{
    for (size_t i = 0; i < PINENTRIES_MAX; i++) {
        struct pinentries_row *row = &pinentries->rows[i];

        if (row->pid == 0)
            continue;
        (void)kill(-row->pid, SIGKILL);
        (void)waitpid(row->pid, NULL, 0);
        row->pid = 0;
    }
}
