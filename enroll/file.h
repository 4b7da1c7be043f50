/*
 * file: small private files of the tool's state: read whole, written so that a crash leaves the old or the
 * new one.
 *
 * Owner: what is read is the caller's. Thread rule: no shared state; two processes that write the same file
 * take turns.
 */
#ifndef PINWARD_ENROLL_FILE_H
#define PINWARD_ENROLL_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"
#include "enroll/bytes.h"

/* $XDG_STATE_HOME/pinward (else ~/.local/state/pinward), made with mode 0700 when missing. *path is a new
 * string. */
enum error_code file_state_folder(char **path, struct error *err);

/* "folder/name" as a new string; NULL: no memory. */
char *file_join(const char *folder, const char *name);

/* Reads a regular file of at most max bytes. *found is false, and *out untouched, when there is none. A file
 * that others than its owner may read or write, or that another user owns, is refused: it was not written by
 * us. */
enum error_code file_read_private(const char *path, size_t max, bool *found, struct bytes *out,
                                  struct error *err);

/* Writes path with mode 0600: a temporary file beside it, fsync, rename, fsync of the folder. */
enum error_code file_write_private(const char *path, const void *data, size_t len, struct error *err);

/* The rest of an open file, of at most max bytes; path is for the sentence. */
enum error_code file_read_all(int fd, const char *path, size_t max, struct bytes *out, struct error *err);

/* All of it, however often the system interrupts. */
bool file_write_all(int fd, const void *bytes, size_t len);

/* A rename is durable only when the folder that holds the name is. */
bool file_sync_folder(const char *path);

/* Removes path durably; nothing there is success. */
enum error_code file_remove(const char *path, struct error *err);

#endif
