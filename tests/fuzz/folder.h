/*
 * folder: a folder of files for one run of a target, gone when the program ends.
 *
 * Owner: kept here. Thread rule: one thread.
 */
#ifndef PINWARD_TESTS_FUZZ_FOLDER_H
#define PINWARD_TESTS_FUZZ_FOLDER_H

#define FUZZ_PATH_MAX 256

/* The folder, made at the first call, below $TMPDIR. */
const char *fuzz_folder(void);

/* Removes what is in it, three levels of folders deep. */
void fuzz_folder_empty(void);

#endif
