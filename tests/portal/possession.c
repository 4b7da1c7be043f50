#include "possession.h"

#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static CMS_ContentInfo *envelop(X509 *certificate, const uint8_t *value, size_t len)
{
    STACK_OF(X509) *recipients = sk_X509_new_null();
    BIO *in = BIO_new_mem_buf(value, (int)len);
    CMS_ContentInfo *cms = NULL;

    if (recipients != NULL && in != NULL && sk_X509_push(recipients, certificate) > 0)
        cms = CMS_encrypt(recipients, in, EVP_aes_256_cbc(), CMS_BINARY);
    BIO_free(in);
    sk_X509_free(recipients);
    return cms;
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
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool ok;

    memcpy(message, POSSESSION_LABEL, sizeof(POSSESSION_LABEL));
    memcpy(message + sizeof(POSSESSION_LABEL), application_id, UUID_SIZE);
    memcpy(message + sizeof(POSSESSION_LABEL) + UUID_SIZE, nonce, CHALLENGE_SIZE);
    ok = context != NULL &&
         EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, X509_get0_pubkey(signing_certificate)) ==
             1 &&
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
