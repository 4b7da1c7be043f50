#include "ocsp_signer.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdlib.h>

#define SIGNER_LIFETIME_S (7 * CLOCK_DAY_S)

struct ocsp_signer {
    const struct ca *ca;
    pthread_mutex_t lock;
    X509 *certificate; /* NULL: none yet */
    EVP_PKEY *key;
    int64_t since_s;
};

struct ocsp_signer *ocsp_signer_new(const struct ca *ca)
{
    struct ocsp_signer *signer = calloc(1, sizeof(*signer));

    if (signer == NULL)
        return NULL;
    signer->ca = ca;
    pthread_mutex_init(&signer->lock, NULL);
    return signer;
}

void ocsp_signer_free(struct ocsp_signer **signer)
{
    if (signer == NULL || *signer == NULL)
        return;
    X509_free((*signer)->certificate);
    EVP_PKEY_free((*signer)->key);
    pthread_mutex_destroy(&(*signer)->lock);
    free(*signer);
    *signer = NULL;
}

static X509_NAME *make_name(const X509 *issuing)
{
    X509_NAME *name = X509_NAME_dup(X509_get_subject_name(issuing));
    int place = name == NULL ? -1 : X509_NAME_get_index_by_NID(name, NID_commonName, -1);

    if (place >= 0)
        X509_NAME_ENTRY_free(X509_NAME_delete_entry(name, place));
    if (name != NULL && X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8,
                                                   (const unsigned char *)"OCSP Responder", -1, -1, 0) == 1)
        return name;
    X509_NAME_free(name);
    return NULL;
}

static X509 *make_certificate(const struct ca *ca, EVP_PKEY *key, int64_t now_s)
{
    X509_NAME *name = make_name(ca->issuing);
    X509 *certificate = X509_new();

    if (name == NULL || certificate == NULL ||
        !ca_certificate_start(certificate, X509_get_subject_name(ca->issuing), name, key, now_s,
                              now_s + SIGNER_LIFETIME_S) ||
        !ca_extension_add(certificate, ca->issuing, NID_basic_constraints, "critical,CA:FALSE") ||
        !ca_extension_add(certificate, ca->issuing, NID_key_usage, "critical,digitalSignature") ||
        !ca_extension_add(certificate, ca->issuing, NID_ext_key_usage, "OCSPSigning") ||
        !ca_extension_add(certificate, ca->issuing, NID_id_pkix_OCSP_noCheck, "ignored") ||
        !ca_extension_add(certificate, ca->issuing, NID_subject_key_identifier, "hash") ||
        !ca_extension_add(certificate, ca->issuing, NID_authority_key_identifier, "keyid:always") ||
        X509_sign(certificate, ca->issuing_key, EVP_sha384()) == 0) {
        X509_free(certificate);
        certificate = NULL;
    }
    X509_NAME_free(name);
    return certificate;
}

/* A clock that went back (the test clock can) makes the certificate one from the future. */
static bool is_current(const struct ocsp_signer *signer, int64_t now_s)
{
    return signer->certificate != NULL && now_s >= signer->since_s &&
           now_s < signer->since_s + SIGNER_LIFETIME_S / 2;
}

static bool make_anew(struct ocsp_signer *signer, int64_t now_s)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = key == NULL ? NULL : make_certificate(signer->ca, key, now_s);

    if (certificate == NULL) {
        ERR_clear_error();
        EVP_PKEY_free(key);
        return false;
    }
    X509_free(signer->certificate);
    EVP_PKEY_free(signer->key);
    signer->certificate = certificate;
    signer->key = key;
    signer->since_s = now_s;
    return true;
}

bool ocsp_signer_get(struct ocsp_signer *signer, int64_t now_s, X509 **certificate, EVP_PKEY **key)
{
    bool ok;

    pthread_mutex_lock(&signer->lock);
    ok = (is_current(signer, now_s) || make_anew(signer, now_s)) && X509_up_ref(signer->certificate) == 1;
    if (ok && EVP_PKEY_up_ref(signer->key) != 1) {
        X509_free(signer->certificate);
        ok = false;
    }
    if (ok) {
        *certificate = signer->certificate;
        *key = signer->key;
    }
    pthread_mutex_unlock(&signer->lock);
    return ok;
}
