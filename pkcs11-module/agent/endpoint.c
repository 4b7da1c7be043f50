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

/* How many sockets systemd gives: sd_listen_fds(3). */
static int take_activated(void)
{
    const char *pid = getenv("LISTEN_PID");
    const char *count = getenv("LISTEN_FDS");
    const bool ours = pid && count && strtol(pid, NULL, 10) == (long)getpid();
    const int taken = ours ? (int)strtol(count, NULL, 10) : 0;

    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
    return taken;
}

/* Its path, on the heap; NULL: it is no listening socket of that type with a path. */
static char *activated_path(int fd, int type)
{
    int its_type = 0;
    socklen_t type_size = sizeof its_type;
    struct sockaddr_un address;
    socklen_t size = sizeof address;
    int listening = 0;
    socklen_t listening_size = sizeof listening;

    memset(&address, 0, sizeof address);
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &listening_size) != 0 || !listening ||
        getsockopt(fd, SOL_SOCKET, SO_TYPE, &its_type, &type_size) != 0 || its_type != type ||
        getsockname(fd, (struct sockaddr *)&address, &size) != 0 || address.sun_family != AF_UNIX ||
        address.sun_path[0] != '/')
        return NULL;
    return strndup(address.sun_path, sizeof address.sun_path);
}

/* Nobody else may put a socket there; into a user's own folder nobody else may look, either. */
static bool is_fit(const struct stat *st, bool service)
{
    if (service)
        return (st->st_uid == geteuid() || st->st_uid == 0) && (st->st_mode & (S_IWGRP | S_IWOTH)) == 0;
    return st->st_uid == geteuid() && (st->st_mode & (S_IRWXG | S_IRWXO)) == 0;
}

static enum error_code judge_folder(const char *folder, int fd, bool service, struct error *err)
{
    struct stat st;

    if (fd < 0 || fstat(fd, &st) != 0)
        return error_set(err, ERROR_IO, _("The folder %s cannot be opened: %s."), folder, fork_safe_error(errno));
    if (!is_fit(&st, service))
        return error_set(err, ERROR_IO,
                         service ? _("The folder %s must be root's or the service's own, and nobody else's to write to.")
                                 : _("The folder %s must be yours, and nobody else's to look into: chmod 0700 it, or give "
                                     "another place with --socket."),
                         folder);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0)
        return error_set(err, ERROR_STATE, _("Another pinward-agent serves in %s."), folder);
    return ERROR_NONE;
}

/* Opens and locks the socket's folder. */
static enum error_code hold_folder(struct endpoint *endpoint, bool service, struct error *err)
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
    status = judge_folder(folder, endpoint->folder, service, err);
    free(folder);
    return status;
}

/* With the folder locked, a socket that lies there is a dead agent's. */
static enum error_code listen_at(const char *path, int type, bool everybody, int *listening, struct error *err)
{
    struct sockaddr_un address;
    mode_t before;
    bool bound;
    int fd;

    if (!agent_place_address(path, &address))
        return error_set(err, ERROR_USAGE, _("The path of the socket is too long: %s."), path);
    fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    (void)unlink(path);
    before = umask(everybody ? 0111 : 0177);
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

static enum error_code use_activated(int fd, struct error *err)
{
    const int flags = fcntl(fd, F_GETFL);

    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
        return error_set(err, ERROR_IO, _("The socket that systemd gives cannot be used: %s."), fork_safe_error(errno));
    return ERROR_NONE;
}

/* One socket for programs, and for a service one for prompters, in this order. */
static enum error_code take_over(int count, bool service, struct endpoint *endpoint, struct error *err)
{
    enum error_code status;

    endpoint->activated = true;
    endpoint->programs = ACTIVATED_FD;
    endpoint->path = activated_path(ACTIVATED_FD, SOCK_STREAM);
    if (service && count == 2) {
        endpoint->prompters = ACTIVATED_FD + 1;
        endpoint->prompt_path = activated_path(ACTIVATED_FD + 1, SOCK_SEQPACKET);
    }
    if (count != (service ? 2 : 1) || !endpoint->path || (service && !endpoint->prompt_path))
        return error_set(err, ERROR_CONFIG, _("What systemd gives is not a unix socket with a path."));
    status = use_activated(endpoint->programs, err);
    return status == ERROR_NONE && service ? use_activated(endpoint->prompters, err) : status;
}

static enum error_code find_place(const char *path, bool service, struct endpoint *endpoint, struct error *err)
{
    endpoint->path = path ? strdup(path) : service ? strdup(AGENT_PLACE_SERVICE) : agent_place_socket();
    if (!endpoint->path)
        return error_set(err, ERROR_CONFIG,
                         _("There is no runtime folder: XDG_RUNTIME_DIR is not set. Set it, or give the socket's place "
                           "with --socket."));
    if (service)
        endpoint->prompt_path = agent_place_prompt(endpoint->path);
    return service && !endpoint->prompt_path ? error_set(err, ERROR_MEMORY, NULL) : ERROR_NONE;
}

static enum error_code make_sockets(bool service, struct endpoint *endpoint, struct error *err)
{
    enum error_code status = ERROR_NONE;

    if (!endpoint->activated)
        status = listen_at(endpoint->path, SOCK_STREAM, service, &endpoint->programs, err);
    if (status == ERROR_NONE && !endpoint->activated && service)
        status = listen_at(endpoint->prompt_path, SOCK_SEQPACKET, true, &endpoint->prompters, err);
    if (status == ERROR_NONE)
        status = listen_at(endpoint->control_path, SOCK_STREAM, service, &endpoint->control, err);
    return status;
}

static enum error_code open_all(const char *path, bool service, struct endpoint *endpoint, struct error *err)
{
    const int given = take_activated();
    enum error_code status =
        given > 0 ? take_over(given, service, endpoint, err) : find_place(path, service, endpoint, err);

    if (status != ERROR_NONE)
        return status;
    endpoint->control_path = agent_place_control(endpoint->path);
    if (!endpoint->control_path)
        return error_set(err, ERROR_MEMORY, NULL);
    status = hold_folder(endpoint, service, err);
    return status == ERROR_NONE ? make_sockets(service, endpoint, err) : status;
}

static const struct endpoint no_endpoint = {.programs = -1, .control = -1, .prompters = -1, .folder = -1};

enum error_code endpoint_open(const char *path, bool service, struct endpoint *endpoint, struct error *err)
{
    struct endpoint made = no_endpoint;
    const enum error_code status = open_all(path, service, &made, err);

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
    if (endpoint->prompters >= 0) {
        if (!endpoint->activated)
            (void)unlink(endpoint->prompt_path);
        close(endpoint->prompters);
    }
    if (endpoint->folder >= 0)
        close(endpoint->folder);
    free(endpoint->path);
    free(endpoint->control_path);
    free(endpoint->prompt_path);
    *endpoint = no_endpoint;
}
