#include "enroll/wipealloc.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>
#include <jansson.h>

#include "common/secret.h"

static void wipealloc_free(void *p)
{
    if (p) {
        secret_wipe(p, malloc_usable_size(p));
        free(p);
    }
}

/* realloc would leave the old bytes behind when it moves them. */
static void *wipealloc_realloc(void *p, size_t size)
{
    void *grown = malloc(size);

    if (grown && p) {
        size_t old = malloc_usable_size(p);

        memcpy(grown, p, old < size ? old : size);
        wipealloc_free(p);
    }
    return grown;
}

bool wipealloc_install(void)
{
    json_set_alloc_funcs(malloc, wipealloc_free);
    return curl_global_init_mem(CURL_GLOBAL_DEFAULT, malloc, wipealloc_free, wipealloc_realloc, strdup,
                                calloc) == CURLE_OK;
}
