#include "enroll/possession.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "common/i18n.h"
#include "enroll/key_profile.h"
#include "enroll/token.h"

static const char possession_domain[] = "pinward-activation-v1"; /* its NUL is signed too */

static bool possession_message(const char *application_id, const struct bytes *nonce, struct bytes *message)
{
    return bytes_append(message, possession_domain, sizeof possession_domain) &&
           bytes_append(message, application_id, strlen(application_id) + 1) &&
           bytes_append(message, nonce->data, nonce->len);
}

enum error_code possession_sign(EVP_PKEY *signing_key, const char *application_id, const struct bytes *nonce,
                                struct bytes *signature, struct error *err)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    struct bytes message = {0};
    unsigned char *buffer = NULL;
    size_t len = (size_t)EVP_PKEY_get_size(signing_key);
    enum error_code status = ERROR_NONE;

    if (nonce->len != POSSESSION_NONCE_LEN) {
        status = error_set(err, ERROR_PROTOCOL, _("The portal's challenge is not one that may be signed."));
        goto out;
    }
    buffer = malloc(len);
    if (!context || !buffer || !possession_message(application_id, nonce, &message)) {
        status = error_set(err, ERROR_MEMORY, "%s", "");
        goto out;
    }
    ERR_clear_error();
    if (EVP_DigestSignInit(context, NULL, key_profile_digest(signing_key), NULL, signing_key) != 1 ||
        EVP_DigestSign(context, buffer, &len, message.data, message.len) != 1) {
        status = token_failed(err, _("signing the challenge"));
        goto out;
    }
    if (!bytes_set(signature, buffer, len)) {
        status = error_set(err, ERROR_MEMORY, "%s", "");
    }
out:
    EVP_MD_CTX_free(context);
    bytes_clear(&message);
    free(buffer);
    return status;
}

/* To an EC key: ephemeral-static ECDH (RFC 5753 section 3.1). */
static bool possession_agrees_with(CMS_RecipientInfo *recipient, X509 *certificate)
{
    STACK_OF(CMS_RecipientEncryptedKey) *keys = CMS_RecipientInfo_kari_get0_reks(recipient);

    return sk_CMS_RecipientEncryptedKey_num(keys) == 1 &&
           CMS_RecipientEncryptedKey_cert_cmp(sk_CMS_RecipientEncryptedKey_value(keys, 0), certificate) == 0;
}

/* The one form that the API has for each kind of key: EnvelopedData to this certificate, to nobody else. */
static bool possession_is_ours(CMS_ContentInfo *cms, X509 *certificate)
{
    STACK_OF(CMS_RecipientInfo) * recipients;
    CMS_RecipientInfo *recipient;

    if (!cms || OBJ_obj2nid(CMS_get0_type(cms)) != NID_pkcs7_enveloped) {
        return false;
    }
    recipients = CMS_get0_RecipientInfos(cms);
    if (sk_CMS_RecipientInfo_num(recipients) != 1) {
        return false;
    }
    recipient = sk_CMS_RecipientInfo_value(recipients, 0);
    switch (CMS_RecipientInfo_type(recipient)) {
    case CMS_RECIPINFO_TRANS:
        return CMS_RecipientInfo_ktri_cert_cmp(recipient, certificate) == 0;
    case CMS_RECIPINFO_AGREE:
        return possession_agrees_with(recipient, certificate);
    default:
        return false;
    }
}

static enum error_code possession_take(BIO *content, struct secret **decrypted, struct error *err)
{
    char *data = NULL;
    long len = BIO_get_mem_data(content, &data);

    if (len != POSSESSION_DECRYPTED_LEN) {
        return error_set(err, ERROR_PROTOCOL, _("The portal's challenge does not hold what its API says."));
    }
    *decrypted = secret_from(data, (size_t)len);
    return *decrypted ? ERROR_NONE : error_set(err, ERROR_MEMORY, "%s", "");
}

enum error_code possession_decrypt(EVP_PKEY *encryption_key, X509 *certificate, const struct bytes *enveloped,
                                   struct secret **decrypted, struct error *err)
{
    const unsigned char *p = enveloped->data;
    CMS_ContentInfo *cms = enveloped->len <= LONG_MAX ? d2i_CMS_ContentInfo(NULL, &p, (long)enveloped->len)
                                                      : NULL;
    BIO *content = BIO_new(BIO_s_secmem());
    enum error_code status;

    if (!possession_is_ours(cms, certificate)) {
        status = error_set(err, ERROR_PROTOCOL,
                           _("The portal's challenge is not enveloped to the new encryption key."));
        goto out;
    }
    if (!content) {
        status = error_set(err, ERROR_MEMORY, "%s", "");
        goto out;
    }
    /* CMS_DEBUG_DECRYPT: without it a failed or refused decryption goes on with a random key, to hide the
     * failure from whoever sent the message (RFC 3218). Here the user must learn that the token refused; and
     * the sender learns nothing from it, since then nothing is sent. */
    ERR_clear_error();
    if (CMS_decrypt(cms, encryption_key, certificate, NULL, content, CMS_BINARY | CMS_DEBUG_DECRYPT) != 1) {
        status = token_failed(err, _("decrypting the challenge"));
        goto out;
    }
    status = possession_take(content, decrypted, err);
out:
    CMS_ContentInfo_free(cms);
    BIO_free(content);
    ERR_clear_error();
    return status;
}
