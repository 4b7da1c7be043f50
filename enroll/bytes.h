/*
 * bytes: an owned run of bytes (DER, a nonce, an answer's body). Not for secrets: those are struct secret.
 *
 * Owner: whoever holds the struct; bytes_clear frees and empties it.
 * Thread rule: no shared state.
 */
#ifndef PINWARD_ENROLL_BYTES_H
#define PINWARD_ENROLL_BYTES_H

#include <stdbool.h>
#include <stddef.h>

struct bytes {
    unsigned char *data; /* a NUL follows the last byte; NULL when empty and never set */
    size_t len;
};

/* Replaces *b with a copy of data[0..len). false, with *b unchanged: no memory. */
bool bytes_set(struct bytes *b, const void *data, size_t len);

/* Appends; false, with *b unchanged: no memory. */
bool bytes_append(struct bytes *b, const void *data, size_t len);

bool bytes_equal(const struct bytes *a, const struct bytes *b);

/* Frees and empties; NULL-safe. */
void bytes_clear(struct bytes *b);

#endif
