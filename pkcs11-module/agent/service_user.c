#include "pkcs11-module/agent/service_user.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/fork_safe.h"
#include "common/i18n.h"

#define ENTRY_BYTES 16384

/* Decimal digits only, and not the uid that stands for none (setresuid(2)). */
static bool parse_uid(const char *word, uid_t *uid)
{
    char *end;
    unsigned long long number;

    if (!word[0] || strspn(word, "0123456789") != strlen(word) || strlen(word) > 10)
        return false;
    number = strtoull(word, &end, 10);
    if (number >= (uid_t)-1)
        return false;
    *uid = (uid_t)number;
    return true;
}

bool service_user_uid(const char *user, uid_t *uid)
{
    char buffer[ENTRY_BYTES];
    struct passwd entry;
    struct passwd *found = NULL;

    if (parse_uid(user, uid))
        return true;
    if (getpwnam_r(user, &entry, buffer, sizeof buffer, &found) != 0 || !found)
        return false;
    *uid = found->pw_uid;
    return true;
}

/* A uid without an entry is its own group. */
static gid_t group_of(uid_t uid)
{
    char buffer[ENTRY_BYTES];
    struct passwd entry;
    struct passwd *found = NULL;

    return getpwuid_r(uid, &entry, buffer, sizeof buffer, &found) == 0 && found ? found->pw_gid : (gid_t)uid;
}

/* ------------------------------------------------------------------ rights */

static bool read_rights(struct __user_cap_data_struct rights[_LINUX_CAPABILITY_U32S_3])
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};

    return syscall(SYS_capget, &header, rights) == 0;
}

/* Of all that root or the unit may have given, the one right that the kernel wants for telling another user's program; what
 * this process executes does not get it (capabilities(7): neither inheritable nor ambient). */
static bool keep_one_right(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct rights[_LINUX_CAPABILITY_U32S_3] = {{0}};
    struct __user_cap_data_struct now[_LINUX_CAPABILITY_U32S_3];

    if (!read_rights(now) || prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0)
        return false;
    rights[0].permitted = rights[0].effective = now[0].permitted & (1U << CAP_SYS_PTRACE);
    return syscall(SYS_capset, &header, rights) == 0;
}

static bool become(uid_t uid, gid_t gid)
{
    return prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == 0 && setgroups(0, NULL) == 0 && setresgid(gid, gid, gid) == 0 &&
           setresuid(uid, uid, uid) == 0 && keep_one_right() && setuid(0) != 0;
}

enum error_code service_user_become(const char *user, struct error *err)
{
    uid_t uid;
    bool done;

    if (!service_user_uid(user, &uid) || uid == 0)
        return error_set(err, ERROR_CONFIG,
                         _("The service needs a user of its own, which \"%s\" is not: make it (systemd-sysusers), or name "
                           "one in [service] user."),
                         user);
    if (geteuid() != 0 && (geteuid() != uid || getuid() != uid))
        return error_set(err, ERROR_CONFIG, _("The service runs as %s: start it as that user, or as root."), user);
    done = geteuid() == 0 ? become(uid, group_of(uid)) : keep_one_right();
    return done ? ERROR_NONE : error_set(err, ERROR_INTERNAL, _("The process cannot become %s: %s."), user, fork_safe_error(errno));
}

/* One that root makes is given to the user; one that is there stays as it is, and is judged by who uses it. */
void service_user_make_folder(const char *user, const char *path, mode_t mode)
{
    uid_t uid;

    if (geteuid() == 0 && service_user_uid(user, &uid) && mkdir(path, mode) == 0)
        (void)!chown(path, uid, group_of(uid));
}
