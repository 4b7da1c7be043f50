/*
 * memory_file: a file that is nowhere but in memory (memfd_create(2)), for a library that reads from a
 * descriptor what this process has, or writes to one what this process wants.
 *
 * Owner: struct memory_file is the caller's, from memory_file_open to memory_file_close, which wipes it.
 * Thread rule: one thread at a time.
 */
#ifndef PINWARD_AGENT_MEMORY_FILE_H
#define PINWARD_AGENT_MEMORY_FILE_H

#include <stdbool.h>
#include <stddef.h>

struct memory_file {
    int fd;               /* -1: not open */
    unsigned char *bytes; /* of the file, as far as it is mapped */
    size_t mapped;
};

bool memory_file_open(struct memory_file *file);
void memory_file_close(struct memory_file *file);

/* The file is as long as that, its offset at the start, and bytes are as many. What was in it is undefined.
 * false: there is no memory, and the file is as it was or has some other length. */
bool memory_file_set(struct memory_file *file, size_t size);

/* For a writer: the offset is at the start. */
bool memory_file_rewind(struct memory_file *file);

/* What was written since: bytes are as many. */
bool memory_file_written(struct memory_file *file, size_t *size);

/* Overwrites the first bytes, and gives back what is more than a common message needs. */
void memory_file_wipe(struct memory_file *file, size_t size);

#endif
