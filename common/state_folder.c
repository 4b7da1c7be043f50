#include "common/state_folder.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char *state_folder_file(const char *name)
{
    const char *state = secure_getenv("XDG_STATE_HOME");
    const char *home = secure_getenv("HOME");
    char *path = NULL;
    int len = -1;

    /* The specification: a relative path in the variable is to be ignored. */
    if (state && state[0] == '/')
        len = asprintf(&path, "%s/pinward/%s", state, name);
    else if (home && home[0] == '/')
        len = asprintf(&path, "%s/.local/state/pinward/%s", home, name);
    return len < 0 ? NULL : path;
}

char *state_folder_user_file(const char *name)
{
    char *path = state_folder_file(name);
    struct passwd *found = NULL;
    struct passwd entry;
    char buffer[4096];

    /* The effective user's, since it is with that user's rights that files are written. */
    if (!path && getpwuid_r(geteuid(), &entry, buffer, sizeof buffer, &found) == 0 && found &&
        found->pw_dir[0] == '/' && asprintf(&path, "%s/.local/state/pinward/%s", found->pw_dir, name) < 0)
        path = NULL;
    return path;
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
