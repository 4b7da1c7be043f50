#include "common/install_place.h"

#include <dlfcn.h>
#include <limits.h>
#include <link.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The file that this code was loaded from, links resolved. The dynamic linker has no name for the program itself. */
static bool install_place_own_file(char file[PATH_MAX])
{
    struct link_map *map = NULL;
    Dl_info info;

    if (dladdr1((const void *)&install_place_own_file, &info, (void **)&map, RTLD_DL_LINKMAP) == 0 || !map)
        return false;
    return realpath(map->l_name[0] ? map->l_name : "/proc/self/exe", file) != NULL;
}

/* Takes "/" + last off the end of path; false, and path as it was, when it does not end so. */
static bool install_place_cut(char *path, const char *last)
{
    const size_t path_len = strlen(path);
    const size_t last_len = strlen(last);

    if (path_len < last_len + 1 || path[path_len - last_len - 1] != '/' ||
        strcmp(path + path_len - last_len, last) != 0)
        return false;
    path[path_len - last_len - 1] = '\0';
    return true;
}

char *install_place_prefix(void)
{
    char place[PATH_MAX];
    char *slash;

    if (!install_place_own_file(place))
        return NULL;
    slash = strrchr(place, '/');
    *slash = '\0';
    if (!install_place_cut(place, PINWARD_PLACE_OF_MODULE) && !install_place_cut(place, PINWARD_PLACE_OF_PROGRAM))
        return NULL;
    return strdup(place);
}

char *install_place_path(const char *below)
{
    char *prefix = install_place_prefix();
    char *path = NULL;

    if (!prefix || asprintf(&path, "%s/%s", prefix, below) < 0)
        path = NULL;
    free(prefix);
    return path;
}
