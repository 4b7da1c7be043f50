#include "ca_create.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"

#define ROOT_DAYS    (20 * 365 + 5)
#define ISSUING_DAYS (10 * 365 + 2)
#define TLS_DAYS     (10 * 365)

struct pair {
    X509 *certificate;
    EVP_PKEY *key;
};

static void pair_clear(struct pair *pair)
{
    X509_free(pair->certificate);
    EVP_PKEY_free(pair->key);
    *pair = (struct pair){NULL, NULL};
}

static X509_NAME *make_name(const struct ca_names *names, const char *suffix)
{
    X509_NAME *name = X509_NAME_new();
    int ok = name != NULL;
    char common_name[128];

    ok = ok &&
         snprintf(common_name, sizeof(common_name), "%s %s", names->name, suffix) < (int)sizeof(common_name);
    ok = ok && X509_NAME_add_entry_by_NID(name, NID_countryName, MBSTRING_UTF8,
                                          (const unsigned char *)names->country, -1, -1, 0);
    ok = ok && X509_NAME_add_entry_by_NID(name, NID_organizationName, MBSTRING_UTF8,
                                          (const unsigned char *)names->organization, -1, -1, 0);
    ok = ok && X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8,
                                          (const unsigned char *)common_name, -1, -1, 0);
    if (ok)
        return name;
    X509_NAME_free(name);
    return NULL;
}

/* A row of the CA's own certificates: everything that differs between them. */
struct recipe {
    const char *suffix;
    const char *curve;
    int days;
    const char *basic_constraints;
    const char *key_usage;
    const char *extended_key_usage; /* NULL: none */
    const char *alt_name;           /* NULL: none */
};

static const struct recipe root_recipe = {
    "Root CA", "P-384", ROOT_DAYS, "critical,CA:TRUE", "critical,keyCertSign,cRLSign", NULL, NULL,
};
static const struct recipe issuing_recipe = {
    "Issuing CA", "P-384", ISSUING_DAYS, "critical,CA:TRUE,pathlen:0", "critical,keyCertSign,cRLSign",
    NULL,         NULL,
};
static const struct recipe tls_recipe = {
    "Portal",
    "P-256",
    TLS_DAYS,
    "critical,CA:FALSE",
    "critical,digitalSignature",
    "serverAuth",
    "DNS:localhost,IP:127.0.0.1,IP:::1",
};

static bool add_extensions(X509 *certificate, X509 *issuer, const struct recipe *recipe)
{
    return ca_extension_add(certificate, issuer, NID_basic_constraints, recipe->basic_constraints) &&
           ca_extension_add(certificate, issuer, NID_key_usage, recipe->key_usage) &&
           ca_extension_add(certificate, issuer, NID_subject_key_identifier, "hash") &&
           /* A self-signed root needs none (RFC 5280 section 4.2.1.1), and its own is not there to be read
              yet. */
           (certificate == issuer ||
            ca_extension_add(certificate, issuer, NID_authority_key_identifier, "keyid:always")) &&
           (recipe->extended_key_usage == NULL ||
            ca_extension_add(certificate, issuer, NID_ext_key_usage, recipe->extended_key_usage)) &&
           (recipe->alt_name == NULL ||
            ca_extension_add(certificate, issuer, NID_subject_alt_name, recipe->alt_name));
}

/* issuer NULL: self-signed. */
static enum error_code make_pair(const struct recipe *recipe, const struct ca_names *names,
                                 const struct pair *issuer, int64_t now_s, struct pair *pair,
                                 struct error *err)
{
    struct pair made = {X509_new(), EVP_EC_gen(recipe->curve)};
    const struct pair *by = issuer == NULL ? &made : issuer;
    X509_NAME *name = make_name(names, recipe->suffix);
    enum error_code status = ERROR_NONE;

    if (made.certificate == NULL || made.key == NULL || name == NULL ||
        !ca_certificate_start(made.certificate,
                              issuer == NULL ? name : X509_get_subject_name(by->certificate), name, made.key,
                              now_s, now_s + (int64_t)recipe->days * CLOCK_DAY_S) ||
        !add_extensions(made.certificate, by->certificate, recipe) ||
        X509_sign(made.certificate, by->key, EVP_sha384()) == 0) {
        ERR_clear_error();
        pair_clear(&made);
        status =
            error_set(err, ERROR_USAGE,
                      "The CA's certificates cannot be made; give a two-letter country and shorter names.");
    } else {
        *pair = made;
    }
    X509_NAME_free(name);
    return status;
}

static enum error_code write_file(const char *data_dir, const char *name, mode_t mode, X509 *certificate,
                                  EVP_PKEY *key, struct error *err)
{
    char path[4096];
    FILE *file = NULL;
    bool ok = false;
    int fd;

    snprintf(path, sizeof(path), "%s/%s", data_dir, name);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd >= 0)
        file = fdopen(fd, "w");
    if (file != NULL) {
        ok = certificate != NULL ? PEM_write_X509(file, certificate) == 1
                                 : PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) == 1;
        ok = fflush(file) == 0 && fsync(fd) == 0 && ok;
        fclose(file);
    }
    if (!ok)
        return error_set(err, ERROR_IO,
                         "%s cannot be written; choose a folder that is yours and has no CA yet.", path);
    return ERROR_NONE;
}

static enum error_code write_pair(const char *data_dir, const char *certificate_name, const char *key_name,
                                  const struct pair *pair, struct error *err)
{
    enum error_code status = write_file(data_dir, key_name, 0600, NULL, pair->key, err);

    if (status != ERROR_NONE)
        return status;
    return write_file(data_dir, certificate_name, 0644, pair->certificate, NULL, err);
}

enum error_code ca_create(const char *data_dir, const struct ca_names *names, int64_t now_s,
                          struct error *err)
{
    struct pair root = {NULL, NULL}, issuing = {NULL, NULL}, tls = {NULL, NULL};
    enum error_code status = make_pair(&root_recipe, names, NULL, now_s, &root, err);

    if (status == ERROR_NONE)
        status = make_pair(&issuing_recipe, names, &root, now_s, &issuing, err);
    if (status == ERROR_NONE)
        status = make_pair(&tls_recipe, names, &root, now_s, &tls, err);
    if (status == ERROR_NONE)
        status = write_pair(data_dir, "root.pem", "root.key", &root, err);
    if (status == ERROR_NONE)
        status = write_pair(data_dir, "issuing.pem", "issuing.key", &issuing, err);
    if (status == ERROR_NONE)
        status = write_pair(data_dir, "tls.pem", "tls.key", &tls, err);
    pair_clear(&root);
    pair_clear(&issuing);
    pair_clear(&tls);
    return status;
}
