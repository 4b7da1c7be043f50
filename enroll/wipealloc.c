#include "enroll/wipealloc.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>
#include <jansson.h>
#include <openssl/crypto.h>

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

/* OpenSSL's own code wipes most of what holds a secret before it frees it, and forgets some: the password in UTF-16 of
 * PKCS#12's key derivation, the private key on its way into PKCS#8. Its functions also take 0 and NULL for what they are
 * elsewhere (OPENSSL_malloc(3)). */
static void *wipealloc_crypto_malloc(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return size > 0 ? malloc(size) : NULL;
}

static void wipealloc_crypto_free(void *p, const char *file, int line)
{
    (void)file;
    (void)line;
    wipealloc_free(p);
}

static void *wipealloc_crypto_realloc(void *p, size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    if (size == 0) {
        wipealloc_free(p);
        return NULL;
    }
    return wipealloc_realloc(p, size);
}

bool wipealloc_install(void)
{
    json_set_alloc_funcs(malloc, wipealloc_free);
    /* Before libcurl, which begins with OpenSSL. */
    if (CRYPTO_set_mem_functions(wipealloc_crypto_malloc, wipealloc_crypto_realloc, wipealloc_crypto_free) != 1) {
        return false;
    }
    return curl_global_init_mem(CURL_GLOBAL_DEFAULT, malloc, wipealloc_free, wipealloc_realloc, strdup,
                                calloc) == CURLE_OK;
}
