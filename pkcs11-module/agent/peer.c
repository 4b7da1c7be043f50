#include "pkcs11-module/agent/peer.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
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
    unsigned long long start = 0;
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
    return at && sscanf(at, " %llu", &start) == 1 ? start : 0;
}

/* The executable itself, whatever its name means here. */
static void read_program(pid_t pid, dev_t *device, ino_t *inode)
{
    char path[64];
    struct stat st;

    snprintf(path, sizeof path, "/proc/%ld/exe", (long)pid);
    if (stat(path, &st) != 0)
        st = (struct stat){0};
    *device = st.st_dev;
    *inode = st.st_ino;
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
    if (peer->pid <= 0)
        return true;
    if (pidfd < 0)
        peer->pidfd = open_pidfd(connection, peer->pid);
    peer->start = read_start(peer->pid);
    read_program(peer->pid, &peer->program_device, &peer->program_inode);
    return true;
}

void peer_clear(struct peer *peer)
{
    if (peer->pidfd >= 0)
        close(peer->pidfd);
    *peer = (struct peer){.pidfd = -1};
}

/* A pidfd can be read once its process has ended (pidfd_open(2)). */
static bool has_ended(const struct peer *peer)
{
    struct pollfd ended = {.fd = peer->pidfd, .events = POLLIN};

    return peer->pidfd >= 0 && poll(&ended, 1, 0) != 0;
}

bool peer_unchanged(const void *data)
{
    const struct peer *peer = data;
    dev_t device;
    ino_t inode;

    if (peer->pid <= 0)
        return true;
    read_program(peer->pid, &device, &inode);
    return device == peer->program_device && inode == peer->program_inode && peer->start != 0 &&
           read_start(peer->pid) == peer->start && !has_ended(peer);
}
