#include "enroll/pfx.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pkcs12.h>
#include <openssl/provider.h>

#include "common/i18n.h"
#include "enroll/text.h"

/* Whoever knows no password must not keep us busy; files of today have up to some hundred thousand. */
#define PFX_ITERATIONS_MAX 10000000
#define PFX_NESTED_MAX     8

/* What has been found in the file so far. */
struct pfx_content {
    OSSL_LIB_CTX *context; /* of our own: old files need ciphers of OpenSSL's legacy provider. What is found is in
                            * the default context and outlives it */
    const struct secret *password;
    unsigned keys;
    EVP_PKEY *key;
    char *name;
    STACK_OF(X509) * certificates;
};

static enum error_code pfx_wrong(struct error *err, const char *format, const char *path)
{
    return error_set(err, ERROR_PFX, format, path);
}

/* ------------------------------------------------------------------ the outside */

#define PFX_LENGTH_BYTES_MAX 4

/* Does the file begin as DER or BER does, with a SEQUENCE, and end before that does? Or even before it has said how long
 * it is: then OpenSSL, depending on its version, tells nothing but an error. */
static bool pfx_is_cut_off(const struct bytes *file)
{
    const unsigned char *p = file->data;
    int tag = 0;
    int class = 0;
    long len = 0;
    int form;
    size_t length_bytes;

    if (file->len < 2 || p[0] != (V_ASN1_SEQUENCE | V_ASN1_CONSTRUCTED)) {
        return false;
    }
    length_bytes = p[1] & 0x80 ? p[1] & 0x7f : 0; /* X.690, 8.1.3.5 */
    if (length_bytes <= PFX_LENGTH_BYTES_MAX && file->len <= 2 + length_bytes) {
        return true;
    }
    /* A length that goes beyond the end is reported with the form's highest bit, and an error. */
    form = ASN1_get_object(&p, &len, &tag, &class, (long)file->len);
    ERR_clear_error();
    return (form & 0x80) != 0 && len > (long)file->len - (p - file->data);
}

static enum error_code pfx_parse(OSSL_LIB_CTX *context, const struct bytes *file, const char *path, PKCS12 **p12,
                                 struct error *err)
{
    const unsigned char *at = file->data;
    PKCS12 *parsed = PKCS12_init_ex(NID_pkcs7_data, context, NULL);

    if (!parsed) {
        return error_set(err, ERROR_MEMORY, "%s", "");
    }
    if (pfx_is_cut_off(file)) {
        PKCS12_free(parsed);
        return pfx_wrong(err, _("%s is cut off: copy the whole file again."), path);
    }
    /* On failure the structure is freed. */
    if (!d2i_PKCS12(&parsed, &at, (long)file->len)) {
        return pfx_wrong(err, _("%s is not a PFX file (PKCS#12): choose the file that was exported."), path);
    }
    *p12 = parsed;
    return ERROR_NONE;
}

static enum error_code pfx_without_mac(struct error *err, const char *path)
{
    return pfx_wrong(err, _("%s is not protected by a password, so nothing shows that it is whole: export it again."),
                     path);
}

enum error_code pfx_look(const struct bytes *file, const char *path, struct error *err)
{
    PKCS12 *p12 = NULL;
    enum error_code status = pfx_parse(NULL, file, path, &p12, err);

    if (status == ERROR_NONE && PKCS12_mac_present(p12) != 1) {
        status = pfx_without_mac(err, path);
    }
    PKCS12_free(p12);
    ERR_clear_error();
    return status;
}

/* The MAC proves the password, and that nobody has changed the file who does not know it (RFC 7292, 5.1). */
static enum error_code pfx_check_mac(PKCS12 *p12, const struct secret *password, const char *path, struct error *err)
{
    const ASN1_INTEGER *iterations = NULL;

