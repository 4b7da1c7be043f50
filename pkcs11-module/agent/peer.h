/*
 * peer: the process at the other end of a connection, as the kernel vouches for it (unix(7), SO_PEERCRED): it is the one
 * that connected, whatever it says of itself.
 *
 * A pid is only a number: a pidfd, or else the time when the process began, tells whether it still means the same process;
 * an open /proc/PID/maps, which shows the memory that the process had when it was opened, whether that still runs the same
 * program: exec gives it other memory, and the old is gone (proc(5), execve(2)). Both can be asked from within a sandbox,
 * from where /proc/PID/exe cannot be read.
 * Owner: struct peer is the caller's, from peer_look to peer_clear. Thread rule: constant in between.
 */
#ifndef PINWARD_AGENT_PEER_H
#define PINWARD_AGENT_PEER_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct peer {
    pid_t pid; /* 0: a process that this one cannot see, such as one of another pid namespace */
    uid_t uid;
    int pidfd;                /* -1: there is none */
    unsigned long long start; /* proc(5), /proc/PID/stat, starttime; 0: not known */
    int memory;               /* -1: the kernel does not show it */
    char program[PATH_MAX + 1]; /* of the executable, as the kernel names it; "": it does not, or means another file here */
};

/* Who connected. pidfd: one that was opened for this connection before, which the peer then owns, or -1: one is opened.
 * false: not a connection whose other end the kernel knows. */
bool peer_look(int connection, int pidfd, struct peer *peer);
void peer_clear(struct peer *peer);

/* What a process with more rights has found out and this one cannot: takes memory, and a path, "" for none. */
void peer_take(struct peer *peer, int memory, const char *program);

/* Whether the process that connected is still there, and runs the program that it ran when it was looked at. Of one that
 * cannot be seen nothing is known, and nothing changes. data: a struct peer. */
bool peer_unchanged(const void *data);

/* Its executable's path. false: not known. data: a struct peer. */
bool peer_program(const void *data, char *path, size_t size);

#endif
