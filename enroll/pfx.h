/*
 * pfx: a private key with its certificate in a file that a password protects (PKCS#12, RFC 7292).
 *
 * Files: pfx.c (making), pfx_read.c (reading). What is read is checked whole before anything of it is used: exactly one
 * private key, the certificate that belongs to it, and other certificates.
 * Owner: struct pfx is the caller's; its private key is in memory until pfx_clear, on locked pages once pfx_protect was
 * called. Thread rule: one thread.
 */
#ifndef PINWARD_ENROLL_PFX_H
#define PINWARD_ENROLL_PFX_H

#include <stdbool.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "common/error.h"
#include "common/secret.h"
#include "enroll/bytes.h"

struct pfx {
    char *name; /* friendlyName; NULL: none */
    EVP_PKEY *key;
    X509 *certificate;
    STACK_OF(X509) * others; /* of the chain; may be NULL */
};

enum pfx_protection {
    PFX_MODERN, /* PBES2 with PBKDF2 (HMAC-SHA-256) and AES-256-CBC, MAC with SHA-256 */
    PFX_LEGACY, /* triple DES and SHA-1 (RFC 7292, appendix B): Windows before 10 and macOS before 10.15 read no other */
};

#define PFX_FILE_MAX 1048576

/* OpenSSL keeps the private parts of keys on locked pages from now on. ERROR_MEMORY: it cannot. */
enum error_code pfx_protect(struct error *err);

/* The file's bytes. */
enum error_code pfx_make(const struct pfx *pfx, const struct secret *password, enum pfx_protection protection,
                         struct bytes *file, struct error *err);

/* Is it a PFX file, as far as can be said without its password? ERROR_PFX. */
enum error_code pfx_look(const struct bytes *file, const char *path, struct error *err);

/* path: for the sentences. ERROR_PFX: what is wrong with the file; ERROR_LOGIN: the password is wrong. */
enum error_code pfx_read(const struct bytes *file, const char *path, const struct secret *password, struct pfx *pfx,
                         struct error *err);

void pfx_clear(struct pfx *pfx);

#endif
