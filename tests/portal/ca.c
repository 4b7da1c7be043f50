#include "ca.h"

#include <ctype.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "key_profile.h"

static FILE *open_in(const char *data_dir, const char *name)
{
    char path[4096];

    if (snprintf(path, sizeof(path), "%s/%s", data_dir, name) >= (int)sizeof(path))
        return NULL;
    return fopen(path, "re");
}

static X509 *read_certificate(const char *data_dir, const char *name)
{
    FILE *file = open_in(data_dir, name);
    X509 *certificate = NULL;

    if (file == NULL)
        return NULL;
    certificate = PEM_read_X509(file, NULL, NULL, NULL);
    fclose(file);
    return certificate;
}

static EVP_PKEY *read_key(const char *data_dir, const char *name)
{
    FILE *file = open_in(data_dir, name);
    EVP_PKEY *key = NULL;

    if (file == NULL)
        return NULL;
    key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
    fclose(file);
    return key;
}

enum error_code ca_open(const char *data_dir, struct ca **ca, struct error *err)
{
    struct ca *new_ca = calloc(1, sizeof(*new_ca));

    if (new_ca == NULL)
        return error_set(err, ERROR_MEMORY, "There is no memory to open the CA.");
    new_ca->root = read_certificate(data_dir, "root.pem");
    new_ca->issuing = read_certificate(data_dir, "issuing.pem");
    new_ca->issuing_key = read_key(data_dir, "issuing.key");
    if (new_ca->root == NULL || new_ca->issuing == NULL || new_ca->issuing_key == NULL ||
        X509_check_private_key(new_ca->issuing, new_ca->issuing_key) != 1) {
        ERR_clear_error();
        ca_close(&new_ca);
        return error_set(err, ERROR_IO,
                         "The CA's files in %s are missing or damaged; run \"pinward-portal-admin init\".",
                         data_dir);
    }
    *ca = new_ca;
    return ERROR_NONE;
}

void ca_close(struct ca **ca)
{
    if (ca == NULL || *ca == NULL)
        return;
    X509_free((*ca)->root);
    X509_free((*ca)->issuing);
    EVP_PKEY_free((*ca)->issuing_key);
    free(*ca);
    *ca = NULL;
}

bool ca_serial_text(const X509 *certificate, char out[SERIAL_SIZE])
{
    BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), NULL);
    char *hex = number == NULL ? NULL : BN_bn2hex(number);
    bool ok = hex != NULL && strlen(hex) < SERIAL_SIZE;

    for (size_t i = 0; ok && i <= strlen(hex); i++)
        out[i] = (char)tolower((unsigned char)hex[i]);
    OPENSSL_free(hex);
    BN_free(number);
    return ok;
}

/* A positive number of 17 octets that starts with the digit 1, so that its hex form has no leading zero to
 * dispute, and carries 132 random bits (RFC 5280 section 4.1.2.2 allows 20 octets). */
