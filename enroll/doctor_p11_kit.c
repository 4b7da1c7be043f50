#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/i18n.h"
#include "enroll/doctor.h"
#include "enroll/token_admin.h"

#define P11_KIT_PATH_MAX 1024

/* Does one of the file's lines, comments apart, hold the text? */
static bool p11_kit_file_holds(const char *path, const char *text)
{
    FILE *file = fopen(path, "re");
    char *line = NULL;
    size_t size = 0;
    bool found = false;

    while (file && !found && getline(&line, &size, file) >= 0) {
        found = line[strspn(line, " \t")] != '#' && strstr(line, text);
    }
    free(line);
    if (file) {
        fclose(file);
    }
    return found;
}

static bool p11_kit_folder_holds(const char *folder, const char *text, char *where, size_t size)
{
    DIR *dir = opendir(folder);
    bool found = false;

    for (struct dirent *entry = dir ? readdir(dir) : NULL; entry && !found; entry = readdir(dir)) {
        const char *end = strrchr(entry->d_name, '.');
        const int written = snprintf(where, size, "%s/%s", folder, entry->d_name);

        found = end && strcmp(end, ".module") == 0 && written > 0 && (size_t)written < size &&
                p11_kit_file_holds(where, text);
    }
    if (dir) {
        closedir(dir);
    }
    return found;
}

static void p11_kit_users_folder(char *folder, size_t size)
{
    const char *home = getenv("HOME");

    snprintf(folder, size, "%s/.config/pkcs11/modules", home && home[0] == '/' ? home : "~");
}

/* pkcs11.conf(5): the folders of the user, of this machine, and of packages. */
static bool p11_kit_names(const char *library, char *where, size_t size)
{
    char users[P11_KIT_PATH_MAX / 2];

    p11_kit_users_folder(users, sizeof users);
    return p11_kit_folder_holds(users, library, where, size) ||
           p11_kit_folder_holds("/etc/pkcs11/modules", library, where, size) ||
           p11_kit_folder_holds("/usr/share/p11-kit/modules", library, where, size);
}

bool doctor_p11_kit_knows(char *where, size_t size)
{
    return p11_kit_names("pinward-pkcs11.so", where, size);
}

/* The backend's own file of p11-kit, unless a file of the same name, the user's or this machine's, says for which programs
 * alone it is. */
static bool p11_kit_goes_past(const struct app *app, char *where, size_t size)
{
    const char *backend = app->config.module.backend;
    const char *slash = strrchr(backend, '/');
    char users[P11_KIT_PATH_MAX / 2], other[P11_KIT_PATH_MAX];
    const char *name;

    if (!p11_kit_names(slash ? slash + 1 : backend, where, size)) {
        return false;
    }
    name = strrchr(where, '/') + 1;
    p11_kit_users_folder(users, sizeof users);
    snprintf(other, sizeof other, "%s/%s", users, name);
    if (p11_kit_file_holds(other, "enable-in:")) {
        return false;
    }
    snprintf(other, sizeof other, "/etc/pkcs11/modules/%s", name);
    return !p11_kit_file_holds(other, "enable-in:");
}

static void p11_kit_not_known(const struct app *app, struct doctor_finding *finding)
{
    char *path = token_module_path(&app->config);
    char users[P11_KIT_PATH_MAX / 2], real[PATH_MAX];

    p11_kit_users_folder(users, sizeof users);
    doctor_say(finding, DOCTOR_NOTE, "%s", _("programs that ask p11-kit for tokens do not find the module"));
    doctor_mend(finding, "mkdir -p %s && echo 'module: %s' > %s/pinward.module", users,
                path && realpath(path, real) ? real : path ? path : "pinward-pkcs11.so", users);
    free(path);
}

void doctor_look_p11_kit(const struct app *app, struct doctor_finding *finding)
{
    char users[P11_KIT_PATH_MAX / 2], where[P11_KIT_PATH_MAX], past[P11_KIT_PATH_MAX];

    if (!doctor_p11_kit_knows(where, sizeof where)) {
        p11_kit_not_known(app, finding);
    } else if (p11_kit_goes_past(app, past, sizeof past)) {
        p11_kit_users_folder(users, sizeof users);
        doctor_say(finding, DOCTOR_NOTE, _("%s; p11-kit offers the token past the gate as well, because of %s"), where, past);
        doctor_mend(finding, "mkdir -p %s && echo 'enable-in: none' > %s/%s", users, users, strrchr(past, '/') + 1);
    } else {
        doctor_say(finding, DOCTOR_OK, "%s", where);
    }
}
