#include "common/private_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/descriptor.h"
#include "common/fork_safe.h"
#include "common/i18n.h"
#include "common/state_folder.h"

static int open_above_stdio(const char *path, int flags)
{
    /* O_NONBLOCK: a FIFO in the file's place must not make the host wait. */
    return descriptor_above_stdio(open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK | flags, 0600));
}

static bool is_private(int fd, const char *path, struct error *err)
{
    struct stat st;

    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() && !(st.st_mode & (S_IWGRP | S_IWOTH)))
        return true;
    error_set(err, ERROR_IO, _("%s is not a file that only you can write: look who changed it, and move it away."),
              path);
    return false;
}

int private_file_open(const char *path, bool create, int flags, struct error *err)
{
    const int all_flags = flags | (create ? O_CREAT : 0);
    int fd = open_above_stdio(path, all_flags);
    int failure;

    if (fd < 0 && errno == ENOENT && create) {
        state_folder_make_for(path);
        fd = open_above_stdio(path, all_flags);
    }
    if (fd < 0) {
        failure = errno;
        error_set(err, ERROR_IO, _("%s cannot be opened (%s)."), path, fork_safe_error(failure));
        errno = failure;
        return -1;
    }
    if (!is_private(fd, path, err)) {
        close(fd);
        errno = EPERM;
        return -1;
    }
    return fd;
}

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Has somebody changed the file since *seen, which is then now? */
static bool others_get_on(int fd, struct timespec *seen)
{
    struct stat st;
    bool changed;

    if (fstat(fd, &st) != 0)
        return false;
    changed = st.st_ctim.tv_sec != seen->tv_sec || st.st_ctim.tv_nsec != seen->tv_nsec;
    *seen = st.st_ctim;
    return changed;
}

enum error_code private_file_lock(int fd, unsigned timeout_ms, struct error *err)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET}; /* l_pid must be 0 (fcntl(2)) */
    struct timespec pause = {.tv_nsec = 50000};
    int64_t end_ms = now_ms() + timeout_ms;
    struct timespec seen = {0};
    int turns = 0;

    (void)others_get_on(fd, &seen);

    /* F_OFD_SETLKW would wait without end, and an alarm belongs to the host: so the lock is tried again and again, in
     * steps that grow from 50 us to some 3 ms. */
    while (fcntl(fd, F_OFD_SETLK, &whole) != 0) {
        if (errno != EAGAIN && errno != EACCES && errno != EINTR)
            return error_set(err, ERROR_IO, _("A file cannot be locked (%s)."), fork_safe_error(errno));
        if (now_ms() >= end_ms && ++turns < PRIVATE_FILE_TURNS && others_get_on(fd, &seen))
            end_ms = now_ms() + timeout_ms;
        if (now_ms() >= end_ms)
            return error_set(err, ERROR_TIMEOUT, _("Another program holds the lock of a file for too long."));
        nanosleep(&pause, NULL);
        if (pause.tv_nsec < 3000000)
            pause.tv_nsec *= 2;
    }
    return ERROR_NONE;
}

void private_file_unlock(int fd)
{
    struct flock whole = {.l_type = F_UNLCK, .l_whence = SEEK_SET};

    (void)fcntl(fd, F_OFD_SETLK, &whole);
}

bool private_file_is_at(int fd, const char *path)
{
    struct stat open_one;
    struct stat named;

    return fstat(fd, &open_one) == 0 && lstat(path, &named) == 0 && open_one.st_dev == named.st_dev &&
           open_one.st_ino == named.st_ino;
}
