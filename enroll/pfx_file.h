/*
 * pfx_file: files that the person names, for PFX and the like: read whole, written so that nothing that is there is ever
 * overwritten by mistake, and nothing half-written ever has the name.
 *
 * A file is staged beside its place (mode 0600, on disk), can be checked there, and then gets its name or is dropped.
 * Owner: struct pfx_file is the caller's until pfx_file_drop. Thread rule: no shared state.
 */
#ifndef PINWARD_ENROLL_PFX_FILE_H
#define PINWARD_ENROLL_PFX_FILE_H

#include <stdbool.h>

#include "common/error.h"
#include "enroll/bytes.h"

struct pfx_file {
    char *path;
    char *staged; /* NULL: nothing is staged */
};

/* A regular file of at most PFX_FILE_MAX bytes. */
enum error_code pfx_file_read(const char *path, struct bytes *file, struct error *err);

/* ERROR_IO when there is something, be it a link to nowhere, under this name. */
enum error_code pfx_file_check_absent(const char *path, struct error *err);

/* ERROR_IO when this is not a file itself: a link is never replaced, nor followed to what it points to. */
enum error_code pfx_file_check_replaceable(const char *path, struct error *err);

/* Writes the bytes beside path. *staged is the caller's to drop. */
enum error_code pfx_file_stage(const char *path, const struct bytes *bytes, struct pfx_file *staged, struct error *err);

/* Gives a staged file its name, which must be free (replace false) or be that of a regular file (replace true). */
enum error_code pfx_file_publish(struct pfx_file *staged, bool replace, struct error *err);

/* Removes what is staged and frees. After pfx_file_publish the file stays. */
void pfx_file_drop(struct pfx_file *staged);

/* Gives the folder `from` the name `to`, which must be free. */
enum error_code pfx_file_rename_folder(const char *from, const char *to, struct error *err);

#endif
