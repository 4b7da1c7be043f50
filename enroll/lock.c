#include "enroll/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "common/i18n.h"

#define LOCK_PAUSE_MS 20

/* The holder writes its number right after it has the lock; between the two the file says nothing, or who was before. */
static void lock_read_holder(int fd, char holder[LOCK_HOLDER_SIZE])
{
    char text[24];
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    long pid = 0;

    if (n > 0) {
        char *end = NULL;

        text[n] = '\0';
        pid = strtol(text, &end, 10);
        pid = *end == '\n' ? pid : 0;
    }
    if (pid > 0) {
        snprintf(holder, LOCK_HOLDER_SIZE, _("process %ld"), pid);
    } else {
        snprintf(holder, LOCK_HOLDER_SIZE, "%s", _("its process is not known"));
    }
}

static void lock_write_holder(int fd)
{
    char text[24];
    int len = snprintf(text, sizeof text, "%ld\n", (long)getpid());

    /* Nobody is kept out or let in by it, so a full disk changes nothing. */
    if (ftruncate(fd, 0) == 0) {
        (void)!pwrite(fd, text, (size_t)len, 0);
    }
}

enum error_code lock_take(const char *path, unsigned wait_ms, int *fd, char holder[LOCK_HOLDER_SIZE], struct error *err)
{
    const struct timespec pause = {.tv_nsec = LOCK_PAUSE_MS * 1000000L};
    int lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (lock < 0) {
        return error_set(err, ERROR_IO, _("%s cannot be made (%s)."), path, strerror(errno));
    }
    for (unsigned waited_ms = 0; flock(lock, LOCK_EX | LOCK_NB) != 0; waited_ms += LOCK_PAUSE_MS) {
        if (waited_ms >= wait_ms) {
            lock_read_holder(lock, holder);
            close(lock);
            return error_set(err, ERROR_STATE, "%s", "");
        }
        nanosleep(&pause, NULL);
    }
    lock_write_holder(lock);
    *fd = lock;
    return ERROR_NONE;
}
