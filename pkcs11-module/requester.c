#include "pkcs11-module/requester.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pkcs11-module/requester_command.h"

#define PROC_PATH_MAX 64

/* All zeros: this process asks for itself. */
static struct requester_client served;

void requester_serve(const struct requester_client *client)
{
    served = *client;
}

bool requester_unchanged(void)
{
    return !served.unchanged || served.unchanged(served.data);
}

pid_t requester_pid(void)
{
    return served.unchanged ? served.pid : getpid();
}

uid_t requester_uid(void)
{
    return served.unchanged ? served.uid : getuid();
}

enum policy_trust requester_trust(void)
{
    return served.trust;
}

unsigned requester_login_grace_s(const struct config *config)
{
    return requester_trust() == POLICY_TRUST_NOT_THERE ? 0 : config->module.login_grace_s;
}

/* The requester's file in /proc; "" when it has none there. */
static const char *proc_path(const char *name, char path[PROC_PATH_MAX])
{
    if (!served.unchanged)
        snprintf(path, PROC_PATH_MAX, "/proc/self/%s", name);
    else if (served.pid > 0)
        snprintf(path, PROC_PATH_MAX, "/proc/%ld/%s", (long)served.pid, name);
    else
        path[0] = '\0';
    return path;
}

/* The file was removed or replaced while it runs (proc(5)). */
static bool is_deleted(const char *path)
{
    static const char deleted[] = " (deleted)";
    const size_t len = strlen(path);

    return len >= sizeof deleted && strcmp(path + len - (sizeof deleted - 1), deleted) == 0;
}

/* The link's text is a path in the client's own mount namespace, where anything may lie under any name. */
static bool is_elsewhere(const char *link, const char *path)
{
    struct stat running, named;

    return served.unchanged && !is_deleted(path) &&
           (stat(link, &running) != 0 || stat(path, &named) != 0 || running.st_dev != named.st_dev ||
            running.st_ino != named.st_ino);
}

/* The path of the executable as the kernel names it, " (deleted)" and all. false: there is none that can be relied on. */
static bool look_up(char path[REQUESTER_PROGRAM_MAX])
{
    char link[PROC_PATH_MAX];
    ssize_t n;

    path[0] = '\0';
    if (served.program)
        return served.program(served.data, path, REQUESTER_PROGRAM_MAX);
    n = readlink(proc_path("exe", link), path, REQUESTER_PROGRAM_MAX);
    path[n > 0 && n < REQUESTER_PROGRAM_MAX ? n : 0] = '\0';
    return path[0] == '/' && !is_elsewhere(link, path);
}

static void read_path(char path[REQUESTER_PATH_MAX])
{
    char whole[REQUESTER_PROGRAM_MAX];

    snprintf(path, REQUESTER_PATH_MAX, "%.*s", REQUESTER_PATH_MAX - 1, look_up(whole) ? whole : REQUESTER_UNKNOWN);
}

static void read_command(char command[REQUESTER_COMMAND_MAX])
{
    char path[PROC_PATH_MAX];
    int fd = open(proc_path("cmdline", path), O_RDONLY | O_CLOEXEC);
    char raw[REQUESTER_COMMAND_MAX];
    ssize_t n = fd < 0 ? -1 : read(fd, raw, sizeof raw);
    size_t len = n > 0 ? (size_t)n : 0;

    if (fd >= 0)
        close(fd);
    while (len > 0 && raw[len - 1] == '\0')
        len--;
    requester_command_show(raw, len, command, REQUESTER_COMMAND_MAX);
}

void requester_describe(struct requester *requester)
{
    requester->pid = requester_pid();
    requester->uid = requester_uid();
    requester->remote = requester_trust() == POLICY_TRUST_NOT_THERE;
    read_path(requester->path);
    read_command(requester->command);
    if (requester_unchanged()) /* after what was read, so that it was read of the right process */
        return;
    strcpy(requester->path, REQUESTER_UNKNOWN);
    requester->command[0] = '\0';
}

bool requester_program(char program[REQUESTER_PROGRAM_MAX])
{
    if (!look_up(program) || is_deleted(program) || !requester_unchanged())
        program[0] = '\0';
    return program[0] != '\0';
}
