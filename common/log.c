#include "common/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/descriptor.h"
#include "common/fork_safe.h"
#include "common/i18n.h"
#include "common/state_folder.h"

#define LOG_LINE_MAX 2048

static struct {
    pthread_mutex_t lock;
    int fd; /* -1: lines are dropped */
    enum config_log_level level;
} log_state = {.lock = PTHREAD_MUTEX_INITIALIZER, .fd = -1};

enum error_code log_open(const struct config *config, struct error *err)
{
    char *path = config->log.file ? strdup(config->log.file) : state_folder_file("pinward.log");
    int fd;

    if (!path)
        return error_set(err, ERROR_IO,
                         _("There is no log: neither [log] file nor XDG_STATE_HOME nor HOME is set."));
    state_folder_make_for(path);
    fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK, 0600);
    if (fd < 0) {
        error_set(err, ERROR_IO, _("The log %s cannot be opened: %s."), path, fork_safe_error(errno));
        free(path);
        return ERROR_IO;
    }
    free(path);
    fd = descriptor_above_stdio(fd);
    if (fd < 0)
        return error_set(err, ERROR_IO, _("There is no file descriptor left for the log."));
    pthread_mutex_lock(&log_state.lock);
    if (log_state.fd >= 0)
        close(log_state.fd);
    log_state.fd = fd;
    log_state.level = config->log.level;
    pthread_mutex_unlock(&log_state.lock);
    return ERROR_NONE;
}

void log_close(void)
{
    pthread_mutex_lock(&log_state.lock);
    if (log_state.fd >= 0)
        close(log_state.fd);
    log_state.fd = -1;
    pthread_mutex_unlock(&log_state.lock);
}

void log_forget(void)
{
    /* The lock may have been held by a thread that a fork left behind; and the descriptor's number may be
     * somebody else's by now: daemons close everything after a fork. */
    pthread_mutex_init(&log_state.lock, NULL);
    log_state.fd = -1;
}

/* Labels and file names come from outside: no control character may start a line of its own. */
static void log_neutralise(char *text)
{
    for (unsigned char *c = (unsigned char *)text; *c; c++)
        if (*c < 0x20 || *c == 0x7f)
            *c = '?';
}

static size_t log_format(char *line, size_t size, enum config_log_level level, const char *format, va_list args)
{
    static const char *const names[] = {"error", "warning", "info", "debug"};
    char stamp[32];
    struct timespec now;
    struct tm utc = {0};
    int head;

    clock_gettime(CLOCK_REALTIME, &now);
    (void)fork_safe_utc(now.tv_sec, &utc);
    strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &utc);
    head = snprintf(line, size, "%s.%03ldZ %s %s[%ld] ", stamp, now.tv_nsec / 1000000, names[level],
                    program_invocation_short_name, (long)getpid());
    if (head < 0 || (size_t)head >= size - 2)
        return 0;
    vsnprintf(line + head, size - 1 - (size_t)head, format, args);
    log_neutralise(line);
    head = (int)strlen(line);
    line[head] = '\n';
    return (size_t)head + 1;
}

/* A log that cannot be written (disk full, file size limit) must not stop, still less kill, what it tells about: a file
 * at its limit raises SIGXFSZ (setrlimit(2)), which is taken back when this write raised it. */
static void log_put(int fd, const char *line, size_t len)
{
    sigset_t limit, before, pending;
    const struct timespec now = {0};
    bool was_pending;
    ssize_t written;

    sigemptyset(&limit);
    sigaddset(&limit, SIGXFSZ);
    sigpending(&pending);
    was_pending = sigismember(&pending, SIGXFSZ) == 1;
    pthread_sigmask(SIG_BLOCK, &limit, &before);
    written = write(fd, line, len);
    if (written < 0 && errno == EFBIG && !was_pending)
        (void)sigtimedwait(&limit, NULL, &now);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void log_write(enum config_log_level level, const char *format, ...)
{
    char line[LOG_LINE_MAX];
    const int saved_errno = errno;
    va_list args;
    size_t len;

    va_start(args, format);
    len = log_format(line, sizeof line, level, format, args);
    va_end(args);
    pthread_mutex_lock(&log_state.lock);
    if (log_state.fd >= 0 && level <= log_state.level)
        log_put(log_state.fd, line, len);
    pthread_mutex_unlock(&log_state.lock);
    errno = saved_errno;
}
