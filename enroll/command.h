/*
 * command: runs another program for one line of what it prints.
 *
 * Owner: struct command_run is the caller's, from command_start until command_end. Thread rule: one thread.
 */
#ifndef PINWARD_ENROLL_COMMAND_H
#define PINWARD_ENROLL_COMMAND_H

#include <stdbool.h>
#include <sys/types.h>

#define COMMAND_LINE_MAX 256

struct command_run {
    pid_t pid;
    int out_fd; /* reads its stdout; its stdin is the tool's, and so is its stderr unless quiet */
};

/* Starts argv[0], a path or a name that is looked for in PATH. quiet: what it says on stderr is dropped. false: it cannot
 * be run, errno says why. */
bool command_start(char *const argv[], bool quiet, struct command_run *run);

/* Reads up to the end, a line's end, or timeout_s. Returns the length, -1 when there was no line in time. */
ssize_t command_read_line(const struct command_run *run, unsigned timeout_s, char line[COMMAND_LINE_MAX]);

/* Gives the program grace_ms to end by itself, then ends it, and reaps it. */
void command_end(struct command_run *run, int grace_ms);

#endif