    if (PKCS12_mac_present(p12) != 1) {
        return pfx_without_mac(err, path);
    }
    PKCS12_get0_mac(NULL, NULL, NULL, &iterations, p12);
    if (iterations && (ASN1_INTEGER_get(iterations) < 1 || ASN1_INTEGER_get(iterations) > PFX_ITERATIONS_MAX)) {
        return pfx_wrong(err, _("%s is not a PFX file (PKCS#12): choose the file that was exported."), path);
    }
    ERR_clear_error();
    if (PKCS12_verify_mac(p12, secret_bytes(password), (int)secret_length(password)) == 1) {
        return ERROR_NONE;
    }
    if (ERR_GET_REASON(ERR_peek_last_error()) == PKCS12_R_MAC_VERIFY_FAILURE || ERR_peek_error() == 0) {
        return error_set(err, ERROR_LOGIN, _("The password of %s was wrong, so nothing was done."), path);
    }
    return pfx_wrong(err, _("%s is protected in a way that is not known here: export it again with another program."),
                     path);
}

/* ------------------------------------------------------------------ the inside */

static bool pfx_take_key(struct pfx_content *content, PKCS12_SAFEBAG *bag, const PKCS8_PRIV_KEY_INFO *info)
{
    content->keys++;
    if (content->key || !info) {
        return info != NULL;
    }
    content->key = EVP_PKCS82PKEY(info);
    if (!content->name) {
        char *name = PKCS12_get_friendlyname(bag);

        content->name = name ? text_clean(name, false) : NULL;
        OPENSSL_free(name);
    }
    return content->key != NULL;
}

static bool pfx_take_certificate(struct pfx_content *content, const PKCS12_SAFEBAG *bag)
{
    X509 *certificate;

    if (PKCS12_SAFEBAG_get_bag_nid(bag) != NID_x509Certificate) {
        return true; /* of no kind that belongs to a key here */
    }
    certificate = PKCS12_SAFEBAG_get1_cert(bag);
    if (certificate && sk_X509_push(content->certificates, certificate) > 0) {
        return true;
    }
    X509_free(certificate);
    return false;
}

static bool pfx_take_bags(struct pfx_content *content, const STACK_OF(PKCS12_SAFEBAG) * bags, int depth);

// NOLINTNEXTLINE(misc-no-recursion): not deeper than PFX_NESTED_MAX
static bool pfx_take_bag(struct pfx_content *content, PKCS12_SAFEBAG *bag, int depth)
{
    PKCS8_PRIV_KEY_INFO *info;
    bool ok;

    switch (PKCS12_SAFEBAG_get_nid(bag)) {
    case NID_keyBag:
        return pfx_take_key(content, bag, PKCS12_SAFEBAG_get0_p8inf(bag));
    case NID_pkcs8ShroudedKeyBag:
        info = PKCS12_decrypt_skey_ex(bag, secret_bytes(content->password), (int)secret_length(content->password),
                                      content->context, NULL);
        ok = pfx_take_key(content, bag, info);
        PKCS8_PRIV_KEY_INFO_free(info);
        return ok;
    case NID_certBag:
        return pfx_take_certificate(content, bag);
    case NID_safeContentsBag:
        return depth < PFX_NESTED_MAX && pfx_take_bags(content, PKCS12_SAFEBAG_get0_safes(bag), depth + 1);
    default:
        return true; /* revocation lists and secrets are no business of ours */
    }
}

// NOLINTNEXTLINE(misc-no-recursion): not deeper than PFX_NESTED_MAX
static bool pfx_take_bags(struct pfx_content *content, const STACK_OF(PKCS12_SAFEBAG) * bags, int depth)
{
    for (int i = 0; i < sk_PKCS12_SAFEBAG_num(bags); i++) {
        if (!pfx_take_bag(content, sk_PKCS12_SAFEBAG_value(bags, i), depth)) {
            return false;
        }
    }
    return true;
}

static STACK_OF(PKCS12_SAFEBAG) * pfx_open_safe(const struct pfx_content *content, PKCS7 *safe)
{
    switch (OBJ_obj2nid(safe->type)) {
    case NID_pkcs7_data:
        return PKCS12_unpack_p7data(safe);
    case NID_pkcs7_encrypted:
        return PKCS12_unpack_p7encdata(safe, secret_bytes(content->password), (int)secret_length(content->password));
    default:
        return NULL; /* enveloped to somebody's public key */
    }
}

