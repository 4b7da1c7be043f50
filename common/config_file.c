#include "common/config_file.h"

#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/i18n.h"

struct reading {
    FILE *stream;
    char *line;
    size_t line_size;
    unsigned line_number;
    int line_max; /* bytes that inih takes, NUL included */
    bool line_too_long;
    bool rejected;
    unsigned rejected_line;
    config_file_take *take;
    void *data;
    struct error why;
};

/* folder + "/pinward/pinward.conf" when such a file exists. */
static enum error_code config_file_try(const char *folder, const char *below, char **path)
{
    char *candidate;

    if (!folder || folder[0] != '/')
        return ERROR_NONE;
    if (asprintf(&candidate, "%s%s/pinward/pinward.conf", folder, below) < 0)
        return ERROR_MEMORY;
    /* A file that is there but unreadable must be reported, not skipped: only "not there" goes on. */
    if (access(candidate, F_OK) != 0 && (errno == ENOENT || errno == ENOTDIR))
        free(candidate);
    else
        *path = candidate;
    return ERROR_NONE;
}

enum error_code config_file_find(char **path, struct error *err)
{
    /* secure_getenv: a process with more rights than its caller must not take its policy from the caller. */
    const char *named = secure_getenv("PINWARD_CONF");
    const char *xdg = secure_getenv("XDG_CONFIG_HOME");
    enum error_code status;
    char *found = NULL;

    if (named && named[0]) {
        if (access(named, F_OK) != 0)
            return error_set(err, ERROR_CONFIG,
                             _("PINWARD_CONF names %s, which cannot be read (%s): correct it or unset it."), named,
                             strerror(errno));
        found = strdup(named);
        status = found ? ERROR_NONE : ERROR_MEMORY;
    } else {
        status = xdg && xdg[0] == '/' ? config_file_try(xdg, "", &found)
                                      : config_file_try(secure_getenv("HOME"), "/.config", &found);
        if (status == ERROR_NONE && !found)
            status = config_file_try("/etc", "", &found);
    }
    if (status != ERROR_NONE)
        return error_set(err, status, _("There is no memory left to read the configuration."));
    *path = found;
    return ERROR_NONE;
}

/* inih's line reader. Leading blanks go: inih would take an indented pair for the continuation of the one before.
 * A line that does not fit inih's buffer would be cut into two pairs, so it ends the reading instead. */
static char *config_file_next_line(char *buffer, int size, void *stream)
{
    struct reading *r = stream;
    ssize_t len = getline(&r->line, &r->line_size, r->stream);
    const char *start;

    if (len < 0)
        return NULL;
    r->line_number++;
    r->line_max = size;
    start = r->line + strspn(r->line, " \t");
    if (strlen(start) >= (size_t)size || strlen(r->line) != (size_t)len) {
        r->line_too_long = true;
        return NULL;
    }
    strcpy(buffer, start);
    return buffer;
}

static int config_file_pair(void *user, const char *section, const char *name, const char *value)
{
    struct reading *r = user;

    if (r->rejected)
        return 0;
    if (r->take(r->data, section, name, value, &r->why))
        return 1;
    r->rejected = true;
    r->rejected_line = r->line_number;
    return 0;
}

static enum error_code config_file_check_owner(int fd, const char *path, struct error *err)
{
    struct stat st;

    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        return error_set(err, ERROR_CONFIG, _("%s is not a regular file."), path);
    if (st.st_uid != 0 && st.st_uid != geteuid())
        return error_set(err, ERROR_CONFIG,
                         _("%s belongs to another user, who could weaken the protection of your keys: "
                           "make it your own (chown)."),
                         path);
    if (st.st_mode & (S_IWGRP | S_IWOTH))
        return error_set(err, ERROR_CONFIG,
                         _("%s can be written by other users, who could weaken the protection of your keys: "
                           "run chmod go-w on it."),
                         path);
    return ERROR_NONE;
}

/* What the parser's result means, as a sentence with file and line. */
static enum error_code config_file_verdict(const struct reading *r, int parsed, const char *path, struct error *err)
{
    /* parsed is the first line that inih could not read or whose pair was rejected, whichever came first. */
    if (r->rejected && (unsigned)parsed == r->rejected_line)
        return error_set(err, ERROR_CONFIG, _("%s, line %u: %s."), path, r->rejected_line, r->why.text);
    if (parsed > 0)
        return error_set(err, ERROR_CONFIG, _("%s, line %d: expected \"name = value\" or \"[section]\"."), path,
                         parsed);
    if (r->line_too_long)
        return error_set(err, ERROR_CONFIG,
                         _("%s, line %u: the line is too long or holds a NUL; expected at most %d characters."), path,
                         r->line_number, r->line_max - 2);
    if (parsed < 0 || ferror(r->stream))
        return error_set(err, ERROR_CONFIG, _("%s cannot be read to its end."), path);
    return ERROR_NONE;
}

enum error_code config_file_read(const char *path, config_file_take *take, void *data, struct error *err)
{
    struct reading r = {.take = take, .data = data};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    enum error_code status;

    if (fd < 0)
        return error_set(err, ERROR_CONFIG, _("%s cannot be read: %s."), path, strerror(errno));
    status = config_file_check_owner(fd, path, err);
    if (status != ERROR_NONE) {
        close(fd);
        return status;
    }
    r.stream = fdopen(fd, "r");
    if (!r.stream) {
        close(fd);
        return error_set(err, ERROR_MEMORY, _("There is no memory left to read the configuration."));
    }
    status = config_file_verdict(&r, ini_parse_stream(config_file_next_line, &r, config_file_pair, &r), path, err);
    free(r.line);
    fclose(r.stream);
    return status;
}
