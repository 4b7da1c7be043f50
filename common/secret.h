/*
 * secret: the one type for every PIN and password.
 *
 * Purpose: an owned buffer of fixed capacity in locked memory between guard pages (libsodium), left out of
 *   core dumps and not inherited by a forked child; wiped whole when it is cleared or freed.
 * Owner: whoever holds the pointer; secret_free takes the address of the pointer and sets it to NULL.
 * Thread rule: one thread at a time for each secret.
 * Never realloc, print or copy a secret's bytes anywhere but into another secret, a KDF, or the call that needs
 * them.
 */
#ifndef PINWARD_COMMON_SECRET_H
#define PINWARD_COMMON_SECRET_H

#include <stdbool.h>
#include <stddef.h>

struct secret;

#define SECRET_CAPACITY_MAX 4096

/* libsodium may be used: what sodium_init says, which is called until it has once gone well and never again. It takes a
 * lock whenever it is called, and a child forked while another thread had it would wait for ever. Any thread. */
bool secret_ready(void);

/* A new, empty secret that can hold capacity bytes (1 to SECRET_CAPACITY_MAX) and a terminating NUL behind
 * them. NULL: no memory, or memory cannot be locked. */
struct secret *secret_new(size_t capacity);

/* A new secret holding a copy of data[0..len). NULL as above. data stays the caller's to wipe. */
struct secret *secret_from(const void *data, size_t len);

/* A new secret with the same bytes and capacity as s. NULL as above. */
struct secret *secret_copy(const struct secret *s);

/* Wipes and frees *s and sets it to NULL. s and *s may be NULL. */
void secret_free(struct secret **s);

/* Wipes the bytes; the length becomes 0, the capacity stays. */
void secret_clear(struct secret *s);

/* Appends data; false, with s unchanged, when it does not fit. */
bool secret_append(struct secret *s, const void *data, size_t len);

/* The bytes, with a NUL behind the last; valid until s is changed or freed. The NUL lets a PIN or password go to
 * an API that takes a string; it is not counted. Never NULL for a valid s. */
const char *secret_bytes(const struct secret *s);
size_t secret_length(const struct secret *s);

/* Equality in constant time for equal lengths. */
bool secret_equal(const struct secret *a, const struct secret *b);

/* While a secret only waits (a lease), no code may read it: seal makes its pages inaccessible, unseal readable
 * and writable again. Calls do not nest. A sealed secret may only be unsealed or freed. */
void secret_seal(struct secret *s);
void secret_unseal(struct secret *s);

/* Makes a block of libsodium's (sodium_malloc) fit for a secret: surely locked, and zero in a forked child. false: it
 * cannot be; the block is then to be freed. For libraries' buffers that a secret passes through. */
bool secret_protect_block(void *block, size_t size);

/* Wipes memory that is not a struct secret (a struct that held a length, a library's buffer). */
void secret_wipe(void *data, size_t len);

/* Wipes what functions that have returned left below on the stack of the calling thread, which must have 128 KiB of it,
 * and in its vector registers. */
void secret_wipe_traces(void);

#endif
