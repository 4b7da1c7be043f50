#include "pkcs11-module/counter_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/fork_safe.h"
#include "common/i18n.h"
#include "common/private_file.h"
#include "common/state_folder.h"

#define LOCK_WAIT_MS  5000
#define LOCK_PAUSE_MS 1
#define LOCK_PAUSE_NS 1000000

#define CHECKSUM_BYTES 16
#define HEAD_LEN       (sizeof "pinward-counter 1 01234567890123456789 01234567890123456789" - 1)
#define CHECKSUM_LEN   32 /* in hexadecimal */
#define RECORD_LEN     (HEAD_LEN + 1 + CHECKSUM_LEN + 1)

/* ------------------------------------------------------------------ the record */

/* "pinward-counter 1 N N CHECKSUM\n". There is one way to write two numbers, so a record is whole when it is exactly
 * what its numbers are written as. */
static void record_format(const uint64_t numbers[2], char record[RECORD_LEN + 1])
{
    unsigned char checksum[CHECKSUM_BYTES];
    char hex[CHECKSUM_LEN + 1];

    snprintf(record, RECORD_LEN + 1, "pinward-counter 1 %020" PRIu64 " %020" PRIu64, numbers[0], numbers[1]);
    crypto_generichash(checksum, sizeof checksum, (const unsigned char *)record, HEAD_LEN, NULL, 0);
    sodium_bin2hex(hex, sizeof hex, checksum, sizeof checksum);
    snprintf(record + HEAD_LEN, RECORD_LEN + 1 - HEAD_LEN, " %s\n", hex);
}

static bool record_parse(const char record[RECORD_LEN + 1], uint64_t numbers[2])
{
    char expected[RECORD_LEN + 1];
    uint64_t parsed[2];

    // NOLINTNEXTLINE(cert-err34-c): what it read, whatever that is, must be written the same way (below)
    if (sscanf(record, "pinward-counter 1 %20" SCNu64 " %20" SCNu64, &parsed[0], &parsed[1]) != 2)
        return false;
    record_format(parsed, expected);
    if (memcmp(record, expected, RECORD_LEN) != 0)
        return false;
    memcpy(numbers, parsed, sizeof parsed);
    return true;
}

/* ------------------------------------------------------------------ the file */

bool counter_file_locate(const char *name, char path[PATH_MAX])
{
    char *named = state_folder_user_file(name);
    bool located = false;

    if (named)
        located = (size_t)snprintf(path, PATH_MAX, "%s", named) < PATH_MAX;
    free(named);
    return located;
}

enum error_code counter_file_damaged(const char *path, struct error *err)
{
    return error_set(err, ERROR_IO,
                     _("The state file %s is damaged or was changed by hand: find out why, then remove it. Counting "
                       "begins again at 0."),
                     path);
}

static enum error_code write_record(int fd, const char *path, const uint64_t numbers[2], struct error *err)
{
    char record[RECORD_LEN + 1];
    ssize_t written;

    record_format(numbers, record);
    errno = ENOSPC; /* a write that was cut short says nothing of its own */
    written = pwrite(fd, record, RECORD_LEN, 0);
    if (written == (ssize_t)RECORD_LEN)
        return ERROR_NONE;
    return error_set(err, ERROR_IO, _("The state file %s cannot be written (%s)."), path, fork_safe_error(errno));
}

/* Under a name of its own first. Another process that makes the same file meanwhile may be first. */
static enum error_code make_file(const char *path, struct error *err)
{
    const uint64_t zeros[2] = {0, 0};
    char temporary[PATH_MAX];
    enum error_code status;
    int fd;

    if ((size_t)snprintf(temporary, sizeof temporary, "%s.%ld-%08" PRIx32, path, (long)getpid(),
                         randombytes_random()) >= sizeof temporary)
        return error_set(err, ERROR_IO, _("The path of the state file %s is too long."), path);
    fd = private_file_open(temporary, true, 0, err);
    if (fd < 0)
        return ERROR_IO;
    status = write_record(fd, path, zeros, err);
    /* To the disk now, since a file system may otherwise show the name before the contents after a power cut. Later
     * writes replace a record by another of the same length: either is whole. */
    if (status == ERROR_NONE && (fdatasync(fd) != 0 || (link(temporary, path) != 0 && errno != EEXIST)))
        status = error_set(err, ERROR_IO, _("The state file %s cannot be written (%s)."), path, fork_safe_error(errno));
    (void)unlink(temporary);
    close(fd);
    return status;
}

