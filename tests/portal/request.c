#include "request.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <string.h>

#include "ca.h"

static const struct {
    const char *reason;
    const char *text;
} fault_rows[] = {
#define X(name, reason, text) [name] = {reason, text},
    REQUEST_FAULT_LIST(X)
#undef X
};

const char *request_fault_reason(enum request_fault fault)
{
    return fault_rows[fault].reason;
}

const char *request_fault_text(enum request_fault fault)
{
    return fault_rows[fault].text;
}

/* RSA of the profile's size, with a public exponent of 65537 or more, as SP 800-56B asks and as tokens make.
 */
static bool key_fits_profile(EVP_PKEY *key)
{
    BIGNUM *exponent = NULL;
    bool ok;

    if (key == NULL || EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA || EVP_PKEY_get_bits(key) != CA_KEY_BITS)
        return false;
    if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &exponent) != 1)
        return false;
    ok = BN_num_bits(exponent) >= 17;
    BN_free(exponent);
    return ok;
}

/* A modulus that is odd, composite and without small factors (SP 800-56B section 6.4.2.2). Costs more than
 * verifying a signature, so it comes last. */
static bool key_is_sound(EVP_PKEY *key)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
    bool ok = context != NULL && EVP_PKEY_public_check(context) == 1;

    EVP_PKEY_CTX_free(context);
    return ok;
}

static bool signature_verifies(X509_REQ *req, EVP_PKEY *key)
{
    int nid = X509_REQ_get_signature_nid(req);
    const X509_ALGOR *algorithm = NULL;
    int parameters = V_ASN1_UNDEF;

    /* RFC 4055 section 5: the parameters are NULL, or left out by old software. They are not signed, so
     * nothing else may hide there. */
    X509_REQ_get0_signature(req, NULL, &algorithm);
    X509_ALGOR_get0(NULL, &parameters, NULL, algorithm);
    if (parameters != V_ASN1_NULL && parameters != V_ASN1_UNDEF)
        return false;
    if (nid != NID_sha256WithRSAEncryption && nid != NID_sha384WithRSAEncryption &&
        nid != NID_sha512WithRSAEncryption)
        return false;
    return X509_REQ_verify(req, key) == 1;
}

/* The value of the one attribute of the pinwardEncryptionRequest type, which has one value, an OCTET STRING.
 */
static const ASN1_OCTET_STRING *find_encryption_request(X509_REQ *req)
{
    ASN1_OBJECT *type = OBJ_txt2obj(REQUEST_ATTRIBUTE_OID, 1);
    X509_ATTRIBUTE *attribute = NULL;
    int index = -1;

    if (type == NULL)
        return NULL;
    index = X509_REQ_get_attr_by_OBJ(req, type, -1);
    if (index >= 0 && X509_REQ_get_attr_by_OBJ(req, type, index) < 0)
        attribute = X509_REQ_get_attr(req, index);
    ASN1_OBJECT_free(type);
    if (attribute == NULL || X509_ATTRIBUTE_count(attribute) != 1)
        return NULL;
    return X509_ATTRIBUTE_get0_data(attribute, 0, V_ASN1_OCTET_STRING, NULL);
}

static bool spki_sha256(EVP_PKEY *key, uint8_t out[SHA256_SIZE])
{
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(key, &der);
    bool ok = len > 0 && EVP_Digest(der, (size_t)len, out, NULL, EVP_sha256(), NULL) == 1;

    OPENSSL_free(der);
    return ok;
}

static enum request_fault read_keys(X509_REQ *req, const X509_NAME *subject,
                                    struct enrollment_request *request)
{
    const ASN1_OCTET_STRING *crmf = find_encryption_request(req);
    enum request_fault fault;

    request->signing_key = X509_REQ_get_pubkey(req);
    if (!key_fits_profile(request->signing_key))
        return REQUEST_WRONG_KEY;
    if (!signature_verifies(req, request->signing_key))
        return REQUEST_BAD_SIGNATURE;
    if (X509_NAME_cmp(X509_REQ_get_subject_name(req), subject) != 0)
        return REQUEST_WRONG_SUBJECT;
    if (crmf == NULL)
        return REQUEST_CRMF_MISSING;
    fault = request_crmf_key(ASN1_STRING_get0_data(crmf), (size_t)ASN1_STRING_length(crmf), subject,
                             &request->encryption_key);
    if (fault != REQUEST_OK)
        return fault;
    if (!key_fits_profile(request->encryption_key))
        return REQUEST_WRONG_KEY;
    if (EVP_PKEY_eq(request->signing_key, request->encryption_key) == 1)
        return REQUEST_SAME_KEYS;
    if (!key_is_sound(request->signing_key) || !key_is_sound(request->encryption_key))
        return REQUEST_WRONG_KEY;
    if (!spki_sha256(request->signing_key, request->signing_spki_sha256) ||
        !spki_sha256(request->encryption_key, request->encryption_spki_sha256))
        return REQUEST_NO_MEMORY;
    return REQUEST_OK;
}

enum request_fault enrollment_request_read(const uint8_t *der, size_t len, const X509_NAME *subject,
                                           struct enrollment_request *request)
{
    struct enrollment_request read = {NULL, NULL, {0}, {0}};
    const unsigned char *end = der;
    X509_REQ *req = d2i_X509_REQ(NULL, &end, (long)len);
    enum request_fault fault = REQUEST_NOT_PKCS10;

    if (req != NULL && end == der + len)
        fault = read_keys(req, subject, &read);
    X509_REQ_free(req);
    ERR_clear_error();
    if (fault == REQUEST_OK)
        *request = read;
    else
        enrollment_request_clear(&read);
    return fault;
}

void enrollment_request_clear(struct enrollment_request *request)
{
    EVP_PKEY_free(request->signing_key);
    EVP_PKEY_free(request->encryption_key);
    request->signing_key = NULL;
    request->encryption_key = NULL;
}
