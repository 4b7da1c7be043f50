#include "enroll/pfx.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/pkcs12.h>

#include "common/i18n.h"

/* How often the password is hashed for each try of somebody who has the file. .NET reads no more than 300000 unless it is
 * told to. Systems of the legacy form's time are slow, and read no more than some tens of thousands. */
#define PFX_MODERN_ITERATIONS 250000
#define PFX_LEGACY_ITERATIONS 10000

#define PFX_SECURE_HEAP  262144
#define PFX_SECURE_BLOCK 32

enum error_code pfx_protect(struct error *err)
{
    /* 1: on locked pages; 2: the heap is there and cannot be locked. */
    if (!CRYPTO_secure_malloc_initialized() && CRYPTO_secure_malloc_init(PFX_SECURE_HEAP, PFX_SECURE_BLOCK) != 1) {
        return error_set(err, ERROR_MEMORY,
                         _("Memory for a private key cannot be locked: raise the limit (ulimit -l) to 1024 or more."));
    }
    return ERROR_NONE;
}

enum error_code pfx_make(const struct pfx *pfx, const struct secret *password, enum pfx_protection protection,
                         struct bytes *file, struct error *err)
{
    const bool modern = protection == PFX_MODERN;
    const int iterations = modern ? PFX_MODERN_ITERATIONS : PFX_LEGACY_ITERATIONS;
    const int cipher = modern ? NID_aes_256_cbc : NID_pbe_WithSHA1And3_Key_TripleDES_CBC;
    const char *secret = secret_bytes(password);
    unsigned char *der = NULL;
    int len = 0;
    PKCS12 *p12;

    ERR_clear_error();
    /* The MAC is set afterwards: PKCS12_create gives it SHA-256 in either form. */
    p12 = PKCS12_create(secret, pfx->name, pfx->key, pfx->certificate, pfx->others, cipher, cipher, iterations, -1, 0);
    if (p12 && PKCS12_set_mac(p12, secret, -1, NULL, 0, iterations, modern ? EVP_sha256() : EVP_sha1()) == 1) {
        len = i2d_PKCS12(p12, &der);
    }
    PKCS12_free(p12);
    ERR_clear_error();
    if (len <= 0 || !bytes_set(file, der, (size_t)len)) {
        OPENSSL_free(der);
        return error_set(err, ERROR_INTERNAL, _("The PFX file could not be made."));
    }
    OPENSSL_free(der);
    return ERROR_NONE;
}

void pfx_clear(struct pfx *pfx)
{
    free(pfx->name);
    EVP_PKEY_free(pfx->key);
    X509_free(pfx->certificate);
    sk_X509_pop_free(pfx->others, X509_free);
    memset(pfx, 0, sizeof *pfx);
}
