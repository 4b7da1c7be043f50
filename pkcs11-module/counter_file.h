/*
 * counter_file: two numbers in a small file of the user's: for what must be counted across processes.
 *
 * The file is one line of fixed length with a checksum. It appears whole (link(2)) and from then on is overwritten in
 * place by one write, so that a process killed at any moment leaves either the old numbers or the new ones.
 *
 * Locks are of open file descriptions (fcntl, F_OFD_SETLK): one that guards the record, held for moments only; and one
 * for each number that a process holds while it is busy with what the number stands for, which ends with the process.
 *
 * Owner: the caller's struct, from counter_file_open to counter_file_close. Thread rule: any thread; two that have each
 *   opened the file exclude each other as two processes do.
 */
#ifndef PINWARD_MODULE_COUNTER_FILE_H
#define PINWARD_MODULE_COUNTER_FILE_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"

struct counter_file {
    int fd;
    char path[PATH_MAX];
    uint64_t numbers[2]; /* as read; both 0 in a new file */
};

/* The path of the file called name in the user's state folder (common/state_folder.h), or, where the environment names
 * none or must not be asked (setuid), in ~/.local/state/pinward of the effective user's home in the user database.
 * false: there is none. */
bool counter_file_locate(const char *name, char path[PATH_MAX]);

/* Opens the file, locks its record and reads it. It is made when it is not there, with its folders. ERROR_IO when it
 * cannot be opened, locked within five seconds, or read, when it is damaged, and when others can write it. The sentence
 * names the file. */
enum error_code counter_file_open(const char *path, struct counter_file *file, struct error *err);

/* Writes file->numbers. ERROR_IO. */
enum error_code counter_file_save(struct counter_file *file, struct error *err);

/* Ends every lock. */
void counter_file_close(struct counter_file *file);

/* Holds a number, from now until the file is closed, and lets go of the record. ERROR_IO. */
enum error_code counter_file_hold(struct counter_file *file, uint64_t number, struct error *err);

/* Does anybody else hold it now? */
bool counter_file_is_held(const struct counter_file *file, uint64_t number);

/* Locks the record again after counter_file_hold, and reads it. ERROR_IO as counter_file_open. */
enum error_code counter_file_return(struct counter_file *file, struct error *err);

/* The sentence for a file whose numbers cannot be. Returns ERROR_IO. */
enum error_code counter_file_damaged(const char *path, struct error *err);

/* counter_file_open without making the file: ERROR_NONE, both numbers 0 and fd -1 when there is none; it may be closed
 * all the same. */
enum error_code counter_file_peek(const char *path, struct counter_file *file, struct error *err);

#endif
