#include "possession.h"

#include <openssl/cms.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "key_profile.h"

/* OpenSSL's own choice for the KDF is SHA-1. */
static bool add_recipient(CMS_ContentInfo *cms, X509 *certificate)
{
    CMS_RecipientInfo *recipient = CMS_add1_recipient_cert(cms, certificate, CMS_KEY_PARAM);
    EVP_PKEY *key = X509_get0_pubkey(certificate);

    if (recipient == NULL || !key_profile_agrees(key))
        return recipient != NULL;
    return EVP_PKEY_CTX_set_ecdh_kdf_md(CMS_RecipientInfo_get0_pkey_ctx(recipient), key_profile_digest(key)) == 1;
}

static CMS_ContentInfo *envelop(X509 *certificate, const uint8_t *value, size_t len)
{
    BIO *in = BIO_new_mem_buf(value, (int)len);
    CMS_ContentInfo *cms = CMS_encrypt(NULL, NULL, EVP_aes_256_cbc(), CMS_BINARY | CMS_PARTIAL);
    bool ok = in != NULL && cms != NULL && add_recipient(cms, certificate) &&
              CMS_final(cms, in, NULL, CMS_BINARY) == 1;

    BIO_free(in);
    if (ok)
        return cms;
    CMS_ContentInfo_free(cms);
    return NULL;
}

bool possession_challenge(X509 *encryption_certificate, struct challenge *challenge, uint8_t **enveloped,
                          size_t *len)
{
    uint8_t value[CHALLENGE_SIZE];
    CMS_ContentInfo *cms = NULL;
    unsigned char *der = NULL;
    uint8_t *copy = NULL;
    int size = -1;

    if (RAND_bytes(challenge->nonce, sizeof(challenge->nonce)) == 1 && RAND_bytes(value, sizeof(value)) == 1)
        cms = envelop(encryption_certificate, value, sizeof(value));
    if (cms != NULL)
        size = i2d_CMS_ContentInfo(cms, &der);
    if (size > 0)
        copy = malloc((size_t)size);
    if (copy != NULL) {
        memcpy(copy, der, (size_t)size);
        crypto_hash_sha256(challenge->enveloped_sha256, value, sizeof(value));
        *enveloped = copy;
        *len = (size_t)size;
    }
    sodium_memzero(value, sizeof(value));
    OPENSSL_free(der);
    CMS_ContentInfo_free(cms);
    ERR_clear_error();
    return copy != NULL;
}

bool possession_signature_holds(X509 *signing_certificate, const char *application_id,
                                const uint8_t nonce[CHALLENGE_SIZE], const uint8_t *signature, size_t len)
{
    uint8_t message[sizeof(POSSESSION_LABEL) + UUID_SIZE +
                    CHALLENGE_SIZE]; /* both sizes count the NUL that separates */
    EVP_PKEY *key = X509_get0_pubkey(signing_certificate);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool ok;

    memcpy(message, POSSESSION_LABEL, sizeof(POSSESSION_LABEL));
    memcpy(message + sizeof(POSSESSION_LABEL), application_id, UUID_SIZE);
    memcpy(message + sizeof(POSSESSION_LABEL) + UUID_SIZE, nonce, CHALLENGE_SIZE);
    ok = context != NULL && EVP_DigestVerifyInit(context, NULL, key_profile_digest(key), NULL, key) == 1 &&
         EVP_DigestVerify(context, signature, len, message, sizeof(message)) == 1;
    EVP_MD_CTX_free(context);
    ERR_clear_error();
    return ok;
}

bool possession_decryption_holds(const struct challenge *challenge, const uint8_t *decrypted, size_t len)
{
    uint8_t digest[crypto_hash_sha256_BYTES];

    crypto_hash_sha256(digest, decrypted, len);
    return len == CHALLENGE_SIZE && sodium_memcmp(digest, challenge->enveloped_sha256, sizeof(digest)) == 0;
}
