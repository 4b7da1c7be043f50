#include "pkcs11-module/agent/harden.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/fork_safe.h"
#include "common/i18n.h"
#include "pkcs11-module/agent/sandbox.h"

#define DESCRIPTORS_MAX 128
#define FREED_BYTE      0xa5

/* proc(5), /proc/PID/oom_score_adj: half of all memory counts on top of its own. */
#define OOM_SCORE "500"

void harden_words(enum config_sandbox sandbox, char words[HARDEN_WORDS_SIZE])
{
    char more[SANDBOX_WORDS_SIZE];

    sandbox_words(sandbox, more);
    snprintf(words, HARDEN_WORDS_SIZE, "not-dumpable no-new-privileges no-core limits %s", more);
}

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

/* A process that is not dumpable may not open this file of its own: so before. A kernel without it is none the worse. */
static void offer_to_oom_killer(void)
{
    const int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

    if (fd < 0)
        return;
    (void)!write(fd, OOM_SCORE, sizeof OOM_SCORE - 1);
    close(fd);
}

enum error_code harden_connection(const struct config *config, struct error *err)
{
    enum error_code status;

    offer_to_oom_killer();
    status = harden_process(err);
    if (status != ERROR_NONE)
        return status;
    if (limit(RLIMIT_NOFILE, DESCRIPTORS_MAX) != 0 ||
        (config->agent.client_cpu_s > 0 && limit(RLIMIT_CPU, config->agent.client_cpu_s) != 0))
        return refuse("limits", err);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) /* their shadows are larger than any limit */
    if (limit(RLIMIT_DATA, (rlim_t)config->agent.client_memory_mib << 20) != 0)
        return refuse("limits", err);
#endif
    /* p11-kit's buffers, through which an application's own PIN passes, are not wiped when they are freed. */
    (void)mallopt(M_PERTURB, FREED_BYTE);
    return ERROR_NONE;
}
