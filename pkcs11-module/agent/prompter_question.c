#include "pkcs11-module/agent/prompter_question.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/descriptor.h"
#include "common/fork_safe.h"

#define TERM_TIMEOUT_MS 500

static void unblock_signals(void)
{
    sigset_t none;

    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* false: the parent has ended meanwhile. */
static bool end_with_parent(pid_t parent)
{
    return prctl(PR_SET_PDEATHSIG, SIGTERM) == 0 && getppid() == parent;
}

/* The socket as stdin and stdout, nothing on stderr, no other descriptor. */
static void become_pinentry(const char *pinentry, int fd, pid_t parent)
{
    char *const arguments[] = {(char *)pinentry, NULL};
    const int null = descriptor_above_stdio(open("/dev/null", O_WRONLY | O_CLOEXEC));

    if (!end_with_parent(parent) || dup2(fd, STDIN_FILENO) < 0 || dup2(fd, STDOUT_FILENO) < 0 ||
        dup2(null, STDERR_FILENO) < 0 || close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC) != 0)
        _exit(127);
    execv(pinentry, arguments);
    fprintf(stderr, "pinward-agent: %s: %s\n", pinentry, fork_safe_error(errno));
    _exit(127);
}

/* The pinentry holds the socket too, and so does not see that its other end has closed while it waits for its user. */
static void end_with_socket(pid_t pid, int fd)
{
    const int pidfd = pidfd_open(pid, 0);
    struct pollfd on[] = {{.fd = pidfd, .events = POLLIN}, {.fd = fd, .events = POLLRDHUP}};

    while (pidfd >= 0 && poll(on, 2, -1) < 0)
        ; /* EINTR */
    if (pidfd < 0 || !on[0].revents) {
        (void)kill(pid, SIGTERM); /* not reaped yet: the pid is still its own */
        if (pidfd < 0 || poll(on, 1, TERM_TIMEOUT_MS) != 1)
            (void)kill(pid, SIGKILL);
    }
    (void)waitpid(pid, NULL, 0);
}

static void watch(const char *pinentry, int fd, pid_t prompter)
{
    const pid_t self = getpid();
    pid_t pid;

    (void)signal(SIGCHLD, SIG_DFL);
    unblock_signals();
    if (!end_with_parent(prompter))
        _exit(1);
    pid = fork();
    if (pid == 0)
        become_pinentry(pinentry, fd, self);
    if (pid > 0)
        end_with_socket(pid, fd);
    _exit(0);
}

void prompter_question_begin(const char *pinentry, int fd)
{
    const pid_t prompter = getpid();
    const int high = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1); /* dup2 onto itself would keep close-on-exec */

    if (high < 0)
        return;
    if (fork() == 0)
        watch(pinentry, high, prompter);
    close(high);
}
