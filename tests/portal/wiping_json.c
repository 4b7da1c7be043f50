#include "wiping_json.h"

#include <jansson.h>
#include <stddef.h>
#include <stdlib.h>

#include "common/secret.h"

/* The size is kept before the bytes that jansson gets. */
struct block {
    size_t size;
    max_align_t bytes[];
};

static void *block_new(size_t size)
{
    struct block *block = malloc(sizeof(*block) + size);

    if (block == NULL)
        return NULL;
    block->size = size;
    // cppcheck-suppress memleak; block_free finds it from these
    return block->bytes;
}

static void block_free(void *bytes)
{
    struct block *block;

    if (bytes == NULL)
        return;
    block = (struct block *)((char *)bytes - offsetof(struct block, bytes));
    secret_wipe(bytes, block->size);
    free(block);
}

void wiping_json_install(void)
{
    json_set_alloc_funcs(block_new, block_free);
}
