#include "common/state_folder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

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