static bool set_random_serial(X509 *certificate)
{
    BIGNUM *number = BN_new();
    bool ok = number != NULL && BN_rand(number, 133, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
              BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != NULL;

    BN_free(number);
    return ok;
}

bool ca_certificate_start(X509 *certificate, const X509_NAME *issuer, const X509_NAME *subject, EVP_PKEY *key,
                          int64_t not_before, int64_t not_after)
{
    return X509_set_version(certificate, X509_VERSION_3) == 1 && set_random_serial(certificate) &&
           X509_set_issuer_name(certificate, issuer) == 1 &&
           X509_set_subject_name(certificate, subject) == 1 && X509_set_pubkey(certificate, key) == 1 &&
           ASN1_TIME_set(X509_getm_notBefore(certificate), (time_t)not_before) != NULL &&
           ASN1_TIME_set(X509_getm_notAfter(certificate), (time_t)not_after) != NULL;
}

bool ca_extension_add(X509 *certificate, X509 *issuer, int nid, const char *text)
{
    X509_EXTENSION *extension;
    X509V3_CTX context;
    bool ok;

    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    extension = X509V3_EXT_conf_nid(NULL, &context, nid, text);
    ok = extension != NULL && X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return ok;
}

/* Built by hand, not from a text, so that no address can be taken for syntax. */
static bool add_email(X509 *certificate, const char *email)
{
    GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
    GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_IA5STRING *value = ASN1_IA5STRING_new();
    bool ok = false;

    if (names == NULL || name == NULL || value == NULL || ASN1_STRING_set(value, email, -1) != 1)
        goto out;
    GENERAL_NAME_set0_value(name, GEN_EMAIL, value);
    value = NULL;
    if (sk_GENERAL_NAME_push(names, name) == 0)
        goto out;
    name = NULL;
    ok = X509_add1_ext_i2d(certificate, NID_subject_alt_name, names, 0, X509V3_ADD_DEFAULT) == 1;
out:
    ASN1_IA5STRING_free(value);
    GENERAL_NAME_free(name);
    GENERAL_NAMES_free(names);
    return ok;
}

/* Where the certificate's state can be asked for: the CRL, and OCSP (RFC 5280 sections 4.2.1.13 and 4.2.2.1). */
static bool add_addresses(X509 *certificate, X509 *issuing, const char *address)
{
    char crl[256], ocsp[256];

    return snprintf(crl, sizeof(crl), "URI:%s/crl", address) < (int)sizeof(crl) &&
           snprintf(ocsp, sizeof(ocsp), "OCSP;URI:%s/ocsp", address) < (int)sizeof(ocsp) &&
           ca_extension_add(certificate, issuing, NID_crl_distribution_points, crl) &&
           ca_extension_add(certificate, issuing, NID_info_access, ocsp);
}

static bool add_profile(X509 *certificate, const struct ca *ca, const struct ca_order *order)
{
    bool signing = order->use == CERTIFICATE_SIGNING;

    if (!ca_extension_add(certificate, ca->issuing, NID_basic_constraints, "critical,CA:FALSE") ||
        !ca_extension_add(certificate, ca->issuing, NID_key_usage,
                          signing                             ? "critical,digitalSignature,nonRepudiation"
                          : key_profile_agrees(order->key) ? "critical,keyAgreement"
                                                              : "critical,keyEncipherment") ||
        !ca_extension_add(certificate, ca->issuing, NID_ext_key_usage,
                          signing ? "emailProtection,clientAuth" : "emailProtection") ||
        !ca_extension_add(certificate, ca->issuing, NID_subject_key_identifier, "hash") ||
        !ca_extension_add(certificate, ca->issuing, NID_authority_key_identifier, "keyid:always") ||
        !add_email(certificate, order->email))
        return false;
    return order->address[0] == '\0' || add_addresses(certificate, ca->issuing, order->address);
}

enum error_code ca_issue(const struct ca *ca, const struct ca_order *order, X509 **certificate,
                         struct error *err)
{
    X509 *new_certificate = X509_new();
    time_t not_after = (time_t)order->not_after;

    /* A certificate must not outlive its issuer: paths through it would end before it does. */
    if (X509_cmp_time(X509_get0_notAfter(ca->issuing), &not_after) <= 0) {
        X509_free(new_certificate);
        return error_set(err, ERROR_STATE,
                         "The issuing CA expires before the certificate would; make a new CA first.");
    }
    if (new_certificate == NULL ||
        !ca_certificate_start(new_certificate, X509_get_subject_name(ca->issuing), order->subject, order->key,
                              order->not_before, order->not_after) ||
        !add_profile(new_certificate, ca, order) ||
        X509_sign(new_certificate, ca->issuing_key, EVP_sha384()) == 0) {
        ERR_clear_error();
        X509_free(new_certificate);
        return error_set(err, ERROR_INTERNAL,
                         "The certificate could not be made; the CA's keys may be damaged.");
    }
    *certificate = new_certificate;
    return ERROR_NONE;
}
