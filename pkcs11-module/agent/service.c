#include "pkcs11-module/agent/service.h"

#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "common/i18n.h"
#include "pkcs11-module/agent/service_user.h"

#define BLANKS      " \t,"
#define WORD_MAX    64
#define ENTRY_BYTES 16384
#define GROUPS_MAX  1024

static bool is_in_group(uid_t uid, const char *name)
{
    char user_buffer[ENTRY_BYTES], group_buffer[ENTRY_BYTES];
    struct passwd user_entry, *user = NULL;
    struct group group_entry, *group = NULL;
    gid_t groups[GROUPS_MAX];
    int count = GROUPS_MAX;

    if (getpwuid_r(uid, &user_entry, user_buffer, sizeof user_buffer, &user) != 0 || !user ||
        getgrnam_r(name, &group_entry, group_buffer, sizeof group_buffer, &group) != 0 || !group ||
        getgrouplist(user->pw_name, user->pw_gid, groups, &count) < 0)
        return false;
    for (int i = 0; i < count; i++)
        if (groups[i] == group->gr_gid)
            return true;
    return false;
}

static bool is_meant(uid_t uid, const char *word)
{
    uid_t named = (uid_t)-1;

    return word[0] == '@' ? is_in_group(uid, word + 1) : service_user_uid(word, &named) && named == uid;
}

/* Root is served when it is named, as anybody. */
bool service_admits(const struct service *service, uid_t uid)
{
    const char *list = service->clients ? service->clients : "";
    char word[WORD_MAX];

    for (size_t len; *(list += strspn(list, BLANKS)); list += len) {
        len = strcspn(list, BLANKS);
        if (len >= sizeof word)
            continue; /* no name is as long */
        memcpy(word, list, len);
        word[len] = '\0';
        if (is_meant(uid, word))
            return true;
    }
    return false;
}

enum error_code service_open(const struct config *config, struct service *service, struct error *err)
{
    struct service made = {0};

    if (!config->file || !config->service.clients)
        return error_set(err, ERROR_CONFIG, _("Nobody is named whom the service is for: name users in [service] clients."));
    made.folder = strdup(config->service.folder);
    made.clients = strdup(config->service.clients);
    made.settings = strdup(config->file);
    if (!made.folder || !made.clients || !made.settings) {
        service_clear(&made);
        return error_set(err, ERROR_MEMORY, NULL);
    }
    *service = made;
    return ERROR_NONE;
}

void service_clear(struct service *service)
{
    free(service->folder);
    free(service->clients);
    free(service->settings);
    *service = (struct service){0};
}