/* ------------------------------------------------------------------ locks */

/* Byte 0 guards the record; number n is held by the byte n behind it, whether or not the file is so long. */
#define RECORD_BYTE 0
#define HELD_BYTE(n) (1 + (off_t)((n) & INT32_MAX))

static bool set_lock(int fd, short type, off_t byte)
{
    struct flock range = {.l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};

    return fcntl(fd, F_OFD_SETLK, &range) == 0;
}

/* A process that was stopped while it held the lock must not stop all others with it: the wait ends. */
static enum error_code lock_record(struct counter_file *file, struct error *err)
{
    const struct timespec pause = {.tv_nsec = LOCK_PAUSE_NS};

    for (int waited_ms = 0; waited_ms < LOCK_WAIT_MS; waited_ms += LOCK_PAUSE_MS) {
        if (set_lock(file->fd, F_WRLCK, RECORD_BYTE))
            return ERROR_NONE;
        if (errno != EAGAIN && errno != EACCES && errno != EINTR)
            break;
        nanosleep(&pause, NULL);
    }
    return error_set(err, ERROR_IO, _("The state file %s cannot be locked (%s)."), file->path, fork_safe_error(errno));
}

/* ------------------------------------------------------------------ opened */

static enum error_code lock_and_read(struct counter_file *file, struct error *err)
{
    char record[RECORD_LEN + 2] = {0}; /* room for one byte too many */
    enum error_code status = lock_record(file, err);
    ssize_t n;

    if (status != ERROR_NONE)
        return status;
    n = pread(file->fd, record, RECORD_LEN + 1, 0);
    if (n < 0)
        return error_set(err, ERROR_IO, _("The state file %s cannot be read (%s)."), file->path, fork_safe_error(errno));
    if (n != (ssize_t)RECORD_LEN || !record_parse(record, file->numbers))
        return counter_file_damaged(file->path, err);
    return ERROR_NONE;
}

enum error_code counter_file_peek(const char *path, struct counter_file *file, struct error *err)
{
    struct error why = {0};
    enum error_code status;

    memset(file, 0, sizeof *file);
    snprintf(file->path, sizeof file->path, "%s", path);
    file->fd = private_file_open(path, false, 0, &why);
    if (file->fd < 0 && errno == ENOENT)
        return ERROR_NONE;
    if (file->fd < 0)
        return error_set(err, ERROR_IO, "%s", error_text(&why));
    status = lock_and_read(file, err);
    if (status != ERROR_NONE)
        counter_file_close(file);
    return status;
}

enum error_code counter_file_open(const char *path, struct counter_file *file, struct error *err)
{
    enum error_code status = counter_file_peek(path, file, err);

    if (status != ERROR_NONE || file->fd >= 0)
        return status;
    status = make_file(path, err);
    if (status == ERROR_NONE)
        status = counter_file_peek(path, file, err);
    if (status == ERROR_NONE && file->fd < 0)
        status = error_set(err, ERROR_IO, _("The state file %s was removed while it was being made."), path);
    return status;
}

enum error_code counter_file_save(struct counter_file *file, struct error *err)
{
    return write_record(file->fd, file->path, file->numbers, err);
}

void counter_file_close(struct counter_file *file)
{
    struct flock whole = {.l_type = F_UNLCK, .l_whence = SEEK_SET};

    if (file->fd < 0)
        return;
    /* Said, not left to close: a child that the host forked meanwhile shares the description, and so its locks. */
    (void)fcntl(file->fd, F_OFD_SETLK, &whole);
    close(file->fd);
    file->fd = -1;
}

enum error_code counter_file_hold(struct counter_file *file, uint64_t number, struct error *err)
{
    if (set_lock(file->fd, F_WRLCK, HELD_BYTE(number)) && set_lock(file->fd, F_UNLCK, RECORD_BYTE))
        return ERROR_NONE;
    return error_set(err, ERROR_IO, _("The state file %s cannot be locked (%s)."), file->path, fork_safe_error(errno));
}

bool counter_file_is_held(const struct counter_file *file, uint64_t number)
{
    struct flock range = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = HELD_BYTE(number), .l_len = 1};

    return fcntl(file->fd, F_OFD_GETLK, &range) == 0 && range.l_type != F_UNLCK;
}

enum error_code counter_file_return(struct counter_file *file, struct error *err)
{
    return lock_and_read(file, err);
}
