#include "pkcs11-module/agent/endpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/agent_place.h"
#include "common/fork_safe.h"
#include "common/i18n.h"

#define ACTIVATED_FD 3 /* SD_LISTEN_FDS_START */
#define BACKLOG      64

/* The socket that systemd gives, or -1 when it gives none: sd_listen_fds(3). */
static int take_activated(void)
{
    const char *pid = getenv("LISTEN_PID");
    const char *count = getenv("LISTEN_FDS");
    const bool ours = pid && count && strtol(pid, NULL, 10) == (long)getpid() && strcmp(count, "1") == 0;

    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
    return ours ? ACTIVATED_FD : -1;
}

/* Its path, on the heap; NULL: it is no listening socket with a path. */
static char *activated_path(int fd)
{
    struct sockaddr_un address;
    socklen_t size = sizeof address;
    int listening = 0;
    socklen_t listening_size = sizeof listening;

    memset(&address, 0, sizeof address);
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &listening_size) != 0 || !listening ||
        getsockname(fd, (struct sockaddr *)&address, &size) != 0 || address.sun_family != AF_UNIX ||
        address.sun_path[0] != '/')
        return NULL;
    return strndup(address.sun_path, sizeof address.sun_path);
}

static enum error_code judge_folder(const char *folder, int fd, struct error *err)
{
    struct stat st;

    if (fd < 0 || fstat(fd, &st) != 0)
        return error_set(err, ERROR_IO, _("The folder %s cannot be opened: %s."), folder, fork_safe_error(errno));
    if (st.st_uid != geteuid() || (st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        return error_set(err, ERROR_IO,
                         _("The folder %s must be yours, and nobody else's to look into: chmod 0700 it, or give another "
                           "place with --socket."),
                         folder);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0)
        return error_set(err, ERROR_STATE, _("Another pinward-agent serves in %s."), folder);
    return ERROR_NONE;
}

/* Opens and locks the socket's folder. */
static enum error_code hold_folder(struct endpoint *endpoint, struct error *err)
{
    char *folder = strdup(endpoint->path);
    char *slash = folder ? strrchr(folder, '/') : NULL;
    enum error_code status;

    if (!slash || slash == folder) {
        free(folder);
        return error_set(err, ERROR_USAGE, _("The socket needs a path from the root, in a folder of its own."));
    }
    *slash = '\0';
    (void)mkdir(folder, 0700); /* when it cannot be made, it cannot be opened */
    endpoint->folder = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    status = judge_folder(folder, endpoint->folder, err);
    free(folder);
    return status;
}

/* With the folder locked, a socket that lies there is a dead agent's. */
static enum error_code listen_at(const char *path, int *listening, struct error *err)
{
    struct sockaddr_un address;
    mode_t before;
    bool bound;
    int fd;

    if (!agent_place_address(path, &address))
        return error_set(err, ERROR_USAGE, _("The path of the socket is too long: %s."), path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    (void)unlink(path);
    before = umask(0177);
    bound = fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0;
    umask(before);
    if (!bound || listen(fd, BACKLOG) != 0) {
        error_set(err, ERROR_IO, _("The socket %s cannot be made: %s."), path, fork_safe_error(errno));
        if (fd >= 0)
            close(fd);
        return ERROR_IO;
    }
    *listening = fd;
    return ERROR_NONE;
}

static enum error_code open_programs(struct endpoint *endpoint, struct error *err)
{
    const int flags = endpoint->activated ? fcntl(endpoint->programs, F_GETFL) : 0;

    if (!endpoint->activated)
        return listen_at(endpoint->path, &endpoint->programs, err);
    if (flags < 0 || fcntl(endpoint->programs, F_SETFL, flags | O_NONBLOCK) != 0 ||
        fcntl(endpoint->programs, F_SETFD, FD_CLOEXEC) != 0)
        return error_set(err, ERROR_IO, _("The socket that systemd gives cannot be used: %s."), fork_safe_error(errno));
    return ERROR_NONE;
}

static enum error_code open_all(const char *path, struct endpoint *endpoint, struct error *err)
{
    const int given = take_activated();
    enum error_code status;

    if (given >= 0) {
        endpoint->programs = given;
        endpoint->activated = true;
    }
    endpoint->path = given >= 0 ? activated_path(given) : path ? strdup(path) : agent_place_socket();
    if (!endpoint->path)
        return error_set(err, ERROR_CONFIG,
                         given >= 0 ? _("What systemd gives is not a unix socket with a path.")
                                    : _("There is no runtime folder: XDG_RUNTIME_DIR is not set. Set it, or give the "
                                        "socket's place with --socket."));
    endpoint->control_path = agent_place_control(endpoint->path);
    if (!endpoint->control_path)
        return error_set(err, ERROR_MEMORY, NULL);
    status = hold_folder(endpoint, err);
    if (status == ERROR_NONE)
        status = open_programs(endpoint, err);
    if (status == ERROR_NONE)
        status = listen_at(endpoint->control_path, &endpoint->control, err);
    return status;
}

enum error_code endpoint_open(const char *path, struct endpoint *endpoint, struct error *err)
{
    struct endpoint made = {.programs = -1, .control = -1, .folder = -1};
    const enum error_code status = open_all(path, &made, err);

    if (status != ERROR_NONE)
        endpoint_close(&made);
    else
        *endpoint = made;
    return status;
}

void endpoint_close(struct endpoint *endpoint)
{
    if (endpoint->control >= 0) {
        (void)unlink(endpoint->control_path);
        close(endpoint->control);
    }
    if (endpoint->programs >= 0) {
        if (!endpoint->activated)
            (void)unlink(endpoint->path);
        close(endpoint->programs);
    }
    if (endpoint->folder >= 0)
        close(endpoint->folder);
    free(endpoint->path);
    free(endpoint->control_path);
    *endpoint = (struct endpoint){.programs = -1, .control = -1, .folder = -1};
}
