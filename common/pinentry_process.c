#include "common/pinentry_process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/descriptor.h"
#include "common/fork_safe.h"
#include "common/i18n.h"

/* How long a child may take to leave after its socket closed, and after SIGTERM. */
#define LEAVE_TIMEOUT_MS 1000
#define TERM_TIMEOUT_MS  500

static const struct pinentry_starter *other_starter; /* NULL: this process starts them */

void pinentry_process_start_by(const struct pinentry_starter *starter)
{
    other_starter = starter;
}

static pinentry_elsewhere *process_elsewhere; /* NULL: on this side */

void pinentry_process_start_elsewhere(pinentry_elsewhere *elsewhere)
{
    process_elsewhere = elsewhere;
}

static int64_t monotonic_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Default dispositions and an empty mask: a host that ignores SIGTERM must not make pinentry immortal. The user's own
 * ids: what draws windows in a setuid host's name must not have its rights. */
static int spawn_attributes(posix_spawnattr_t *attr)
{
    sigset_t all;
    sigset_t none;

    sigfillset(&all);
    sigemptyset(&none);
    if (posix_spawnattr_init(attr) != 0)
        return -1;
    posix_spawnattr_setsigdefault(attr, &all);
    posix_spawnattr_setsigmask(attr, &none);
    posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_RESETIDS);
    return 0;
}

/* The socket as stdin and stdout, nothing on stderr (the host's is not ours to write to), no other descriptor. */
static int spawn_file_actions(posix_spawn_file_actions_t *actions, int child_fd)
{
    if (posix_spawn_file_actions_init(actions) != 0)
        return -1;
    if (posix_spawn_file_actions_adddup2(actions, child_fd, STDIN_FILENO) != 0 ||
        posix_spawn_file_actions_adddup2(actions, child_fd, STDOUT_FILENO) != 0 ||
        posix_spawn_file_actions_addopen(actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0) != 0 ||
        posix_spawn_file_actions_addclosefrom_np(actions, STDERR_FILENO + 1) != 0) {
        posix_spawn_file_actions_destroy(actions);
        return -1;
    }
    return 0;
}

