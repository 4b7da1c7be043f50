/*
 * requester: the program that asks for a key: this process, as the kernel describes it.
 *
 * Owner: the caller's struct. Thread rule: any thread.
 */
#ifndef PINWARD_MODULE_REQUESTER_H
#define PINWARD_MODULE_REQUESTER_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#define REQUESTER_PATH_MAX    256
#define REQUESTER_COMMAND_MAX 256

struct requester {
    pid_t pid;
    char path[REQUESTER_PATH_MAX];       /* of the executable; "?" when the kernel does not tell */
    char command[REQUESTER_COMMAND_MAX]; /* arguments with blanks between; control characters as '?'; cut */
};

void requester_describe(struct requester *requester);

#define REQUESTER_PROGRAM_MAX (PATH_MAX + 1) /* so that a path that was cut can be told */

/* The path of this process's executable, for the rules of [app]. false, and program is "", when the kernel does not
 * tell a whole path from the root, or the file is no longer there (proc(5): " (deleted)"). */
bool requester_program(char program[REQUESTER_PROGRAM_MAX]);

#endif
