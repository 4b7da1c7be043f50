#include "pkcs11-module/agent/writable.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/ledger_head.h"
#include "common/pinentry_environment.h"
#include "common/private_file.h"
#include "common/softhsm_conf.h"
#include "common/state_folder.h"

/* Takes path over. */
static bool add(struct writable *writable, char *path)
{
    if (!path || writable->count == WRITABLE_MAX) {
        free(path);
        return false;
    }
    writable->paths[writable->count++] = path;
    writable->paths[writable->count] = NULL;
    return true;
}

static bool add_copy(struct writable *writable, const char *path)
{
    return add(writable, strdup(path));
}

/* A file that Pinward would make when it first writes it. Why it cannot be made is told then. */
static bool add_file(struct writable *writable, char *path)
{
    const int fd = path ? private_file_open(path, true, 0, &(struct error){0}) : -1;

    if (fd >= 0)
        close(fd);
    return add(writable, path);
}

static bool add_parts(struct writable *writable, const char *list)
{
    while (list && *list) {
        const size_t len = strcspn(list, ":");

        if (len > 0 && !add(writable, strndup(list, len)))
            return false;
        list += len + (list[len] == ':');
    }
    return true;
}

static bool lies_in(const char *folder, const char *path)
{
    const size_t len = strlen(folder);

    return strncmp(path, folder, len) == 0 && path[len] == '/';
}

/* The folder with counters and locks, and the ledger and the log wherever they are. */
static bool add_own(const struct config *config, struct writable *writable)
{
    char *folder = state_folder_user_file("");
    const char *ledger = config->ledger.file;

    if (folder) {
        state_folder_make_for(folder); /* its name ends with a slash */
        folder[strlen(folder) - 1] = '\0';
        if (!add(writable, folder))
            return false;
    }
    if (ledger && !(folder && lies_in(folder, ledger)) &&
        (!add_file(writable, strdup(ledger)) || !add_file(writable, ledger_head_path(ledger))))
        return false;
    return !config->log.file || add_copy(writable, config->log.file);
}

/* ------------------------------------------------------------------ the token's */

static bool add_softhsm(struct writable *writable)
{
    char *conf = softhsm_conf_path();
    char *tokens = conf ? softhsm_conf_tokens(conf) : NULL;

    free(conf);
    return !tokens || add(writable, tokens);
}

/* tpm2-pkcs11: its database, where its manual says that it is, and the device. */
static bool add_tpm(struct writable *writable)
{
    const char *store = getenv("TPM2_PKCS11_STORE");
    const char *home = getenv("HOME");
    char *of_user = NULL;

    if (store && store[0] && !add_copy(writable, store))
        return false;
    if (home && (asprintf(&of_user, "%s/.tpm2_pkcs11", home) < 0 || !add(writable, of_user)))
        return false;
    return add_copy(writable, "/etc/tpm2_pkcs11") && add_copy(writable, "/dev/tpmrm0") && add_copy(writable, "/dev/tpm0");
}

/* NSS's softokn: configdir='sql:FOLDER' in what it is started with. */
static bool add_softokn(const char *parameters, struct writable *writable)
{
    static const char key[] = "configdir=";
    const char *at = parameters ? strstr(parameters, key) : NULL;
    const char *slash;
    char end[] = " ";

    if (!at)
        return true;
    at += sizeof key - 1;
    if (*at == '\'' || *at == '"')
        end[0] = *at++;
    slash = strchr(at, '/');
    if (!slash || slash >= at + strcspn(at, end))
        return true;
    return add(writable, strndup(slash, strcspn(slash, end)));
}

static bool add_token(const struct config *config, struct writable *writable)
{
    const char *slash = strrchr(config->module.backend, '/');
    const char *name = slash ? slash + 1 : config->module.backend;

    if (strstr(name, "softhsm") && !add_softhsm(writable))
        return false;
    if (strstr(name, "tpm2_pkcs11") && !add_tpm(writable))
        return false;
    return add_softokn(config->module.backend_args, writable);
}

bool writable_find(const struct config *config, struct writable *writable)
{
    char name[256];
    const char *terminal = pinentry_environment_terminal(name, sizeof name);

    /* A pinentry in text is told of the terminal once this process could open it. */
    return add_own(config, writable) && add_token(config, writable) && add_parts(writable, config->agent.writable) &&
           add_copy(writable, "/dev/null") && (!terminal || add_copy(writable, terminal));
}

void writable_clear(struct writable *writable)
{
    for (size_t i = 0; i < writable->count; i++)
        free(writable->paths[i]);
    *writable = (struct writable){.count = 0};
}
