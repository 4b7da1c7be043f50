#include "pkcs11-module/agent/peer.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* Linux 6.5: the pidfd of the very process that connected. Debian 12's headers do not have it yet. */
#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

/* The 22nd field; the second is a name in brackets that may hold anything. */
#define START_FIELDS_AFTER_NAME 20

static int open_pidfd(int connection, pid_t pid)
{
    int fd = -1;
    socklen_t size = sizeof fd;

    if (getsockopt(connection, SOL_SOCKET, SO_PEERPIDFD, &fd, &size) == 0 && fd >= 0)
        return fd;
    return pidfd_open(pid, 0);
}

static unsigned long long read_start(pid_t pid)
{
    char text[1024];
    const char *at;
    ssize_t n;
    int fd;

    snprintf(text, sizeof text, "/proc/%ld/stat", (long)pid);
    fd = open(text, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    n = read(fd, text, sizeof text - 1);
    close(fd);
    text[n > 0 ? n : 0] = '\0';
    at = strrchr(text, ')');
    for (int field = 0; at && field < START_FIELDS_AFTER_NAME; field++)
        at = strchr(at + 1, ' ');
    return at ? strtoull(at, NULL, 10) : 0;
}

/* The link's text is a path in the client's own mount namespace, where anything may lie under any name. The file may also
 * have been removed or replaced while it runs, which the text says (proc(5): " (deleted)"). */
static void read_program(pid_t pid, char program[PATH_MAX + 1])
{
    static const char deleted[] = " (deleted)";
    struct stat running, named;
    char link[64];
    ssize_t n;
    size_t len;

    snprintf(link, sizeof link, "/proc/%ld/exe", (long)pid);
    n = readlink(link, program, PATH_MAX + 1);
    len = n > 0 && n <= PATH_MAX ? (size_t)n : 0;
    program[len] = '\0';
    if (len >= sizeof deleted && strcmp(program + len - (sizeof deleted - 1), deleted) == 0)
        return;
    if (program[0] != '/' || stat(link, &running) != 0 || stat(program, &named) != 0 ||
        running.st_dev != named.st_dev || running.st_ino != named.st_ino)
        program[0] = '\0';
}

static int open_memory(pid_t pid)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%ld/maps", (long)pid);
    return open(path, O_RDONLY | O_CLOEXEC);
}

bool peer_look(int connection, int pidfd, struct peer *peer)
{
    struct ucred credentials;
    socklen_t size = sizeof credentials;

    if (getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0 || size != sizeof credentials)
        return false;
    memset(peer, 0, sizeof *peer);
    peer->pid = credentials.pid;
    peer->uid = credentials.uid;
    peer->pidfd = pidfd;
    peer->memory = -1;
    if (peer->pid <= 0)
        return true;
    if (pidfd < 0)
        peer->pidfd = open_pidfd(connection, peer->pid);
    peer->start = read_start(peer->pid);
    peer->memory = open_memory(peer->pid); /* before what is read of the program: an exec in between is noticed */
    read_program(peer->pid, peer->program);
    return true;
}

void peer_take(struct peer *peer, int memory, const char *program)
{
    if (peer->memory >= 0)
        close(peer->memory);
    peer->memory = memory;
    snprintf(peer->program, sizeof peer->program, "%s", program);
}

void peer_clear(struct peer *peer)
{
    if (peer->pidfd >= 0)
        close(peer->pidfd);
    if (peer->memory >= 0)
        close(peer->memory);
    memset(peer, 0, sizeof *peer);
    peer->pidfd = peer->memory = -1;
}

/* A pidfd can be read once its process has ended (pidfd_open(2)). Where there is none, the pid means another process when
 * that began at another time. */
static bool is_same_process(const struct peer *peer)
{
    struct pollfd ended = {.fd = peer->pidfd, .events = POLLIN};

    if (peer->pidfd >= 0)
        return poll(&ended, 1, 0) == 0;
    return peer->start != 0 && read_start(peer->pid) == peer->start;
}

/* Memory that nothing uses any more reads as empty; what is used has at least one mapping. */
static bool has_same_memory(const struct peer *peer)
{
    char byte;

    return peer->memory < 0 || pread(peer->memory, &byte, 1, 0) == 1;
}

bool peer_unchanged(const void *data)
{
    const struct peer *peer = data;

    return peer->pid <= 0 || (is_same_process(peer) && has_same_memory(peer));
}

bool peer_program(const void *data, char *path, size_t size)
{
    const struct peer *peer = data;

    return peer->program[0] && (size_t)snprintf(path, size, "%s", peer->program) < size;
}
