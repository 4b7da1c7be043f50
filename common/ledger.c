#include "common/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/fork_safe.h"
#include "common/i18n.h"
#include "common/ledger_head.h"
#include "common/private_file.h"

_Static_assert(LEDGER_HASH_BYTES == crypto_hash_sha256_BYTES, "lines are hashed with SHA-256");

/* How often a ledger may be moved away while its lock is being waited for. */
#define REOPEN_TRIES 8

/* The ledger, open and locked. */
struct ledger {
    int fd;
    int head_fd;
    uint64_t size;
    struct ledger_head end; /* where the next line goes: what is there before it */
    bool torn;              /* the last line has no newline */
};

/* The lock is given up, not left to close: a child that the host forked meanwhile shares it, and may live long. */
static void close_locked(int fd)
{
    private_file_unlock(fd);
    close(fd);
}

static enum error_code open_locked(const char *path, int *fd, struct error *err)
{
    for (int tries = 0; tries < REOPEN_TRIES; tries++) {
        const int opened = private_file_open(path, true, O_APPEND, err);
        enum error_code status;

        if (opened < 0)
            return ERROR_IO;
        status = private_file_lock(opened, LEDGER_LOCK_TIMEOUT_MS, err);
        if (status == ERROR_NONE && private_file_is_at(opened, path)) {
            *fd = opened;
            return ERROR_NONE;
        }
        close_locked(opened);
        if (status == ERROR_TIMEOUT)
            error_set(err, status, _("Another program has kept the ledger %s locked for too long."), path);
        if (status != ERROR_NONE)
            return status;
    }
    return error_set(err, ERROR_IO, _("%s is being replaced again and again."), path);
}

static void end_line(crypto_hash_sha256_state *hash, struct ledger_head *end)
{
    crypto_hash_sha256_final(hash, end->last);
    crypto_hash_sha256_init(hash);
    end->lines++;
}

/* Counts the lines from end->bytes to the end of the file, a torn one too, and hashes the last. */
static bool take_in_tail(int fd, struct ledger_head *end)
{
    crypto_hash_sha256_state hash;
    char buffer[4096];
    bool within = false;
    ssize_t n;

    crypto_hash_sha256_init(&hash);
    while ((n = pread(fd, buffer, sizeof buffer, (off_t)end->bytes)) > 0) {
        const char *const stop = buffer + n;
        const char *newline;

        for (const char *at = buffer; at < stop; at = newline + 1) {
            newline = memchr(at, '\n', (size_t)(stop - at));
            within = newline == NULL;
            if (within)
                newline = stop;
            crypto_hash_sha256_update(&hash, (const unsigned char *)at, (unsigned long long)(newline - at));
            if (!within)
                end_line(&hash, end);
        }
        end->bytes += (uint64_t)n;
    }
    if (within)
        end_line(&hash, end);
    return n == 0;
}

static bool ends_torn(int fd, uint64_t size)
{
    char last = '\n';

    return size > 0 && pread(fd, &last, 1, (off_t)size - 1) == 1 && last != '\n';
}

/* Finds out where the ledger ends. Usually the head says it, and no line is read. */
static bool find_end(struct ledger *ledger)
{
    static const unsigned char none[LEDGER_HASH_BYTES];
    struct ledger_head *end = &ledger->end;
    const bool known = ledger_head_read(ledger->head_fd, end);
    struct stat st;

    if (fstat(ledger->fd, &st) != 0)
        return false;
    ledger->size = (uint64_t)st.st_size;
    ledger->torn = ends_torn(ledger->fd, ledger->size);
    /* More than the head knows: a writer was killed before it brought the head up to date. Less: lines were cut off;
     * what comes chains on to the last that was written, not to the last that is left. */
    if (ledger->size > end->bytes && !take_in_tail(ledger->fd, end))
        return false;
    end->bytes = ledger->size;
    /* Without a head nobody can say whether lines are missing: the chain begins anew, for everybody to see. */
    if (!known)
        memcpy(end->last, none, sizeof end->last);
    return true;
}

