#include "enroll/pfx_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/i18n.h"
#include "enroll/file.h"
#include "enroll/pfx.h"

static enum error_code pfx_file_unreadable(struct error *err, const char *path, int error)
{
    return error_set(err, ERROR_IO, _("%s cannot be read (%s)."), path, strerror(error));
}

static enum error_code pfx_file_unwritable(struct error *err, const char *path, int error)
{
    return error_set(err, ERROR_IO, _("%s cannot be written (%s): free some space or check its permissions."), path,
                     strerror(error));
}

static enum error_code pfx_file_taken(struct error *err, const char *path)
{
    return error_set(err, ERROR_IO, _("%s is there already and is not overwritten: choose another name."), path);
}

static enum error_code pfx_file_read_open(int fd, const char *path, struct bytes *file, struct error *err)
{
    struct stat st;

    if (fstat(fd, &st) != 0) {
        return pfx_file_unreadable(err, path, errno);
    }
    if (!S_ISREG(st.st_mode)) {
        return error_set(err, ERROR_IO, _("%s is not a file: name the PFX file itself."), path);
    }
    if (st.st_size > PFX_FILE_MAX) {
        return error_set(err, ERROR_PFX, _("%s is too large to be a PFX file: choose the file that was exported."),
                         path);
    }
    return file_read_all(fd, path, PFX_FILE_MAX, file, err);
}

enum error_code pfx_file_read(const char *path, struct bytes *file, struct error *err)
{
    /* A pipe or a terminal must not keep us waiting before it is refused. */
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    enum error_code status;

    if (fd < 0) {
        return pfx_file_unreadable(err, path, errno);
    }
    status = pfx_file_read_open(fd, path, file, err);
    close(fd);
    return status;
}

enum error_code pfx_file_check_absent(const char *path, struct error *err)
{
    struct stat st;

    if (lstat(path, &st) == 0) {
        return pfx_file_taken(err, path);
    }
    return errno == ENOENT ? ERROR_NONE : pfx_file_unwritable(err, path, errno);
}

enum error_code pfx_file_check_replaceable(const char *path, struct error *err)
{
    struct stat st;

    if (lstat(path, &st) != 0) {
        return pfx_file_unreadable(err, path, errno);
    }
    if (!S_ISREG(st.st_mode)) {
        return error_set(err, ERROR_IO, _("%s is not a file itself but a link or the like: name the file that it stands for."),
                         path);
    }
    return ERROR_NONE;
}

enum error_code pfx_file_stage(const char *path, const struct bytes *bytes, struct pfx_file *staged, struct error *err)
{
    struct pfx_file made = {.path = strdup(path)};
    bool written = false;
    int saved;
    int fd;

    if (!made.path || asprintf(&made.staged, "%s.XXXXXX", path) < 0) {
        free(made.path);
        return error_set(err, ERROR_MEMORY, "%s", "");
    }
    fd = mkostemp(made.staged, O_CLOEXEC); /* mode 0600 */
    saved = errno;
    if (fd >= 0) {
        written = file_write_all(fd, bytes->data, bytes->len) && fsync(fd) == 0;
        saved = errno;
        written = close(fd) == 0 && written;
    }
    if (!written) {
        if (fd < 0) {
            free(made.staged);
            made.staged = NULL;
        }
        pfx_file_drop(&made);
        return pfx_file_unwritable(err, path, saved);
    }
    *staged = made;
    return ERROR_NONE;
}

/* Where the file system cannot rename without replacing, a second name does it: link refuses one that is taken. */
static int pfx_file_rename_to_free(const char *from, const char *to)
{
    int result = renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE);

    if (result != 0 && (errno == EINVAL || errno == ENOSYS)) {
        result = link(from, to);
        if (result == 0) {
            (void)unlink(from);
        }
    }
    return result;
}

enum error_code pfx_file_publish(struct pfx_file *staged, bool replace, struct error *err)
{
    enum error_code status = replace ? pfx_file_check_replaceable(staged->path, err) : ERROR_NONE;
    int result;

    if (status != ERROR_NONE) {
        return status;
    }
    result = replace ? rename(staged->staged, staged->path) : pfx_file_rename_to_free(staged->staged, staged->path);
    if (result != 0) {
        return errno == EEXIST ? pfx_file_taken(err, staged->path) : pfx_file_unwritable(err, staged->path, errno);
    }
    free(staged->staged);
    staged->staged = NULL;
    return file_sync_folder(staged->path) ? ERROR_NONE : pfx_file_unwritable(err, staged->path, errno);
}

void pfx_file_drop(struct pfx_file *staged)
{
    if (staged->staged) {
        (void)unlink(staged->staged);
    }
    free(staged->staged);
    free(staged->path);
    memset(staged, 0, sizeof *staged);
}

enum error_code pfx_file_rename_folder(const char *from, const char *to, struct error *err)
{
    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) != 0) {
        return errno == EEXIST ? pfx_file_taken(err, to) : pfx_file_unwritable(err, to, errno);
    }
    return file_sync_folder(to) ? ERROR_NONE : pfx_file_unwritable(err, to, errno);
}
