#include "pkcs11-module/agent/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/fork_safe.h"
#include "common/i18n.h"

/* The C library has no functions for it, and Debian 12's headers only version 2 of the interface: landlock(7),
 * include/uapi/linux/landlock.h. */
#define VERSION_REFER    2
#define VERSION_TRUNCATE 3
#define VERSION_SCOPE    6

#define CREATE_VERSION 1u /* flag of landlock_create_ruleset: answer the version */
#define PATH_BENEATH   1

#define EXECUTE    ((uint64_t)1 << 0)
#define WRITE_FILE ((uint64_t)1 << 1)
#define MAKE_AND_REMOVE                                                                                               \
    ((uint64_t)1 << 4 | (uint64_t)1 << 5 | (uint64_t)1 << 7 | (uint64_t)1 << 8) /* folders and files */
#define MAKE_OTHER                                                                                                    \
    ((uint64_t)1 << 6 | (uint64_t)1 << 9 | (uint64_t)1 << 10 | (uint64_t)1 << 11 | (uint64_t)1 << 12) /* devices ... */
#define REFER    ((uint64_t)1 << 13) /* from one folder to another */
#define TRUNCATE ((uint64_t)1 << 14)

#define SCOPE_ABSTRACT_SOCKETS ((uint64_t)1 << 0)
#define SCOPE_SIGNALS          ((uint64_t)1 << 1)

struct ruleset {
    uint64_t files;
    uint64_t network;
    uint64_t scoped;
};

struct beneath {
    uint64_t allowed;
    int32_t parent_fd;
} __attribute__((packed));

int landlock_version(void)
{
    const long version = syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, CREATE_VERSION);

    return version > 0 ? (int)version : 0;
}

static int create(int version)
{
    struct ruleset ruleset = {.files = EXECUTE | WRITE_FILE | MAKE_AND_REMOVE | MAKE_OTHER};
    size_t size = offsetof(struct ruleset, network); /* older kernels take no more */

    if (version >= VERSION_REFER)
        ruleset.files |= REFER;
    if (version >= VERSION_TRUNCATE)
        ruleset.files |= TRUNCATE;
    if (version >= VERSION_SCOPE) {
        ruleset.scoped = SCOPE_ABSTRACT_SOCKETS | SCOPE_SIGNALS;
        size = sizeof ruleset;
    }
    return (int)syscall(SYS_landlock_create_ruleset, &ruleset, size, 0u);
}

/* 0, or an errno. */
static int allow(int ruleset, int version, const char *path)
{
    struct beneath rule = {.allowed = WRITE_FILE, .parent_fd = open(path, O_PATH | O_CLOEXEC)};
    struct stat st;
    int rc;

    if (rule.parent_fd < 0)
        return errno == ENOENT || errno == ENOTDIR ? 0 : errno;
    if (version >= VERSION_TRUNCATE)
        rule.allowed |= TRUNCATE;
    if (fstat(rule.parent_fd, &st) == 0 && S_ISDIR(st.st_mode))
        rule.allowed |= MAKE_AND_REMOVE | (version >= VERSION_REFER ? REFER : 0);
    rc = syscall(SYS_landlock_add_rule, ruleset, PATH_BENEATH, &rule, 0u) == 0 ? 0 : errno;
    close(rule.parent_fd);
    return rc;
}

enum error_code landlock_restrict(const char *const *paths, struct error *err)
{
    const int version = landlock_version();
    int ruleset;
    int rc = 0;

    if (version == 0)
        return error_set(err, ERROR_STATE, _("This kernel has no Landlock."));
    ruleset = create(version);
    if (ruleset < 0)
        rc = errno;
    for (; rc == 0 && *paths; paths++)
        rc = allow(ruleset, version, *paths);
    if (rc == 0 && syscall(SYS_landlock_restrict_self, ruleset, 0u) != 0)
        rc = errno;
    if (ruleset >= 0)
        close(ruleset);
    if (rc == 0)
        return ERROR_NONE;
    return error_set(err, ERROR_INTERNAL,
                     _("The process cannot protect itself (%s): %s. It does not serve; [agent] sandbox = off would."),
                     "landlock", fork_safe_error(rc));
}
