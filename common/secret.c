#include "common/secret.h"

#include <errno.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SECRET_STACK_BYTES     65536
#define SECRET_REGISTERS_BYTES 512 /* eight of 64 bytes, the widest there are */

/* Header and bytes share one sodium_malloc block, so that sealing the block hides the length too. */
struct secret {
    size_t capacity;
    size_t length;
    char bytes[]; /* capacity + 1, always NUL-terminated */
};

/* sodium_malloc puts a block against its guard page: the size must keep the header aligned. */
static size_t secret_block_size(size_t capacity)
{
    const size_t align = _Alignof(max_align_t);

    return (sizeof(struct secret) + capacity + 1 + align - 1) / align * align;
}

/* A forked child must not carry a PIN it never asked for: its copy of the pages reads as zero. */
static bool secret_keep_from_children(void *block, size_t size)
{
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    const uintptr_t first = (uintptr_t)block & ~(page - 1);
    const uintptr_t end = ((uintptr_t)block + size + page - 1) & ~(page - 1);

    return madvise((void *)first, end - first, MADV_WIPEONFORK) == 0; // NOLINT(performance-no-int-to-ptr)
}

bool secret_protect_block(void *block, size_t size)
{
    /* sodium_malloc goes on when mlock fails; a PIN that could reach the swap is not acceptable here. */
    return sodium_mlock(block, size) == 0 && secret_keep_from_children(block, size);
}

bool secret_ready(void)
{
    static atomic_bool ready;

    if (!atomic_load(&ready) && sodium_init() >= 0)
        atomic_store(&ready, true);
    return atomic_load(&ready);
}

struct secret *secret_new(size_t capacity)
{
    struct secret *s;
    size_t size;

    if (capacity == 0 || capacity > SECRET_CAPACITY_MAX || !secret_ready())
        return NULL;
    size = secret_block_size(capacity);
    s = sodium_malloc(size);
    if (!s)
        return NULL;
    if (!secret_protect_block(s, size)) {
        sodium_free(s);
        return NULL;
    }
    s->capacity = capacity;
    s->length = 0;
    memset(s->bytes, 0, capacity + 1);
    return s;
}

struct secret *secret_from(const void *data, size_t len)
{
    struct secret *s = secret_new(len ? len : 1);

    if (s)
        secret_append(s, data, len);
    return s;
}

struct secret *secret_copy(const struct secret *s)
{
    struct secret *copy = secret_new(s->capacity);

    if (copy)
        secret_append(copy, s->bytes, s->length);
    return copy;
}

/* Zeros, which no capacity is: the page was wiped in a forked child, and with it the canary that sodium_free would
 * end the process for. The child leaves the empty page where it is. */
static bool secret_is_parents(const struct secret *s)
{
    return s->capacity == 0;
}

void secret_free(struct secret **s)
{
    if (s && *s) {
        secret_unseal(*s);
        if (!secret_is_parents(*s))
            sodium_free(*s); /* wipes */
        *s = NULL;
    }
}

void secret_clear(struct secret *s)
{
    sodium_memzero(s->bytes, s->capacity + 1);
    s->length = 0;
}

bool secret_append(struct secret *s, const void *data, size_t len)
{
    if (len > s->capacity - s->length)
        return false;
    if (len)
        memcpy(s->bytes + s->length, data, len);
    s->length += len;
    s->bytes[s->length] = '\0';
    return true;
}

const char *secret_bytes(const struct secret *s)
{
    return s->bytes;
}

size_t secret_length(const struct secret *s)
{
    return s->length;
}

bool secret_equal(const struct secret *a, const struct secret *b)
{
    return a->length == b->length && sodium_memcmp(a->bytes, b->bytes, a->length) == 0;
}

void secret_seal(struct secret *s)
{
    sodium_mprotect_noaccess(s);
}

void secret_unseal(struct secret *s)
{
    sodium_mprotect_readwrite(s);
}

void secret_wipe(void *data, size_t len)
{
    sodium_memzero(data, len);
}

/* memcpy moves short blocks through as many registers as they fill, at most eight, and leaves the text in them; whatever
 * saves the registers next (the dynamic linker's binding of a function, a core) brings it into memory. */
static void secret_wipe_registers(void)
{
    static const char zeros[SECRET_REGISTERS_BYTES];
    char moved[SECRET_REGISTERS_BYTES];

    for (volatile size_t len = 1; len <= sizeof zeros; len *= 2) { /* volatile: the library's memcpy, not the compiler's */
        memcpy(moved, zeros, len);
        secret_wipe(moved, sizeof moved);
    }
}

void secret_wipe_traces(void)
{
    secret_wipe_registers();
    sodium_stackzero(SECRET_STACK_BYTES);
}
