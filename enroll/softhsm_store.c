#include "enroll/softhsm_store.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/i18n.h"
#include "common/softhsm_conf.h"
#include "common/state_folder.h"
#include "enroll/file.h"
#include "softhsm2_conf.h" /* SOFTHSM_STORE_TEMPLATE, from softhsm-config/ */

#define SOFTHSM_PLACE "@TOKEN_DIR@"

bool softhsm_store_is_backend(const struct config *config)
{
    const char *name = strrchr(config->module.backend, '/');

    return strcmp(name ? name + 1 : config->module.backend, "libsofthsm2.so") == 0;
}

/* A token is a folder in it. */
static bool softhsm_folder_has_tokens(const char *folder)
{
    DIR *dir = opendir(folder);
    bool has = false;

    for (struct dirent *entry = dir ? readdir(dir) : NULL; entry && !has; entry = readdir(dir)) {
        has = entry->d_name[0] != '.';
    }
    if (dir) {
        closedir(dir);
    }
    return has;
}

/* Has the system's store tokens that this user can use? Then they are the ones that are wanted. */
static bool softhsm_system_is_used(void)
{
    char *folder = softhsm_conf_tokens(SOFTHSM_CONF_SYSTEM);
    const bool used = folder && access(folder, W_OK | X_OK) == 0 && softhsm_folder_has_tokens(folder);

    free(folder);
    return used;
}

static enum error_code softhsm_store_write(const char *conf, const char *tokens, struct error *err)
{
    static const char template[] = SOFTHSM_STORE_TEMPLATE;
    const char *place = strstr(template, SOFTHSM_PLACE);
    char *marker = NULL;
    char *text = NULL;
    enum error_code status = ERROR_MEMORY;

    if (asprintf(&marker, "%s/.", tokens) < 0) {
        return error_set(err, ERROR_MEMORY, "%s", "");
    }
    state_folder_make_for(marker); /* the folder itself, 0700 */
    state_folder_make_for(conf);
    if (access(tokens, W_OK | X_OK) != 0) {
        status = error_set(err, ERROR_IO, _("The folder %s cannot be made (%s): check its permissions."), tokens,
                           strerror(errno));
    } else if (asprintf(&text, "%.*s%s%s", (int)(place - template), template, tokens,
                        place + sizeof SOFTHSM_PLACE - 1) >= 0) {
        status = file_write_private(conf, text, strlen(text), err);
    }
    free(text);
    free(marker);
    return status;
}

static char *softhsm_data_folder(const char *home)
{
    const char *data = getenv("XDG_DATA_HOME");
    char *folder = NULL;

    if (data && data[0] == '/') {
        return asprintf(&folder, "%s/softhsm2/tokens", data) < 0 ? NULL : folder;
    }
    return asprintf(&folder, "%s/.local/share/softhsm2/tokens", home) < 0 ? NULL : folder;
}

/* A link that leads nowhere just now is the user's all the same, and is not there for SoftHSM2 only. */
static bool softhsm_is_there(const char *conf)
{
    struct stat st;

    return lstat(conf, &st) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

bool softhsm_store_is_missing(const struct config *config)
{
    const char *home = getenv("HOME");
    char *conf;
    bool missing;

    if (!softhsm_store_is_backend(config) || getenv("SOFTHSM2_CONF")) {
        return false;
    }
    conf = softhsm_conf_user(home ? home : "");
    missing = conf && !softhsm_is_there(conf) && !softhsm_system_is_used();
    free(conf);
    return missing;
}

/* SoftHSM2 passes over a file of the user's that it cannot read, and would make the token in the system's store. */
static enum error_code softhsm_check_users(const struct config *config, struct error *err)
{
    const char *home = getenv("HOME");
    char *conf = softhsm_conf_user(home ? home : "");
    enum error_code status = ERROR_NONE;

    if (conf && softhsm_store_is_backend(config) && !getenv("SOFTHSM2_CONF") && softhsm_is_there(conf) &&
        access(conf, R_OK) != 0) {
        status = error_set(err, ERROR_CONFIG, _("%s cannot be read: %s."), conf, strerror(errno));
    }
    free(conf);
    return status;
}

enum error_code softhsm_store_ensure(const struct config *config, char **made, struct error *err)
{
    const char *home = getenv("HOME");
    char *conf = NULL;
    char *tokens = NULL;
    enum error_code status;

    *made = NULL;
    if (!softhsm_store_is_missing(config)) {
        return softhsm_check_users(config, err);
    }
    if (!home || home[0] != '/') {
        return error_set(err, ERROR_CONFIG, _("There is no folder for a token store: set HOME."));
    }
    conf = softhsm_conf_user(home);
    tokens = softhsm_data_folder(home);
    status = conf && tokens ? softhsm_store_write(conf, tokens, err) : error_set(err, ERROR_MEMORY, "%s", "");
    free(tokens);
    if (status != ERROR_NONE) {
        free(conf);
        return status;
    }
    *made = conf;
    return ERROR_NONE;
}
