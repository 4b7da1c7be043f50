/*
 * fuzz: what the fuzz targets have in common. A target is one file with one LLVMFuzzerTestOneInput, which feeds its input
 * to one parser, or plays it as a sequence of calls, and holds what must always be true with fuzz_require.
 *
 * The fuzz preset links it with libFuzzer (./dev fuzz), every other one with replay.c: then it is a test that runs the
 * inputs of corpus/.
 * Owner: memory of fuzz_file is this file's, until its next call. Thread rule: one thread.
 */
#ifndef PINWARD_TESTS_FUZZ_H
#define PINWARD_TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* libFuzzer's entry: the target. Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is left of an input that is taken apart. */
struct fuzz_input {
    const uint8_t *data;
    size_t left;
};

/* The next byte; 0 when there is none left. */
uint8_t fuzz_byte(struct fuzz_input *input);

/* The next bytes, at most max; *len: how many. */
const uint8_t *fuzz_bytes(struct fuzz_input *input, size_t max, size_t *len);

/* Everything up to the next NUL, or to the end: on the heap, for the caller to free. */
char *fuzz_text(struct fuzz_input *input);

/* Ends the program with the sentence unless it holds: a violation is found like a crash is. */
void fuzz_require(bool holds, const char *what);

/* The path of a file of memory with these bytes, readable and writable by its owner only. The same path each time. */
const char *fuzz_file(const void *data, size_t len);

/* Is the text among the bytes? */
bool fuzz_contains(const void *data, size_t len, const char *text);

/* A PIN or password of the world under test: no sentence, log or file may hold it. */
#define FUZZ_SECRET     "s3cret-4711"
#define FUZZ_NEW_SECRET "n3w-secret-0815" /* one that is to take its place */

#endif
