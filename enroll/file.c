#include "enroll/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/i18n.h"
#include "common/secret.h"

char *file_join(const char *folder, const char *name)
{
    char *path = NULL;

    return asprintf(&path, "%s/%s", folder, name) < 0 ? NULL : path;
}

/* mkdir -p with mode 0700 for what is made. path is changed and restored while at work. */
static bool file_make_folders(char *path)
{
    for (char *p = path + 1; *p; p++) {
        if (*p == '/') {
            bool ok;

            *p = '\0';
            ok = mkdir(path, 0700) == 0 || errno == EEXIST;
            *p = '/';
            if (!ok) {
                return false;
            }
        }
    }
    return mkdir(path, 0700) == 0 || errno == EEXIST;
}

enum error_code file_state_folder(char **path, struct error *err)
{
    const char *state = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");
    char *folder = NULL;
    int written;

    /* XDG base directory specification: a relative path in the variable is to be ignored. */
    if (state && state[0] == '/') {
        written = asprintf(&folder, "%s/pinward", state);
    } else if (home && home[0] == '/') {
        written = asprintf(&folder, "%s/.local/state/pinward", home);
    } else {
        return error_set(err, ERROR_CONFIG,
                         _("There is no folder for pinward's own files: set HOME or XDG_STATE_HOME."));
    }
    if (written < 0) {
        return error_set(err, ERROR_MEMORY, "%s", "");
    }
    if (!file_make_folders(folder)) {
        error_set(err, ERROR_IO, _("The folder %s cannot be made (%s): check its permissions."), folder,
                  strerror(errno));
        free(folder);
        return ERROR_IO;
    }
    *path = folder;
    return ERROR_NONE;
}

static enum error_code file_check_private(int fd, const char *path, size_t max, struct error *err)
{
    struct stat st;

    if (fstat(fd, &st) != 0) {
        return error_set(err, ERROR_IO, _("%s cannot be read (%s)."), path, strerror(errno));
    }
    if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 077) != 0) {
        return error_set(
            err, ERROR_IO,
            _("%s is not a file that only you can read and write: look who changed it, and remove it."),
            path);
    }
    if (st.st_size < 0 || (size_t)st.st_size > max) {
        return error_set(err, ERROR_IO, _("%s is too large to be what pinward wrote: move it away."), path);
    }
    return ERROR_NONE;
}

enum error_code file_read_all(int fd, const char *path, size_t max, struct bytes *out, struct error *err)
{
    struct bytes read_so_far = {0};
    enum error_code status = ERROR_NONE;
    char buffer[4096];

    for (;;) {
        ssize_t n = read(fd, buffer, sizeof buffer);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n == 0 && (read_so_far.data || bytes_set(&read_so_far, "", 0))) {
            break;
        }
        if (n <= 0 || read_so_far.len + (size_t)n > max || !bytes_append(&read_so_far, buffer, (size_t)n)) {
            status = error_set(err, ERROR_IO, _("%s cannot be read (%s)."), path, strerror(n < 0 ? errno : EFBIG));
            break;
        }
    }
    secret_wipe(buffer, sizeof buffer); /* it may have held a session's cookie */
    if (status != ERROR_NONE) {
        bytes_clear(&read_so_far);
        return status;
    }
    bytes_clear(out);
    *out = read_so_far;
    return ERROR_NONE;
}

enum error_code file_read_private(const char *path, size_t max, bool *found, struct bytes *out,
                                  struct error *err)
{
    enum error_code status;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

    if (fd < 0 && errno == ENOENT) {
        *found = false;
        return ERROR_NONE;
    }
    if (fd < 0) {
        return error_set(err, ERROR_IO, _("%s cannot be read (%s)."), path, strerror(errno));
    }
    status = file_check_private(fd, path, max, err);
    if (status == ERROR_NONE) {
        status = file_read_all(fd, path, max, out, err);
    }
    close(fd);
    if (status == ERROR_NONE) {
        *found = true;
    }
    return status;
}

bool file_write_all(int fd, const void *bytes, size_t len)
{
    const char *data = bytes;

    while (len > 0) {
        ssize_t n = write(fd, data, len);

        if (n < 0 && errno != EINTR) {
            return false;
        }
        if (n > 0) {
            data += n;
            len -= (size_t)n;
        }
    }
    return true;
}

bool file_sync_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
    bool ok = false;

    if (folder) {
        int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        ok = fd >= 0 && fsync(fd) == 0;
        if (fd >= 0) {
            close(fd);
        }
    }
    free(folder);
    return ok;
}

/* One try to open the file that is to become another, alone and empty. 1: it is; 0: it became the other one, or went,
 * while we waited for the process that was writing it; -1: it cannot be. */
static int file_try_new(const char *path, int *fd)
{
    int opened = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    struct stat ours;
    struct stat there;
    int result = -1;

    if (opened < 0) {
        return -1;
    }
    if (flock(opened, LOCK_EX) == 0 && fstat(opened, &ours) == 0) {
        bool same = lstat(path, &there) == 0 && there.st_ino == ours.st_ino && there.st_dev == ours.st_dev;

        result = !same ? 0 : fchmod(opened, 0600) == 0 && ftruncate(opened, 0) == 0 ? 1 : -1;
    }
    if (result == 1) {
        *fd = opened;
    } else {
        close(opened);
    }
    return result;
}

/* Always the same name beside path: what a killed run has left there is written over, and no secret lies about. */
enum error_code file_write_private(const char *path, const void *data, size_t len, struct error *err)
{
    enum error_code status = ERROR_NONE;
    char *temporary = NULL;
    int fd = -1;
    int tried;

    if (asprintf(&temporary, "%s.new", path) < 0) {
        return error_set(err, ERROR_MEMORY, "%s", "");
    }
    do {
        tried = file_try_new(temporary, &fd);
    } while (tried == 0);
    if (tried < 0 || !file_write_all(fd, data, len) || fsync(fd) != 0 || rename(temporary, path) != 0 ||
        !file_sync_folder(path)) {
        status = error_set(err, ERROR_IO,
                           _("%s cannot be written (%s): free some space or check its permissions."), path,
                           strerror(errno));
        if (fd >= 0) {
            unlink(temporary); /* still under the lock: nobody else's */
        }
    }
    if (fd >= 0) {
        close(fd);
    }
    free(temporary);
    return status;
}

enum error_code file_remove(const char *path, struct error *err)
{
    if ((unlink(path) != 0 && errno != ENOENT) || !file_sync_folder(path)) {
        return error_set(err, ERROR_IO, _("%s cannot be removed (%s)."), path, strerror(errno));
    }
    return ERROR_NONE;
}
