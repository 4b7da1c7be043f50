#include "enroll/p11_kit_modules.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PACKAGES_FOLDER "/usr/share/p11-kit/modules"
#define MACHINES_PLACE  "/etc/pkcs11"

/* What the user's own files are for: user-config in pkcs11.conf. */
enum p11_kit_user_mode { P11_KIT_USER_NONE, P11_KIT_USER_MERGE, P11_KIT_USER_ONLY };

/* The path of a file or folder of p11-kit's among the user's own configuration, for root among the machine's. */
static bool p11_kit_own_path(const char *name, char path[PATH_MAX])
{
    const char *config = getenv("XDG_CONFIG_HOME");
    const char *home = getenv("HOME");
    int len = -1;

    if (geteuid() == 0) {
        len = snprintf(path, PATH_MAX, "%s/%s", MACHINES_PLACE, name);
    } else if (config && config[0] == '/') {
        len = snprintf(path, PATH_MAX, "%s/pkcs11/%s", config, name);
    } else if (home && home[0] == '/') {
        len = snprintf(path, PATH_MAX, "%s/.config/pkcs11/%s", home, name);
    }
    return len > 0 && len < PATH_MAX;
}

bool p11_kit_modules_own_folder(char folder[PATH_MAX])
{
    return p11_kit_own_path("modules", folder);
}

/* The value of a line "key: value", in place; NULL: it has another key. */
static char *p11_kit_value(char *line, const char *key)
{
    const size_t len = strlen(key);

    line += strspn(line, " \t");
    if (strncmp(line, key, len) != 0) {
        return NULL;
    }
    line += len;
    line += strspn(line, " \t");
    if (*line != ':') {
        return NULL;
    }
    line += 1 + strspn(line + 1, " \t");
    line[strcspn(line, "\r\n")] = '\0';
    return line;
}

/* A name without a path is looked for in p11-kit's folder of modules. */
static void p11_kit_resolve(const char *named, char library[PATH_MAX])
{
    char path[PATH_MAX];
    const int len = snprintf(path, sizeof path, "%s%s", named[0] == '/' ? "" : PINWARD_P11_KIT_FOLDER "/", named);

    if (len < 0 || (size_t)len >= sizeof path || !realpath(path, library)) {
        library[0] = '\0';
    }
}

static void p11_kit_read(const char *path, struct p11_kit_module *module)
{
    FILE *file = fopen(path, "re");
    char *line = NULL;
    size_t size = 0;

    while (file && getline(&line, &size, file) >= 0) {
        const char *library = p11_kit_value(line, "module");
        const char *programs = library ? NULL : p11_kit_value(line, "enable-in");

        if (library) {
            p11_kit_resolve(library, module->library);
            snprintf(module->file, sizeof module->file, "%s", path);
        } else if (programs) {
            module->restricted = programs[0] != '\0';
        }
    }
    free(line);
    if (file) {
        fclose(file);
    }
}

static void p11_kit_read_mode(const char *path, enum p11_kit_user_mode *mode)
{
    FILE *file = fopen(path, "re");
    char *line = NULL;
    size_t size = 0;

    while (file && getline(&line, &size, file) >= 0) {
        const char *value = p11_kit_value(line, "user-config");

        if (value) {
            *mode = strcmp(value, "none") == 0   ? P11_KIT_USER_NONE
                    : strcmp(value, "only") == 0 ? P11_KIT_USER_ONLY
                                                 : P11_KIT_USER_MERGE;
        }
    }
    free(line);
    if (file) {
        fclose(file);
    }
}

/* The machine's file may keep the user's out; else that one says whether it is all there is. */
static enum p11_kit_user_mode p11_kit_user_mode(void)
{
    enum p11_kit_user_mode mode = P11_KIT_USER_MERGE;
    char path[PATH_MAX];

    p11_kit_read_mode(MACHINES_PLACE "/pkcs11.conf", &mode);
    if (geteuid() == 0) {
        return P11_KIT_USER_NONE;
    }
    if (mode != P11_KIT_USER_NONE && p11_kit_own_path("pkcs11.conf", path)) {
        p11_kit_read_mode(path, &mode);
    }
    return mode;
}

/* The entry of that name, a new one when there is none; NULL: no memory. */
static struct p11_kit_module *p11_kit_entry(struct p11_kit_module **list, const char *name)
{
    while (*list && strcmp((*list)->name, name) != 0) {
        list = &(*list)->next;
    }
    if (!*list) {
        *list = calloc(1, sizeof **list);
        if (*list) {
            snprintf((*list)->name, sizeof (*list)->name, "%s", name);
        }
    }
    return *list;
}

static void p11_kit_add_folder(const char *folder, struct p11_kit_module **list)
{
    DIR *dir = opendir(folder);

    for (struct dirent *entry = dir ? readdir(dir) : NULL; entry; entry = readdir(dir)) {
        const char *end = strrchr(entry->d_name, '.');
        char path[PATH_MAX];
        struct p11_kit_module *module;

        if (!end || strcmp(end, ".module") != 0 ||
            snprintf(path, sizeof path, "%s/%s", folder, entry->d_name) >= (int)sizeof path) {
            continue;
        }
        module = p11_kit_entry(list, entry->d_name);
        if (module) {
            p11_kit_read(path, module);
        }
    }
    if (dir) {
        closedir(dir);
    }
}

struct p11_kit_module *p11_kit_modules_list(void)
{
    const enum p11_kit_user_mode mode = p11_kit_user_mode();
    struct p11_kit_module *list = NULL;
    char own[PATH_MAX];

    if (mode != P11_KIT_USER_ONLY) {
        p11_kit_add_folder(PACKAGES_FOLDER, &list);
        p11_kit_add_folder(MACHINES_PLACE "/modules", &list);
    }
    if (mode != P11_KIT_USER_NONE && p11_kit_modules_own_folder(own)) {
        p11_kit_add_folder(own, &list);
    }
    return list;
}

void p11_kit_modules_free(struct p11_kit_module **list)
{
    while (*list) {
        struct p11_kit_module *next = (*list)->next;

        free(*list);
        *list = next;
    }
}