static int spawn_child(const char *program, int child_fd, pid_t *pid)
{
    char *argv[] = {(char *)program, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    int rc = ENOMEM;

    if (spawn_attributes(&attr) != 0)
        return rc;
    if (spawn_file_actions(&actions, child_fd) == 0) {
        rc = posix_spawn(pid, program, &actions, &attr, argv, environ);
        posix_spawn_file_actions_destroy(&actions);
    }
    posix_spawnattr_destroy(&attr);
    return rc;
}

/* 0, or an errno. */
static int start_child(const char *program, pid_t *pid, int *pidfd, int *fd)
{
    int pair[2];
    int rc;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return errno;
    /* The child's end too: dup2 onto itself would keep close-on-exec. */
    pair[0] = descriptor_above_stdio(pair[0]);
    pair[1] = descriptor_above_stdio(pair[1]);
    rc = pair[0] < 0 || pair[1] < 0 ? EMFILE : spawn_child(program, pair[1], pid);
    if (pair[1] >= 0)
        close(pair[1]);
    if (rc == 0) {
        *fd = pair[0];
        *pidfd = descriptor_above_stdio(pidfd_open(*pid, 0));
    } else if (pair[0] >= 0) {
        close(pair[0]);
    }
    return rc;
}

/* 0, or an errno. */
static int start_anywhere(const char *program, struct pinentry_process *process)
{
    if (process_elsewhere) {
        process->pidfd = -1;
        return process_elsewhere(&process->fd, &process->environment);
    }
    pinentry_environment_read(&process->environment);
    return other_starter ? other_starter->start(&process->pid, &process->pidfd, &process->fd)
                         : start_child(program, &process->pid, &process->pidfd, &process->fd);
}

enum error_code pinentry_process_start(const char *program, unsigned timeout_s, int cancel_fd,
                                       struct pinentry_process *process, struct error *err)
{
    struct pinentry_process made = {.cancel_fd = cancel_fd};
    const int rc = start_anywhere(program, &made);

    if (rc == ENOTCONN)
        return error_set(err, ERROR_PROMPT,
                         _("The PIN cannot be asked for: nobody puts questions in the session of the program's user. Start "
                           "pinward-agent --prompt there."));
    if (rc != 0)
        return error_set(err, ERROR_PROMPT,
                         _("The PIN cannot be asked for: %s does not start (%s). Install a pinentry, or name one in "
                           "[module] pinentry."),
                         program, fork_safe_error(rc));
    made.deadline_ms = monotonic_ms() + (int64_t)timeout_s * 1000;
    *process = made;
    return ERROR_NONE;
}

/* Waits for events on fd; 0 when they are there, else -1 with errno and the reason noted. */
static int process_wait(struct pinentry_process *process, int fd, short events)
{
    for (;;) {
        struct pollfd fds[2] = {{.fd = fd, .events = events}, {.fd = process->cancel_fd, .events = POLLIN}};
        const int64_t left_ms = process->deadline_ms - monotonic_ms();
        int rc;

        if (left_ms <= 0) {
            process->timed_out = true;
            errno = ETIMEDOUT;
            return -1;
        }
        rc = poll(fds, 2, (int)left_ms);
        if (rc < 0 && errno != EINTR)
            return -1;
        if (rc > 0 && fds[1].revents) {
            process->cancelled = true;
            errno = ECANCELED;
            return -1;
        }
        if (rc > 0 && fds[0].revents)
            return 0;
    }
}

ssize_t pinentry_process_read(struct pinentry_process *process, int fd, void *buffer, size_t size)
{
    ssize_t n;

    do {
        if (process_wait(process, fd, POLLIN) != 0)
            return -1;
        n = recv(fd, buffer, size, MSG_DONTWAIT);
    } while (n < 0 && (errno == EAGAIN || errno == EINTR));
    return n;
}

ssize_t pinentry_process_write(struct pinentry_process *process, int fd, const void *buffer, size_t size)
{
    ssize_t n;

    do {
        if (process_wait(process, fd, POLLOUT) != 0)
            return -1;
        n = send(fd, buffer, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (n < 0 && (errno == EAGAIN || errno == EINTR));
    return n;
}

/* true when the child is gone within timeout_ms. */
static bool process_is_gone(const struct pinentry_process *process, int timeout_ms)
{
    const int64_t until_ms = monotonic_ms() + timeout_ms;

    for (;;) {
        struct pollfd pfd = {.fd = process->pidfd, .events = POLLIN};
        const int64_t left_ms = until_ms - monotonic_ms();

        if (poll(&pfd, 1, left_ms > 0 ? (int)left_ms : 0) > 0)
            return true;
        if (left_ms <= 0)
            return false;
    }
}

/* Without a pidfd (no descriptor was left, or the host had reaped the child before there was one). The child leaves when
 * its socket closes; while it is our child and has not been waited for, its pid is nobody else's. */
static void end_by_pid(pid_t pid)
{
    const int64_t until_ms = monotonic_ms() + LEAVE_TIMEOUT_MS;
    const struct timespec pause = {.tv_nsec = 5000000};
    siginfo_t info = {0};

    while (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == 0 &&
           monotonic_ms() < until_ms)
        nanosleep(&pause, NULL);
    if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0)
        return; /* ECHILD: the host has reaped it */
    (void)kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        continue;
}

/* false: it has ended. */
static bool send_signal(const struct pinentry_process *process, int signal)
{
    if (!other_starter)
        return pidfd_send_signal(process->pidfd, signal, NULL, 0) == 0;
    other_starter->signal(process->pid, signal);
    return true;
}

void pinentry_process_end(struct pinentry_process *process)
{
    const bool hurry = process->timed_out || process->cancelled;

    if (process->fd >= 0)
        close(process->fd);
    process->fd = -1;
    if (process->pid == 0)
        return;
    if (process->pidfd < 0) {
        end_by_pid(process->pid);
        return;
    }
    if ((hurry || !process_is_gone(process, LEAVE_TIMEOUT_MS)) && send_signal(process, SIGTERM) &&
        !process_is_gone(process, TERM_TIMEOUT_MS))
        (void)send_signal(process, SIGKILL);
    /* By the pidfd: where the host has reaped it (SIGCHLD ignored, or a handler of its own: ECHILD), the pid may be
     * another child's by now. What another process has started, that one waits for. */
    while (!other_starter && waitid(P_PIDFD, (id_t)process->pidfd, NULL, WEXITED) != 0 && errno == EINTR)
        continue;
    close(process->pidfd);
    process->pidfd = -1;
}
