#include "common/state_folder.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The folder that the environment names, NULL when it names none, and where below it the state is. The specification: a
 * relative path in the variable is to be ignored. */
static const char *folder_of_environment(const char **below)
{
    const char *state = secure_getenv("XDG_STATE_HOME");
    const char *home = secure_getenv("HOME");

    *below = state && state[0] == '/' ? "pinward" : ".local/state/pinward";
    if (state && state[0] == '/')
        return state;
    return home && home[0] == '/' ? home : NULL;
}

static char *join(const char *folder, const char *below, const char *name)
{
    char *path;

    return asprintf(&path, "%s/%s/%s", folder, below, name) < 0 ? NULL : path;
}

char *state_folder_file(const char *name)
{
    const char *below;
    const char *folder = folder_of_environment(&below);

    return folder ? join(folder, below, name) : NULL;
}

/* Where memory is lacking for the path that the environment names, no other place is taken for it. */
char *state_folder_user_file(const char *name)
{
    struct passwd *found = NULL;
    struct passwd entry;
    char buffer[4096];
    const char *below;
    const char *folder = folder_of_environment(&below);

    /* The effective user's, since it is with that user's rights that files are written. */
    if (!folder && getpwuid_r(geteuid(), &entry, buffer, sizeof buffer, &found) == 0 && found && found->pw_dir[0] == '/')
        folder = found->pw_dir;
    return folder ? join(folder, below, name) : NULL;
}

void state_folder_make_for(const char *path)
{
    char *copy = strdup(path);

    if (!copy)
        return;
    for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(copy, 0700);
        *slash = '/';
    }
    free(copy);
}
