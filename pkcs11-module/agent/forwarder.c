#include "pkcs11-module/agent/forwarder.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/i18n.h"
#include "common/log.h"

#define BLANKS " \t,"

/* The name of a process, as proc(5), /proc/PID/comm, has it: without what is behind its 15th byte. */
#define COMM_LEN 15

/* socat and systemd-socket-proxyd stand for whatever connects a unix socket with a network or a virtual machine (vsock). */
static const char *const known[] = {"sshd",           "sshd-session", "ssh", "p11-kit-remote",
                                    "p11-kit-server", "socat",        "systemd-socket-proxyd"};

/* The last part of the executable's path; "" when the kernel does not tell it: sshd's processes are nobody's to look into. */
static void read_executable(const struct peer *peer, char *name, size_t size)
{
    char link[64];
    const char *slash;
    ssize_t n;

    snprintf(link, sizeof link, "/proc/%ld/exe", (long)peer->pid);
    n = readlink(link, name, size - 1);
    if (n > 0)
        name[n] = '\0';
    else
        snprintf(name, size, "%.*s", (int)size - 1, peer->program);
    slash = strrchr(name, '/');
    if (slash)
        memmove(name, slash + 1, strlen(slash));
    name[strcspn(name, " ")] = '\0'; /* " (deleted)" */
}

/* What the process calls itself: one that lies gets stricter rules, not looser ones. */
static void read_comm(pid_t pid, char *name, size_t size)
{
    char path[64];
    ssize_t n;
    int fd;

    snprintf(path, sizeof path, "/proc/%ld/comm", (long)pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    n = fd < 0 ? -1 : read(fd, name, size - 1);
    if (fd >= 0)
        close(fd);
    name[n > 0 ? n : 0] = '\0';
    name[strcspn(name, "\n")] = '\0';
}

/* The last part of a path, since it is names that are compared. */
static bool is_listed(const char *list, const char *name, size_t counts)
{
    char word[256];

    for (size_t len; *(list += strspn(list, BLANKS)); list += len) {
        const char *slash;

        len = strcspn(list, BLANKS);
        snprintf(word, sizeof word, "%.*s", (int)len, list);
        slash = strrchr(word, '/');
        if (strncmp(slash ? slash + 1 : word, name, counts) == 0)
            return true;
    }
    return false;
}

bool forwarder_is(const struct peer *peer, const struct config *config)
{
    char name[PATH_MAX];
    size_t counts = sizeof name;

    if (peer->pid <= 0)
        return true;
    read_executable(peer, name, sizeof name);
    if (!name[0]) {
        read_comm(peer->pid, name, sizeof name);
        counts = COMM_LEN;
    }
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strncmp(known[i], name, counts) == 0)
            return true;
    return config->remote.forwarders && is_listed(config->remote.forwarders, name, counts);
}

static enum error_code refuse(const struct peer *peer, const struct config *config, struct error *err)
{
    (void)log_open(config, NULL);
    return error_set(err, ERROR_REFUSED,
                     _("A connection that was forwarded from another machine (through process %ld) was refused: allow "
                       "them with access = ask in [remote]."),
                     (long)peer->pid);
}

enum error_code forwarder_judge(const struct peer *peer, enum policy_trust local, enum policy_trust *trust,
                                struct error *err)
{
    struct config config = {0};
    const bool loaded = config_load(&config, NULL) == ERROR_NONE; /* what cannot be read allows the least */
    enum error_code status = ERROR_NONE;

    if (loaded && !forwarder_is(peer, &config))
        *trust = local;
    else if (!loaded || config.remote.access == CONFIG_REMOTE_ASK)
        *trust = POLICY_TRUST_NOT_THERE;
    else
        status = refuse(peer, &config, err);
    config_clear(&config);
    return status;
}
