#include "enroll/policy_program.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/i18n.h"

/* Does it begin as execve(2) wants a script to? One that cannot be read is taken for a program. */
static bool policy_program_is_script(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    char start[2];
    bool script;

    if (fd < 0) {
        return false;
    }
    script = read(fd, start, sizeof start) == (ssize_t)sizeof start && start[0] == '#' && start[1] == '!';
    close(fd);
    return script;
}

enum error_code policy_program_resolve(const char *path, char **resolved, struct error *err)
{
    char *found = realpath(path, NULL);
    struct stat st;

    if (!found) {
        return error_set(err, ERROR_USAGE, _("There is no program %s (%s): give --app the path of one."), path,
                         strerror(errno));
    }
    if (stat(found, &st) != 0 || !S_ISREG(st.st_mode)) {
        error_set(err, ERROR_USAGE, _("%s is not a program: give --app the path of one."), path);
    } else if (policy_program_is_script(found)) {
        error_set(err, ERROR_USAGE,
                  _("%s is a script: give --app the program that its first line names, which is the one that "
                    "uses the key."),
                  path);
    } else {
        *resolved = found;
        return ERROR_NONE;
    }
    free(found);
    return ERROR_USAGE;
}

char *policy_program_warning(const struct config_rule *rule)
{
    char *resolved = NULL;
    char *warning = NULL;
    int written = 0;

    if (rule->kind != CONFIG_RULE_APP) {
        return NULL;
    }
    resolved = realpath(rule->value, NULL);
    if (!resolved && errno == ENOENT) {
        written = asprintf(&warning, _("[%s], line %u, matches no program: there is none at this path."),
                           rule->section, rule->line);
    } else if (resolved && strcmp(resolved, rule->value) != 0) {
        written = asprintf(&warning, _("[%s], line %u, matches no program: the path leads to %s, which is what the "
                                       "rule must name."),
                           rule->section, rule->line, resolved);
    }
    free(resolved);
    return written < 0 ? NULL : warning;
}
