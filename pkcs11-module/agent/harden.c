#include "pkcs11-module/agent/harden.h"

#include <errno.h>
#include <malloc.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "common/fork_safe.h"
#include "common/i18n.h"

#define DESCRIPTORS_MAX 128
#define MEMORY_MAX      ((rlim_t)256 << 20)
#define FREED_BYTE      0xa5

const char *const harden_words[] = {"not-dumpable", "no-new-privileges", "no-core", "limits", NULL};

static enum error_code refuse(const char *what, struct error *err)
{
    return error_set(err, ERROR_INTERNAL, _("The process cannot protect itself (%s): %s. It does not serve."), what,
                     fork_safe_error(errno));
}

static int limit(__rlimit_resource_t resource, rlim_t most)
{
    struct rlimit now;

    if (getrlimit(resource, &now) != 0)
        return -1;
    if (now.rlim_max < most) /* RLIM_INFINITY is the largest */
        most = now.rlim_max;
    now = (struct rlimit){.rlim_cur = most, .rlim_max = most};
    return setrlimit(resource, &now);
}

enum error_code harden_process(struct error *err)
{
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 || prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0)
        return refuse("not-dumpable", err);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return refuse("no-new-privileges", err);
    if (limit(RLIMIT_CORE, 0) != 0)
        return refuse("no-core", err);
    return ERROR_NONE;
}

enum error_code harden_connection(struct error *err)
{
    enum error_code status = harden_process(err);

    if (status != ERROR_NONE)
        return status;
    if (limit(RLIMIT_NOFILE, DESCRIPTORS_MAX) != 0)
        return refuse("limits", err);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) /* their shadows are larger than any limit */
    if (limit(RLIMIT_DATA, MEMORY_MAX) != 0)
        return refuse("limits", err);
#endif
    /* p11-kit's buffers, through which an application's own PIN passes, are not wiped when they are freed. */
    (void)mallopt(M_PERTURB, FREED_BYTE);
    return ERROR_NONE;
}
