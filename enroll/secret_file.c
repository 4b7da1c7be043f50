#include "enroll/secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/i18n.h"

#define SECRET_FILE_MAX 1024 /* bytes of a password, as the portal takes them */

static enum error_code secret_file_check(int fd, const char *path, struct error *err)
{
    struct stat st;

    if (fstat(fd, &st) != 0) {
        return error_set(err, ERROR_IO, _("%s cannot be read (%s)."), path, strerror(errno));
    }
    if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 077) != 0) {
        return error_set(
            err, ERROR_IO,
            _("%s is not a file that belongs to you and that only you can read: set its mode with chmod "
              "600, and its owner."),
            path);
    }
    return ERROR_NONE;
}

/* Reads to the end into all. false: a failure, or it does not fit. */
static bool secret_file_read_all(int fd, struct secret *all)
{
    char buffer[256];
    bool ok = true;
    ssize_t n;

    while (ok && ((n = read(fd, buffer, sizeof buffer)) > 0 || (n < 0 && errno == EINTR))) {
        ok = n < 0 || secret_append(all, buffer, (size_t)n);
    }
    ok = ok && n == 0;
    secret_wipe(buffer, sizeof buffer);
    return ok;
}

/* The length of the one line in all; 0: it is empty, or not one line of text. */
static size_t secret_file_line(const struct secret *all)
{
    const char *bytes = secret_bytes(all);
    const size_t len = strcspn(bytes, "\r\n"); /* a NUL inside ends it too */
    const char *end = bytes + len;

    end += *end == '\r' ? 1 : 0;
    end += *end == '\n' ? 1 : 0;
    return (size_t)(end - bytes) == secret_length(all) ? len : 0;
}

enum error_code secret_file_read(const char *path, struct secret **secret, struct error *err)
{
    struct secret *all = NULL;
    struct secret *line = NULL;
    enum error_code status;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

    if (fd < 0) {
        return error_set(err, ERROR_IO, _("%s cannot be read (%s)."), path, strerror(errno));
    }
    status = secret_file_check(fd, path, err);
    if (status != ERROR_NONE) {
        goto out;
    }
    all = secret_new(SECRET_FILE_MAX + 2);
    if (!all) {
        status = error_set(err, ERROR_MEMORY, "%s", "");
    } else if (!secret_file_read_all(fd, all) || secret_file_line(all) == 0) {
        status = error_set(err, ERROR_USAGE,
                           _("%s does not hold one line with a password of up to %d bytes."), path,
                           SECRET_FILE_MAX);
    } else {
        line = secret_from(secret_bytes(all), secret_file_line(all));
        status = line ? ERROR_NONE : error_set(err, ERROR_MEMORY, "%s", "");
    }
    if (status == ERROR_NONE) {
        *secret = line;
    }
out:
    secret_free(&all);
    close(fd);
    return status;
}
