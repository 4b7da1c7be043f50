/*
 * requester: the program that asks for a key: this process, as the kernel describes it.
 *
 * Owner: the caller's struct. Thread rule: any thread.
 */
#ifndef PINWARD_MODULE_REQUESTER_H
#define PINWARD_MODULE_REQUESTER_H

#include <sys/types.h>

#define REQUESTER_PATH_MAX    256
#define REQUESTER_COMMAND_MAX 256

struct requester {
    pid_t pid;
    char path[REQUESTER_PATH_MAX];       /* of the executable; "?" when the kernel does not tell */
    char command[REQUESTER_COMMAND_MAX]; /* arguments with blanks between; control characters as '?'; cut */
};

void requester_describe(struct requester *requester);

#endif
