#include "request.h"

#include <openssl/err.h>

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

/* A modulus that is odd, composite and without small factors (SP 800-56B section 6.4.2.2), or a point on the curve (SP
 * 800-56A section 5.6.2.3.3). Costs more than verifying a signature, so it comes last. */
static bool key_is_sound(EVP_PKEY *key)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
    bool ok = context != NULL && EVP_PKEY_public_check(context) == 1;

    EVP_PKEY_CTX_free(context);
    return ok;
}

/* RFC 4055 section 5: RSA's parameters are NULL, or left out by old software; RFC 5758 section 3.2: ECDSA has none.
 * They are not signed, so nothing else may hide there. */
static bool parameters_are_sound(X509_REQ *req, int key_nid)
{
    const X509_ALGOR *algorithm = NULL;
    int parameters = V_ASN1_UNDEF;

    X509_REQ_get0_signature(req, NULL, &algorithm);
    X509_ALGOR_get0(NULL, &parameters, NULL, algorithm);
    return parameters == V_ASN1_UNDEF || (parameters == V_ASN1_NULL && key_nid == NID_rsaEncryption);
}

static bool digest_is_enough(int nid, EVP_PKEY *key)
{
    const EVP_MD *digest = EVP_get_digestbynid(nid);

    return (nid == NID_sha256 || nid == NID_sha384 || nid == NID_sha512) && digest != NULL &&
           EVP_MD_get_size(digest) >= EVP_MD_get_size(key_profile_digest(key));
}

static bool signature_verifies(X509_REQ *req, EVP_PKEY *key)
{
    const int expected = key_profile_agrees(key) ? NID_X9_62_id_ecPublicKey : NID_rsaEncryption;
    int digest_nid = NID_undef, key_nid = NID_undef;

    return OBJ_find_sigid_algs(X509_REQ_get_signature_nid(req), &digest_nid, &key_nid) == 1 &&
           key_nid == expected && digest_is_enough(digest_nid, key) && parameters_are_sound(req, key_nid) &&
           X509_REQ_verify(req, key) == 1;
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

static enum request_fault read_keys(X509_REQ *req, const X509_NAME *subject, const struct key_profile *profile,
                                    struct enrollment_request *request)
{
    const ASN1_OCTET_STRING *crmf = find_encryption_request(req);
    enum request_fault fault;

    request->signing_key = X509_REQ_get_pubkey(req);
    if (!key_profile_fits(profile, request->signing_key))
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
    if (!key_profile_fits(profile, request->encryption_key))
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
                                           const struct key_profile *profile, struct enrollment_request *request)
{
    struct enrollment_request read = {NULL, NULL, {0}, {0}};
    const unsigned char *end = der;
    X509_REQ *req = d2i_X509_REQ(NULL, &end, (long)len);
    enum request_fault fault = REQUEST_NOT_PKCS10;

    if (req != NULL && end == der + len)
        fault = read_keys(req, subject, profile, &read);
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
