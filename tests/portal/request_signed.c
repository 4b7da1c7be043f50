/* A renewal's envelope: CMS SignedData (RFC 5652 section 5) by the old signing key over the new PKCS#10. */
#include <openssl/cms.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "request.h"

static bool digest_is_sound(CMS_SignerInfo *info)
{
    const ASN1_OBJECT *object = NULL;
    X509_ALGOR *digest = NULL;
    int nid;

    CMS_SignerInfo_get0_algs(info, NULL, NULL, &digest, NULL);
    if (digest == NULL)
        return false;
    X509_ALGOR_get0(&object, NULL, NULL, digest);
    nid = OBJ_obj2nid(object);
    return nid == NID_sha256 || nid == NID_sha384 || nid == NID_sha512;
}

/* Exactly one signature, said to be by that certificate. */
static enum request_fault check_signer(CMS_ContentInfo *cms, X509 *signer)
{
    STACK_OF(CMS_SignerInfo) *infos = CMS_get0_SignerInfos(cms); /* NULL when it is not SignedData */
    CMS_SignerInfo *info;

    if (infos == NULL || sk_CMS_SignerInfo_num(infos) != 1)
        return REQUEST_CMS_INVALID;
    info = sk_CMS_SignerInfo_value(infos, 0);
    if (CMS_SignerInfo_cert_cmp(info, signer) != 0)
        return REQUEST_WRONG_SIGNER;
    return digest_is_sound(info) ? REQUEST_OK : REQUEST_CMS_INVALID;
}

static enum request_fault verify(CMS_ContentInfo *cms, X509 *signer, BIO *content)
{
    STACK_OF(X509) *signers = sk_X509_new_null();
    enum request_fault fault = REQUEST_NO_MEMORY;

    if (signers != NULL && sk_X509_push(signers, signer) > 0) {
        /* NOINTERN: only our copy of the certificate may verify it. Its chain is ours, so it needs no check
         * here. */
        fault = CMS_verify(cms, signers, NULL, NULL, content,
                           CMS_NOINTERN | CMS_NO_SIGNER_CERT_VERIFY | CMS_BINARY) == 1
                    ? REQUEST_OK
                    : REQUEST_CMS_INVALID;
    }
    sk_X509_free(signers);
    return fault;
}

enum request_fault signed_request_open(const uint8_t *der, size_t len, X509 *signer, uint8_t **content,
                                       size_t *content_len)
{
    const unsigned char *end = der;
    CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &end, (long)len);
    BIO *out = BIO_new(BIO_s_mem());
    enum request_fault fault = REQUEST_CMS_INVALID;
    uint8_t *copy = NULL;
    char *data = NULL;
    long size = 0;

    if (cms == NULL || end != der + len || out == NULL)
        goto out;
    fault = check_signer(cms, signer);
    if (fault == REQUEST_OK)
        fault = verify(cms, signer, out);
    if (fault != REQUEST_OK)
        goto out;
    size = BIO_get_mem_data(out, &data);
    copy = size > 0 ? malloc((size_t)size) : NULL;
    if (copy == NULL) {
        fault = REQUEST_CMS_INVALID;
        goto out;
    }
    memcpy(copy, data, (size_t)size);
    *content = copy;
    *content_len = (size_t)size;
out:
    BIO_free(out);
    CMS_ContentInfo_free(cms);
    ERR_clear_error();
    return fault;
}