static bool pfx_take_all(struct pfx_content *content, const PKCS12 *p12)
{
    STACK_OF(PKCS7) *safes = PKCS12_unpack_authsafes(p12);
    bool ok = safes != NULL;

    for (int i = 0; ok && i < sk_PKCS7_num(safes); i++) {
        STACK_OF(PKCS12_SAFEBAG) *bags = pfx_open_safe(content, sk_PKCS7_value(safes, i));

        ok = bags && pfx_take_bags(content, bags, 0);
        sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free);
    }
    sk_PKCS7_pop_free(safes, PKCS7_free);
    return ok;
}

/* ------------------------------------------------------------------ judging */

/* Takes the key's certificate out of the others; NULL: none belongs to it. */
static X509 *pfx_own_certificate(struct pfx_content *content)
{
    for (int i = 0; i < sk_X509_num(content->certificates); i++) {
        if (X509_check_private_key(sk_X509_value(content->certificates, i), content->key) == 1) {
            return sk_X509_delete(content->certificates, i);
        }
    }
    return NULL;
}

static enum error_code pfx_judge(struct pfx_content *content, const char *path, struct pfx *pfx, struct error *err)
{
    X509 *own;

    if (content->keys == 0) {
        return pfx_wrong(err, _("There is no private key in %s: export it again, with the key."), path);
    }
    if (content->keys > 1) {
        return pfx_wrong(err,
                         _("There is more than one private key in %s: export the signing key and the encryption key "
                           "each into a file of its own."),
                         path);
    }
    if (sk_X509_num(content->certificates) == 0) {
        return pfx_wrong(err, _("There is no certificate in %s: export it again, with the certificate."), path);
    }
    own = pfx_own_certificate(content);
    ERR_clear_error();
    if (!own) {
        return pfx_wrong(err, _("No certificate in %s belongs to the private key in it: export it again."), path);
    }
    *pfx = (struct pfx){content->name, content->key, own, content->certificates};
    content->name = NULL;
    content->key = NULL;
    content->certificates = NULL;
    return ERROR_NONE;
}

static enum error_code pfx_read_in(OSSL_LIB_CTX *context, const struct bytes *file, const char *path,
                                   const struct secret *password, struct pfx *pfx, struct error *err)
{
    struct pfx_content content = {.context = context, .password = password, .certificates = sk_X509_new_null()};
    PKCS12 *p12 = NULL;
    enum error_code status = content.certificates ? pfx_parse(context, file, path, &p12, err)
                                                  : error_set(err, ERROR_MEMORY, "%s", "");

    if (status == ERROR_NONE) {
        status = pfx_check_mac(p12, password, path, err);
    }
    if (status == ERROR_NONE && !pfx_take_all(&content, p12)) {
        status = pfx_wrong(
            err, _("%s is protected in a way that is not known here: export it again with another program."), path);
    }
    if (status == ERROR_NONE) {
        status = pfx_judge(&content, path, pfx, err);
    }
    PKCS12_free(p12);
    EVP_PKEY_free(content.key);
    free(content.name);
    sk_X509_pop_free(content.certificates, X509_free);
    return status;
}

enum error_code pfx_read(const struct bytes *file, const char *path, const struct secret *password, struct pfx *pfx,
                         struct error *err)
{
    OSSL_LIB_CTX *context = OSSL_LIB_CTX_new();
    OSSL_PROVIDER *standard = context ? OSSL_PROVIDER_load(context, "default") : NULL;
    OSSL_PROVIDER *legacy = standard ? OSSL_PROVIDER_try_load(context, "legacy", 1) : NULL;
    enum error_code status;

    /* Without the legacy provider only files with RC2 or single DES cannot be read. */
    ERR_clear_error();
    status = standard ? pfx_read_in(context, file, path, password, pfx, err)
                      : error_set(err, ERROR_MEMORY, _("OpenSSL cannot be set up."));
    OSSL_PROVIDER_unload(legacy);
    OSSL_PROVIDER_unload(standard);
    OSSL_LIB_CTX_free(context);
    ERR_clear_error();
    return status;
}
