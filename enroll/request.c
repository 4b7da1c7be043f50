#include "enroll/request.h"

#include <limits.h>

#include <openssl/cms.h>
#include <openssl/err.h>

#include "common/i18n.h"
#include "enroll/crmf.h"
#include "enroll/key_profile.h"
#include "enroll/token.h"

/* The public half as a key of its own, which has nothing to do with the token. */
static EVP_PKEY *request_public_half(EVP_PKEY *key)
{
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(key, &der);
    const unsigned char *p = der;
    EVP_PKEY *public_half = len > 0 ? d2i_PUBKEY(NULL, &p, len) : NULL;

    OPENSSL_free(der);
    return public_half;
}

static bool request_add_encryption_request(X509_REQ *request, const struct bytes *crmf)
{
    ASN1_OBJECT *type = OBJ_txt2obj(REQUEST_ENCRYPTION_OID, 1);
    bool ok = type && crmf->len <= INT_MAX &&
              X509_REQ_add1_attr_by_OBJ(request, type, V_ASN1_OCTET_STRING, crmf->data, (int)crmf->len) == 1;

    ASN1_OBJECT_free(type);
    return ok;
}

static bool request_fill(X509_REQ *request, X509_NAME *subject, EVP_PKEY *public_signing,
                         const struct bytes *crmf)
{
    return X509_REQ_set_version(request, X509_REQ_VERSION_1) == 1 &&
           X509_REQ_set_subject_name(request, subject) == 1 &&
           X509_REQ_set_pubkey(request, public_signing) == 1 && request_add_encryption_request(request, crmf);
}

static bool request_encode(X509_REQ *request, struct bytes *der)
{
    unsigned char *encoded = NULL;
    int len = i2d_X509_REQ(request, &encoded);
    bool ok = len > 0 && bytes_set(der, encoded, (size_t)len);

    OPENSSL_free(encoded);
    return ok;
}

enum error_code request_build(X509_NAME *subject, EVP_PKEY *signing_key, EVP_PKEY *encryption_key,
                              struct bytes *der, struct error *err)
{
    EVP_PKEY *public_signing = request_public_half(signing_key);
    EVP_PKEY *public_encryption = request_public_half(encryption_key);
    X509_REQ *request = X509_REQ_new();
    struct bytes crmf = {0};
    enum error_code status = ERROR_INTERNAL;

    if (!public_signing || !public_encryption || !request) {
        error_set(err, status, _("The public keys cannot be read from the token."));
        goto out;
    }
    status = crmf_build(subject, public_encryption, &crmf, err);
    if (status != ERROR_NONE) {
        goto out;
    }
    if (!request_fill(request, subject, public_signing, &crmf)) {
        status = error_set(err, ERROR_INTERNAL, _("The certificate request cannot be encoded."));
        goto out;
    }
    ERR_clear_error();
    if (X509_REQ_sign(request, signing_key, key_profile_digest(signing_key)) <= 0) {
        status = token_failed(err, _("signing the request"));
        goto out;
    }
    /* A token that signs wrongly must be found here, not by the portal. */
    if (X509_REQ_verify(request, public_signing) != 1 || !request_encode(request, der)) {
        status = error_set(err, ERROR_TOKEN,
                           _("The token's signature on the request does not verify: use another token."));
    }
out:
    bytes_clear(&crmf);
    X509_REQ_free(request);
    EVP_PKEY_free(public_signing);
    EVP_PKEY_free(public_encryption);
    ERR_clear_error();
    return status;
}

enum error_code request_sign_renewal(const struct bytes *request, X509 *old_certificate, EVP_PKEY *old_key,
                                     struct bytes *der, struct error *err)
{
    BIO *content = request->len <= INT_MAX ? BIO_new_mem_buf(request->data, (int)request->len) : NULL;
    CMS_ContentInfo *cms = NULL;
    unsigned char *encoded = NULL;
    enum error_code status = ERROR_NONE;
    int len = -1;

    ERR_clear_error();
    if (content) {
        cms = CMS_sign(NULL, NULL, NULL, content, CMS_BINARY | CMS_PARTIAL);
    }
    if (!cms || !CMS_add1_signer(cms, old_certificate, old_key, key_profile_digest(old_key),
                                 CMS_BINARY | CMS_NOSMIMECAP) ||
        CMS_final(cms, content, NULL, CMS_BINARY) != 1) {
        status = token_failed(err, _("signing the renewal with the old key"));
        goto out;
    }
    len = i2d_CMS_ContentInfo(cms, &encoded);
    if (len <= 0 || !bytes_set(der, encoded, (size_t)len)) {
        status = error_set(err, ERROR_INTERNAL, _("The renewal cannot be encoded."));
    }
out:
    OPENSSL_free(encoded);
    CMS_ContentInfo_free(cms);
    BIO_free(content);
    ERR_clear_error();
    return status;
}
