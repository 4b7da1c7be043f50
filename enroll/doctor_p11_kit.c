#include "enroll/doctor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/i18n.h"
#include "enroll/p11_kit_modules.h"
#include "enroll/token_admin.h"

static bool doctor_is_called(const char *library, const char *name)
{
    const char *slash = strrchr(library, '/');

    return slash && strncmp(slash + 1, name, strlen(name)) == 0;
}

static const struct p11_kit_module *doctor_find_own(const struct p11_kit_module *list)
{
    while (list && (list->restricted || !doctor_is_called(list->library, "pinward-pkcs11.so"))) {
        list = list->next;
    }
    return list;
}

/* The first registered module by which programs reach the same tokens without the gate: the backend itself, or, where that
 * is p11-kit's proxy, any but the one without keys. */
static const struct p11_kit_module *doctor_find_around(const struct p11_kit_module *list, const char *backend, bool proxy)
{
    for (; list; list = list->next) {
        const bool other = list->library[0] && !doctor_is_called(list->library, "pinward-pkcs11.so") &&
                           !doctor_is_called(list->library, "p11-kit-trust.so");

        if (other && !list->restricted && (proxy || strcmp(list->library, backend) == 0)) {
            return list;
        }
    }
    return NULL;
}

bool doctor_p11_kit_knows(char *where, size_t size)
{
    struct p11_kit_module *list = p11_kit_modules_list();
    const struct p11_kit_module *own = doctor_find_own(list);

    snprintf(where, size, "%s", own ? own->file : "");
    p11_kit_modules_free(&list);
    return own != NULL;
}

/* "enable-in: none" leaves it to a program of that name, which there is not. What the proxy loads cannot be kept from
 * others so: p11-kit 0.24 takes "enable-in: p11-kit-proxy" for the name of a program too. */
static void doctor_judge_around(const struct app *app, const struct p11_kit_module *list,
                                const struct p11_kit_module *own, const char *folder, struct doctor_finding *finding)
{
    const char *backend = app->config.module.backend;
    char real[PATH_MAX];
    const char *resolved = realpath(backend, real) ? real : backend;
    const bool proxy = doctor_is_called(resolved, "libp11-kit.so");
    const struct p11_kit_module *around = doctor_find_around(list, resolved, proxy);

    if (!around) {
        return;
    }
    doctor_say(finding, DOCTOR_NOTE, _("%s; p11-kit offers the token past the gate as well, because of %s"), own->file,
               around->file);
    if (proxy) {
        doctor_mend(finding, _("name the token's own module in [module] of %s: backend = %s"), doctor_config_file(app),
                    around->library);
    } else {
        doctor_mend(finding, "mkdir -p %s && echo 'enable-in: none' >> %s/%s", folder, folder, around->name);
    }
}

void doctor_look_p11_kit(const struct app *app, struct doctor_finding *finding)
{
    struct p11_kit_module *list = p11_kit_modules_list();
    const struct p11_kit_module *own = doctor_find_own(list);
    char folder[PATH_MAX] = "";
    char *path = token_module_path(&app->config);
    char *real = path ? realpath(path, NULL) : NULL;

    (void)p11_kit_modules_own_folder(folder);
    if (own) {
        doctor_say(finding, DOCTOR_OK, "%s", own->file);
        doctor_judge_around(app, list, own, folder, finding);
    } else {
        doctor_say(finding, DOCTOR_NOTE, "%s", _("programs that ask p11-kit for tokens do not find the module"));
        doctor_mend(finding, "mkdir -p %s && echo 'module: %s' > %s/pinward.module", folder,
                    real ? real : path ? path : "pinward-pkcs11.so", folder);
    }
    free(real);
    free(path);
    p11_kit_modules_free(&list);
}