/* Opens, locks, and finds the end. On failure nothing is left open. */
static enum error_code ledger_open(const char *path, struct ledger *ledger, struct error *err)
{
    char *head_path = ledger_head_path(path);
    struct ledger opened = {.fd = -1, .head_fd = -1};
    enum error_code status;

    if (!head_path)
        return error_set(err, ERROR_MEMORY, "%s", "");
    status = open_locked(path, &opened.fd, err);
    if (status == ERROR_NONE) {
        opened.head_fd = private_file_open(head_path, true, 0, err);
        if (opened.head_fd < 0)
            status = ERROR_IO;
        else if (!find_end(&opened))
            status = error_set(err, ERROR_IO, _("%s cannot be read (%s)."), path, fork_safe_error(errno));
    }
    free(head_path);
    if (status == ERROR_NONE) {
        *ledger = opened;
        return ERROR_NONE;
    }
    if (opened.head_fd >= 0)
        close(opened.head_fd);
    if (opened.fd >= 0)
        close_locked(opened.fd);
    return status;
}

/* Past RLIMIT_FSIZE the kernel sends SIGXFSZ, which ends a host that does not expect it: it is not provoked. */
static bool within_file_limit(uint64_t end)
{
    struct rlimit limit;

    return getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY || end <= limit.rlim_cur;
}

/* One write; a line that was written in part is taken back. */
static bool write_whole(const struct ledger *ledger, const char *bytes, size_t len)
{
    ssize_t written;

    do
        written = write(ledger->fd, bytes, len);
    while (written < 0 && errno == EINTR);
    if (written == (ssize_t)len)
        return true;
    if (written > 0) {
        /* If even this fails, the next writer closes the torn line off. */
        (void)!ftruncate(ledger->fd, (off_t)ledger->size);
        errno = ENOSPC;
    }
    return false;
}

/* A head for a ledger that has none yet, before its first line: so a head that is missing later was removed. */
static bool prepare_head(const struct ledger *ledger)
{
    return ledger->size > 0 || ledger->end.lines > 0 || ledger_head_write(ledger->head_fd, &ledger->end);
}

static bool write_line(const struct ledger *ledger, const struct ledger_line *line)
{
    char bytes[LEDGER_LINE_MAX + 3];
    struct ledger_head head = ledger->end;
    size_t len = 0;

    if (ledger->torn)
        bytes[len++] = '\n';
    memcpy(bytes + len, line->bytes, line->len);
    len += line->len;
    bytes[len++] = '\n';
    if (!within_file_limit(ledger->size + len) || !within_file_limit(LEDGER_HEAD_SIZE)) {
        errno = EFBIG;
        return false;
    }
    if (!prepare_head(ledger) || !write_whole(ledger, bytes, len))
        return false;
    head.lines++;
    head.bytes += len;
    crypto_hash_sha256(head.last, (const unsigned char *)line->bytes, line->len);
    if (ledger_head_write(ledger->head_fd, &head))
        return true;
    (void)!ftruncate(ledger->fd, (off_t)ledger->size);
    return false;
}

enum error_code ledger_append(const char *path, const struct ledger_entry *entry, struct ledger_line *line,
                              struct error *err)
{
    struct ledger_line rendered;
    struct ledger ledger;
    struct timespec now;
    enum error_code status;

    if (!path)
        return error_set(err, ERROR_IO,
                         _("There is no place for the ledger: set file in [ledger], or HOME or XDG_STATE_HOME."));
    status = ledger_open(path, &ledger, err);
    if (status != ERROR_NONE)
        return status;
    clock_gettime(CLOCK_REALTIME, &now);
    ledger_line_render(entry, &now, ledger.end.lines + 1, ledger.end.last, &rendered);
    if (!write_line(&ledger, &rendered))
        status = error_set(err, ERROR_IO, _("The ledger %s cannot be written (%s)."), path, fork_safe_error(errno));
    close(ledger.head_fd);
    close_locked(ledger.fd);
    if (status == ERROR_NONE)
        *line = rendered;
    return status;
}
