#include "enroll/command.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* The signals that this program waits for are blocked in it; the other one is to have them as it likes. */
static int command_spawn(char *const argv[], bool quiet, int out_fd, pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    int failed = posix_spawnattr_init(&attributes);

    if (failed) {
        return failed;
    }
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    failed = posix_spawn_file_actions_init(&actions);
    if (!failed) {
        failed = posix_spawn_file_actions_adddup2(&actions, out_fd, STDOUT_FILENO);
        if (!failed && quiet) {
            failed = posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
        }
        if (!failed) {
            failed = posix_spawnp(pid, argv[0], &actions, &attributes, argv, environ);
        }
        posix_spawn_file_actions_destroy(&actions);
    }
    posix_spawnattr_destroy(&attributes);
    return failed;
}

bool command_start(char *const argv[], bool quiet, struct command_run *run)
{
    int fds[2];
    int failed;

    if (pipe2(fds, O_CLOEXEC) != 0) {
        return false;
    }
    failed = command_spawn(argv, quiet, fds[1], &run->pid);
    close(fds[1]);
    if (failed) {
        close(fds[0]);
        errno = failed;
        return false;
    }
    run->out_fd = fds[0];
    return true;
}

static long command_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

ssize_t command_read_line(const struct command_run *run, unsigned timeout_s, char line[COMMAND_LINE_MAX])
{
    long deadline = command_now_ms() + (long)timeout_s * 1000;
    size_t len = 0;

    while (len < COMMAND_LINE_MAX - 1) {
        long left = deadline - command_now_ms();
        struct pollfd wait = {.fd = run->out_fd, .events = POLLIN};
        int ready = left > 0 ? poll(&wait, 1, (int)left) : 0;
        ssize_t n;

        if (ready < 0 && errno == EINTR) {
            continue;
        }
        if (ready <= 0) {
            return -1;
        }
        n = read(run->out_fd, line + len, COMMAND_LINE_MAX - 1 - len);
        if (n <= 0 || memchr(line + len, '\n', (size_t)n)) {
            len += n > 0 ? (size_t)n : 0;
            break;
        }
        len += (size_t)n;
    }
    line[len] = '\0';
    len = strcspn(line, "\r\n");
    line[len] = '\0';
    return (ssize_t)len;
}

void command_end(struct command_run *run, int grace_ms)
{
    int fd = pidfd_open(run->pid, 0);
    struct pollfd wait = {.fd = fd, .events = POLLIN};

    close(run->out_fd);
    if (fd < 0 || grace_ms == 0 || poll(&wait, 1, grace_ms) != 1) {
        kill(run->pid, SIGKILL);
    }
    if (fd >= 0) {
        close(fd);
    }
    while (waitpid(run->pid, NULL, 0) < 0 && errno == EINTR) {
    }
}
