#include "enroll/captcha_command.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/i18n.h"
#include "enroll/file.h"

#define CAPTCHA_LINE_MAX 256
#define CAPTCHA_END_MS   2000

extern char **environ;

/* The signals that this program waits for are blocked in it; the other one is to have them as it likes. */
static int captcha_command_spawn(const char *program, const char *path, int out_fd, pid_t *pid)
{
    char *argv[] = {(char *)program, (char *)path, NULL};
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
        if (!failed) {
            failed = posix_spawn(pid, program, &actions, &attributes, argv, environ);
        }
        posix_spawn_file_actions_destroy(&actions);
    }
    posix_spawnattr_destroy(&attributes);
    return failed;
}

/* Starts program with path; *out_fd reads its stdout. Its stdin and stderr are the tool's. */
static bool captcha_command_start(const char *program, const char *path, pid_t *pid, int *out_fd)
{
    int fds[2];
    int failed;

    if (pipe2(fds, O_CLOEXEC) != 0) {
        return false;
    }
    failed = captcha_command_spawn(program, path, fds[1], pid);
    close(fds[1]);
    if (failed) {
        close(fds[0]);
        errno = failed;
        return false;
    }
    *out_fd = fds[0];
    return true;
}

static long captcha_command_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Reads up to the end, a line's end, or the deadline. Returns the length, -1 when there was no line in time.
 */
static ssize_t captcha_command_read_line(int fd, unsigned timeout_s, char line[CAPTCHA_LINE_MAX])
{
    long deadline = captcha_command_now_ms() + (long)timeout_s * 1000;
    size_t len = 0;

    while (len < CAPTCHA_LINE_MAX - 1) {
        long left = deadline - captcha_command_now_ms();
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        int ready = left > 0 ? poll(&wait, 1, (int)left) : 0;
        ssize_t n;

        if (ready < 0 && errno == EINTR) {
            continue;
        }
        if (ready <= 0) {
            return -1;
        }
        n = read(fd, line + len, CAPTCHA_LINE_MAX - 1 - len);
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

/* Gives the program grace_ms to end by itself, then ends it, and reaps it. */
static void captcha_command_end(pid_t pid, int grace_ms)
{
    int fd = pidfd_open(pid, 0);
    struct pollfd wait = {.fd = fd, .events = POLLIN};

    if (fd < 0 || grace_ms == 0 || poll(&wait, 1, grace_ms) != 1) {
        kill(pid, SIGKILL);
    }
    if (fd >= 0) {
        close(fd);
    }
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
    }
}

enum error_code captcha_command_run(const char *program, const char *folder, const struct bytes *png,
                                    unsigned timeout_s, char **text, struct error *err)
{
    char line[CAPTCHA_LINE_MAX] = "";
    char *path = file_join(folder, "captcha.png");
    enum error_code status;
    pid_t pid = -1;
    ssize_t len;
    int fd = -1;

    if (!path) {
        return error_set(err, ERROR_MEMORY, "%s", "");
    }
    status = file_write_private(path, png->data, png->len, err);
    if (status != ERROR_NONE) {
        goto out;
    }
    if (!captcha_command_start(program, path, &pid, &fd)) {
        status = error_set(err, ERROR_CONFIG,
                           _("The captcha-command %s cannot be run (%s): correct it in [portal]."), program,
                           strerror(errno));
        goto out;
    }
    len = captcha_command_read_line(fd, timeout_s, line);
    close(fd);
    captcha_command_end(pid, len > 0 ? CAPTCHA_END_MS : 0);
    if (len <= 0) {
        status = error_set(err, ERROR_CANCELLED,
                           _("The captcha-command %s gave no text, so nothing was done."), program);
        goto out;
    }
    *text = strdup(line);
    status = *text ? ERROR_NONE : error_set(err, ERROR_MEMORY, "%s", "");
out:
    unlink(path);
    free(path);
    return status;
}
