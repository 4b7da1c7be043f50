#include "common/config_file.h"

#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/fork_safe.h"
#include "common/i18n.h"
#include "common/install_place.h"

/* inih gets this line instead of a section's header, which config_section has read. */
#define STAND_IN      "pinward"
#define STAND_IN_LINE "[" STAND_IN "]\n"

struct reading {
    FILE *stream;
    char *line;
    size_t line_size;
    unsigned line_number;
    struct config_section section;
    enum error_code status; /* of the first line that was refused here and not by inih, */
    unsigned refused_line;  /* its number, */
    struct error why;       /* and half a sentence */
    const struct config_file_taker *taker;
    void *data;
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

/* The one that was installed with this program, where that is not /etc's. */
static enum error_code config_file_try_installed(char **path)
{
    char *folder = PINWARD_PLACE_OF_SETTINGS[0] == '/' ? strdup(PINWARD_PLACE_OF_SETTINGS)
                                                       : install_place_path(PINWARD_PLACE_OF_SETTINGS);
    enum error_code status = config_file_try(folder, "", path);

    free(folder);
    return status;
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
                             fork_safe_error(errno));
        found = strdup(named);
        status = found ? ERROR_NONE : ERROR_MEMORY;
    } else {
        status = xdg && xdg[0] == '/' ? config_file_try(xdg, "", &found)
                                      : config_file_try(secure_getenv("HOME"), "/.config", &found);
        if (status == ERROR_NONE && !found)
            status = config_file_try("/etc", "", &found);
        if (status == ERROR_NONE && !found)
            status = config_file_try_installed(&found);
    }
    if (status != ERROR_NONE)
        return error_set(err, status, _("There is no memory left to read the configuration."));
    *path = found;
    return ERROR_NONE;
}

static void config_file_refuse(struct reading *r, enum error_code status)
{
    r->status = status;
    r->refused_line = r->line_number;
}

/* The header of a section: read, and handed on. */
static enum error_code config_file_enter(struct reading *r, const char *line)
{
    struct config_section section;
    enum error_code status = config_section_parse(line, r->line_number, &section, &r->why);

    if (status != ERROR_NONE)
        return status;
    config_section_clear(&r->section);
    r->section = section;
    return r->taker->section(r->data, &r->section, &r->why);
}

/* A byte order mark is allowed in front of the first line. */
static const char *config_file_skip_mark(const char *line, unsigned line_number)
{
    static const char mark[] = "\xEF\xBB\xBF";

    return line_number == 1 && strncmp(line, mark, sizeof mark - 1) == 0 ? line + sizeof mark - 1 : line;
}

/* inih's line reader. Leading blanks go: inih would take an indented pair for the continuation of the one before.
 * A line that does not fit inih's buffer would be cut into two pairs, so it ends the reading instead. */
static char *config_file_next_line(char *buffer, int size, void *stream)
{
    struct reading *r = stream;
    ssize_t len = r->status == ERROR_NONE ? getline(&r->line, &r->line_size, r->stream) : -1;
    const bool whole = len >= 0 && strlen(r->line) == (size_t)len;
    const char *start;

    /* Without memory getline says no more than at the end: what was not read must not count as not written. */
    if (len < 0 && r->status == ERROR_NONE && !feof(r->stream) && !ferror(r->stream))
        config_file_refuse(r, ERROR_MEMORY);
    if (len < 0)
        return NULL;
    r->line_number++;
    start = config_file_skip_mark(r->line, r->line_number);
    start += strspn(start, " \t\v\f\r");
    if (whole && config_section_is_header(start)) {
        enum error_code status = config_file_enter(r, start);

        if (status != ERROR_NONE)
            config_file_refuse(r, status);
        start = STAND_IN_LINE;
    } else if (!whole || strlen(start) >= (size_t)size) {
        config_file_refuse(r, error_set(&r->why, ERROR_CONFIG,
                                        _("the line is too long or holds a NUL; expected at most %d characters"),
                                        size - 2));
    }
    if (r->status != ERROR_NONE)
        return NULL;
    memcpy(buffer, start, strlen(start) + 1);
    return buffer;
}

static int config_file_pair(void *user, const char *section, const char *name, const char *value)
{
    struct reading *r = user;
    enum error_code status;

    if (r->status != ERROR_NONE)
        return 0;
    /* inih and config_section agree on what a header is, or the pair belongs to no section that was judged. */
    if (strcmp(section, r->section.line > 0 ? STAND_IN : "") != 0)
        status = error_set(&r->why, ERROR_CONFIG, _("expected \"name = value\" or \"[section]\""));
    else
        status = r->taker->pair(r->data, &r->section, name, value, r->line_number, &r->why);
    if (status != ERROR_NONE)
        config_file_refuse(r, status);
    return status == ERROR_NONE;
}

/* Who may say what this process loads and runs: root, and its own user. Not that user where it is root under another of
 * its ids: it can take that one up again, and so could what it loads. */
static bool config_file_trusts(uid_t owner)
{
    uid_t real, effective, saved;

    if (owner == 0)
        return true;
    return getresuid(&real, &effective, &saved) == 0 && owner == effective && real != 0 && saved != 0;
}

static enum error_code config_file_check_owner(int fd, const char *path, struct error *err)
{
    struct stat st;

    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        return error_set(err, ERROR_CONFIG, _("%s is not a regular file."), path);
    if (!config_file_trusts(st.st_uid))
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
    if (r->status == ERROR_MEMORY || parsed == -2) /* inih: -2 is out of memory */
        return error_set(err, ERROR_MEMORY, _("There is no memory left to read the configuration."));
    /* parsed is the first line that inih could not read or whose pair was refused: it may be before the refused
     * one. */
    if (r->status != ERROR_NONE && (parsed <= 0 || (unsigned)parsed >= r->refused_line))
        return error_set(err, r->status, _("%s, line %u: %s."), path, r->refused_line, r->why.text);
    if (parsed > 0)
        return error_set(err, ERROR_CONFIG, _("%s, line %u: %s."), path, (unsigned)parsed,
                         _("expected \"name = value\" or \"[section]\""));
    if (parsed < 0 || ferror(r->stream))
        return error_set(err, ERROR_CONFIG, _("%s cannot be read to its end."), path);
    return ERROR_NONE;
}

enum error_code config_file_read(const char *path, const struct config_file_taker *taker, void *data,
                                 struct error *err)
{
    struct reading r = {.taker = taker, .data = data, .section = {.name = NULL}};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    enum error_code status;

    if (fd < 0)
        return error_set(err, ERROR_CONFIG, _("%s cannot be read: %s."), path, fork_safe_error(errno));
    status = config_file_check_owner(fd, path, err);
    if (status != ERROR_NONE) {
        close(fd);
        return status;
    }
    r.stream = fdopen(fd, "r");
    r.section.name = strdup("");
    if (!r.stream || !r.section.name) {
        if (r.stream)
            fclose(r.stream);
        else
            close(fd);
        free(r.section.name);
        return error_set(err, ERROR_MEMORY, _("There is no memory left to read the configuration."));
    }
    status = config_file_verdict(&r, ini_parse_stream(config_file_next_line, &r, config_file_pair, &r), path, err);
    config_section_clear(&r.section);
    free(r.line);
    fclose(r.stream);
    return status;
}
