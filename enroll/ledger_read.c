#include "enroll/ledger_read.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "common/i18n.h"
#include "common/ledger.h"
#include "common/private_file.h"

/* The head as it is; a ledger without one has none. */
static bool ledger_reader_read_head(const char *path, struct ledger_head *head)
{
    char *head_path = ledger_head_path(path);
    int fd = head_path ? private_file_open(head_path, false, 0, NULL) : -1;
    bool found = fd >= 0 && ledger_head_read(fd, head);

    if (fd >= 0) {
        close(fd);
    }
    free(head_path);
    return found;
}

/* Size and head at one moment, under the lock. */
static enum error_code ledger_reader_look(int fd, const char *path, struct ledger_reader *reader, struct error *err)
{
    struct stat st;
    enum error_code status = private_file_lock(fd, LEDGER_LOCK_TIMEOUT_MS, err);

    if (status != ERROR_NONE) {
        return status;
    }
    if (fstat(fd, &st) == 0) {
        reader->size = reader->left = (uint64_t)st.st_size;
        reader->has_head = ledger_reader_read_head(path, &reader->head);
    } else {
        status = error_set(err, ERROR_IO, _("%s cannot be read (%s)."), path, strerror(errno));
    }
    private_file_unlock(fd);
    return status;
}

enum error_code ledger_reader_open(const char *path, struct ledger_reader *reader, struct error *err)
{
    struct ledger_reader opened = {0};
    enum error_code status;
    int fd;

    if (!path) {
        return error_set(err, ERROR_CONFIG,
                         _("There is no place for the ledger: set file in [ledger], or HOME or XDG_STATE_HOME."));
    }
    fd = private_file_open(path, false, 0, err);
    if (fd < 0) {
        return errno == ENOENT
                   ? error_set(err, ERROR_STATE,
                               _("There is no ledger %s: either no key has been used yet, or it was removed."), path)
                   : ERROR_IO;
    }
    status = ledger_reader_look(fd, path, &opened, err);
    if (status != ERROR_NONE) {
        close(fd);
        return status;
    }
    opened.file = fdopen(fd, "r");
    if (!opened.file) {
        close(fd);
        return error_set(err, ERROR_MEMORY, "%s", "");
    }
    *reader = opened;
    return ERROR_NONE;
}

void ledger_reader_close(struct ledger_reader *reader)
{
    if (reader->file) {
        fclose(reader->file);
    }
    free(reader->buffer);
    memset(reader, 0, sizeof *reader);
}

void ledger_reader_rewind(struct ledger_reader *reader)
{
    rewind(reader->file);
    reader->left = reader->size;
}

bool ledger_reader_next(struct ledger_reader *reader, struct ledger_read_line *line)
{
    ssize_t len = reader->left > 0 ? getline(&reader->buffer, &reader->buffer_size, reader->file) : -1;

    if (len <= 0) {
        return false;
    }
    if ((uint64_t)len > reader->left) {
        len = (ssize_t)reader->left; /* a torn line that somebody has gone on with since */
    }
    reader->left -= (uint64_t)len;
    line->ended = reader->buffer[len - 1] == '\n';
    line->len = (size_t)len - (line->ended ? 1 : 0);
    line->text = reader->buffer;
    reader->buffer[line->len] = '\0';
    crypto_hash_sha256(line->hash, (const unsigned char *)line->text, line->len);
    return true;
}

json_t *ledger_line_parse(const struct ledger_read_line *line)
{
    json_t *json = NULL;

    if (line->ended && line->len <= LEDGER_LINE_MAX) {
        json = json_loadb(line->text, line->len, JSON_REJECT_DUPLICATES, NULL);
    }
    if (json && (!json_is_integer(json_object_get(json, "seq")) || !json_is_string(json_object_get(json, "prev")))) {
        json_decref(json);
        json = NULL;
    }
    return json;
}
