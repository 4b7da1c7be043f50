/*
 * folder: a folder of its own for each test program, below the build folder, and small files in it.
 *
 * Owner: the caller's buffer holds the path; folder_remove takes it away with all that is in it.
 * Thread rule: any thread; files are written whole. A failure ends the test.
 */
#ifndef PINWARD_TESTS_FOLDER_H
#define PINWARD_TESTS_FOLDER_H

#include <stddef.h>

#define FOLDER_PATH_MAX 256

/* Makes a new folder. */
void folder_make(char folder[FOLDER_PATH_MAX]);
void folder_remove(const char *folder);

/* folder + "/" + name, in a buffer of FOLDER_PATH_MAX. Returns path. */
const char *folder_path(const char *folder, const char *name, char path[FOLDER_PATH_MAX]);

/* Writes text (mode 0600) to folder/name, replacing what was there. */
void folder_write(const char *folder, const char *name, const char *text);

/* The contents of folder/name, NUL-terminated, on the heap; "" when there is no such file. */
char *folder_read(const char *folder, const char *name);

/* Removes folder/name; not being there is no failure. */
void folder_unlink(const char *folder, const char *name);

#endif
