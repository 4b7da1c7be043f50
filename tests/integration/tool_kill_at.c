/*
 * tool_kill_at: preloaded into the tool by a test, it ends the process the PINWARD_KILL_AT-th time that a file whose path
 * begins with PINWARD_KILL_UNDER is opened to be written, or is about to get or has just got its name: the token or the
 * journal is interrupted at a chosen point of its writing. With PINWARD_KILL_SLOW it makes that file then and takes its
 * time instead: a slow token. PINWARD_KILL_NOTE, "before" or "after", ends it there when the journal of a flow first gets
 * its name or is removed.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int (*next_open(void))(const char *, int, ...)
{
    int (*next)(const char *, int, ...) = NULL;

    *(void **)(&next) = dlsym(RTLD_NEXT, "open");
    return next;
}

static void be_slow(const char *mark)
{
    int (*next)(const char *, int, ...) = next_open();
    int fd = next ? next(mark, O_WRONLY | O_CREAT, 0600) : -1;

    if (fd >= 0) {
        close(fd);
    }
    sleep(40);
}

static void kill_at(const char *path)
{
    static atomic_long seen;
    const char *slow = getenv("PINWARD_KILL_SLOW");
    const char *at = getenv("PINWARD_KILL_AT");
    const char *under = getenv("PINWARD_KILL_UNDER");

    if (at && under && strncmp(path, under, strlen(under)) == 0 && atomic_fetch_add(&seen, 1) + 1 == atol(at)) {
        if (slow) {
            be_slow(slow);
        } else {
            kill(getpid(), SIGKILL);
        }
    }
}

__attribute__((visibility("default"))) int open(const char *path, int flags, ...)
{
    int (*next)(const char *, int, ...) = next_open();
    mode_t mode = 0;

    if (flags & O_CREAT) {
        va_list arguments;

        va_start(arguments, flags);
        mode = va_arg(arguments, mode_t);
        va_end(arguments);
        kill_at(path);
    }
    return next ? next(path, flags, mode) : -1;
}

/* Is it the journal of a flow, and does the test want the process to end at this moment of its change? */
static void kill_at_note(const char *path, const char *moment)
{
    const char *wanted = getenv("PINWARD_KILL_NOTE");
    const char *name = strrchr(path, '/');
    size_t len = strlen(path);

    if (wanted && name && strcmp(wanted, moment) == 0 &&
        (strncmp(name, "/enrollment-", 12) == 0 || strncmp(name, "/import-", 8) == 0) && len > 5 &&
        strcmp(path + len - 5, ".json") == 0) {
        kill(getpid(), SIGKILL);
    }
}

__attribute__((visibility("default"))) int rename(const char *from, const char *to)
{
    int (*next)(const char *, const char *) = NULL;
    int result;

    *(void **)(&next) = dlsym(RTLD_NEXT, "rename");
    kill_at(to);
    kill_at_note(to, "before");
    result = next ? next(from, to) : -1;
    kill_at(to);
    kill_at_note(to, "after");
    return result;
}

__attribute__((visibility("default"))) int unlink(const char *path)
{
    int (*next)(const char *) = NULL;
    int result;

    *(void **)(&next) = dlsym(RTLD_NEXT, "unlink");
    kill_at_note(path, "before");
    result = next ? next(path) : -1;
    kill_at_note(path, "after");
    return result;
}
