#include "pkcs11-module/agent/sandbox.h"

#include <stdio.h>

#include "common/i18n.h"
#include "pkcs11-module/agent/filter.h"
#include "pkcs11-module/agent/landlock.h"
#include "pkcs11-module/agent/writable.h"

static enum error_code restrict_files(const struct config *config, struct error *err)
{
    struct writable writable = {.count = 0};
    enum error_code status = ERROR_NONE;

    if (landlock_version() == 0)
        return ERROR_NONE; /* what there is not, is said in sandbox_words */
    if (!writable_find(config, &writable))
        status = error_set(err, ERROR_MEMORY, _("There is no memory left for the paths of [agent] writable."));
    if (status == ERROR_NONE)
        status = landlock_restrict((const char *const *)writable.paths, err);
    writable_clear(&writable);
    return status;
}

enum error_code sandbox_enter(const struct config *config, struct error *err)
{
    enum error_code status;

    if (config->agent.sandbox == CONFIG_SANDBOX_OFF)
        return ERROR_NONE;
    status = restrict_files(config, err);
    return status == ERROR_NONE ? filter_install(config->agent.sandbox, err) : status;
}

void sandbox_words(enum config_sandbox sandbox, char words[SANDBOX_WORDS_SIZE])
{
    const char *name = config_sandbox_name(sandbox);
    const int version = landlock_version();

    if (sandbox == CONFIG_SANDBOX_OFF)
        snprintf(words, SANDBOX_WORDS_SIZE, "sandbox=%s", name);
    else if (version > 0)
        snprintf(words, SANDBOX_WORDS_SIZE, "sandbox=%s seccomp landlock=%d", name, version);
    else
        snprintf(words, SANDBOX_WORDS_SIZE, "sandbox=%s seccomp no-landlock", name);
}

bool sandbox_is_whole(enum config_sandbox sandbox)
{
    return sandbox != CONFIG_SANDBOX_OFF && filter_is_available() && landlock_version() > 0;
}
