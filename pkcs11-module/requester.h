/*
 * requester: the program that asks for a key, as the kernel describes it: this process, or, in a process that serves
 * another one (agent/), that other one.
 *
 * Owner: the caller's struct; requester_serve keeps a copy of its argument for the life of the process.
 * Thread rule: requester_serve before the first C_Initialize, from one thread; the rest from any thread.
 */
#ifndef PINWARD_MODULE_REQUESTER_H
#define PINWARD_MODULE_REQUESTER_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "pkcs11-module/policy.h"

#define REQUESTER_UNKNOWN     "?"
#define REQUESTER_PATH_MAX    256
#define REQUESTER_COMMAND_MAX 256

struct requester {
    pid_t pid;                           /* 0: the kernel does not tell, a client from elsewhere */
    uid_t uid;
    bool remote;                         /* the program only passes on what another machine asks */
    char path[REQUESTER_PATH_MAX];       /* of the executable; REQUESTER_UNKNOWN: the kernel does not tell */
    char command[REQUESTER_COMMAND_MAX]; /* as requester_command.h says */
};

/* A client that this process serves. Its pid names a process only as long as unchanged says that the process which
 * connected is still there, and runs the same program: a pid is given again, and exec makes a program another one. */
struct requester_client {
    pid_t pid; /* 0: the kernel does not show it */
    uid_t uid;
    enum policy_trust trust;
    bool (*unchanged)(const void *data);
    /* The path of its executable, as requester_program gives it; false: not known. NULL: this process looks itself. */
    bool (*program)(const void *data, char *path, size_t size);
    const void *data;
};

/* From now on it is the client that asks. */
void requester_serve(const struct requester_client *client);

/* false: who asks is gone, or has become another program. What is agreed to then is agreed to with nobody. */
bool requester_unchanged(void);

/* 0: the kernel does not tell. */
pid_t requester_pid(void);

/* The user who asks. */
uid_t requester_uid(void);

/* What an answer is worth that is given for this requester. */
enum policy_trust requester_trust(void);

/* For how many seconds the PIN that logs this requester in counts for its first use of a key, too: 0 where each use needs a
 * PIN of its own (a program on another machine). */
unsigned requester_login_grace_s(const struct config *config);

/* A client that has changed, or whose executable has another name here than where it runs (another mount namespace), is
 * described as unknown, and a changed one's command is not told. */
void requester_describe(struct requester *requester);

#define REQUESTER_PROGRAM_MAX (PATH_MAX + 1) /* so that a path that was cut can be told */

/* The path of the requester's executable, for the rules of [app]. false, and program is "", when the kernel does not
 * tell a whole path from the root, the file is no longer there (proc(5): " (deleted)"), or the client is unknown as above. */
bool requester_program(char program[REQUESTER_PROGRAM_MAX]);

#endif
