#include "common/assuan_memory.h"

#include <sodium.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/secret.h"

/* sodium_malloc does not tell a block's size, and realloc must know it: it stands in front. */
#define HEAD _Alignof(max_align_t)

void *assuan_memory_malloc(size_t size)
{
    unsigned char *block;
    size_t padded;

    if (!secret_ready() || size > SIZE_MAX / 2)
        return NULL;
    padded = (HEAD + size + HEAD - 1) / HEAD * HEAD;
    block = sodium_malloc(padded);
    if (!block)
        return NULL;
    if (!secret_protect_block(block, padded)) {
        sodium_free(block);
        return NULL;
    }
    memcpy(block, &size, sizeof size);
    return block + HEAD;
}

void *assuan_memory_realloc(void *block, size_t size)
{
    void *moved = assuan_memory_malloc(size);
    size_t old_size;

    if (!moved || !block)
        return moved;
    memcpy(&old_size, (unsigned char *)block - HEAD, sizeof old_size);
    memcpy(moved, block, old_size < size ? old_size : size);
    assuan_memory_free(block);
    return moved;
}

void assuan_memory_free(void *block)
{
    if (block)
        sodium_free((unsigned char *)block - HEAD);
}
