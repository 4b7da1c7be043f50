/*
 * assuan_memory: libassuan's memory as locked memory, since its line buffers carry the PIN.
 *
 * Owner: libassuan, through its malloc hooks. Thread rule: any thread.
 */
#ifndef PINWARD_COMMON_ASSUAN_MEMORY_H
#define PINWARD_COMMON_ASSUAN_MEMORY_H

#include <stddef.h>

/* malloc, realloc and free on libsodium's guarded, locked blocks; every block is wiped when it is freed. */
void *assuan_memory_malloc(size_t size);
void *assuan_memory_realloc(void *block, size_t size);
void assuan_memory_free(void *block);

#define ASSUAN_MEMORY_HOOKS                                                                                  \
    {                                                                                                        \
        assuan_memory_malloc, assuan_memory_realloc, assuan_memory_free                                      \
    }

#endif
