/*
 * secret_file: a password out of a file, for scripts: --password-file and its fellows.
 *
 * The file must be a regular file that belongs to the user and that nobody else may read or write (mode 0600
 * or 0400): any other is refused, since a password in it would be no secret. Owner: the secret is the
 * caller's. Thread rule: no shared state.
 */
#ifndef PINWARD_ENROLL_SECRET_FILE_H
#define PINWARD_ENROLL_SECRET_FILE_H

#include "common/error.h"
#include "common/secret.h"

/* The file's only line, without its line end. ERROR_IO: it cannot be read, or is not private; ERROR_USAGE: it
 * is empty, or more than a line. */
enum error_code secret_file_read(const char *path, struct secret **secret, struct error *err);

#endif
