#include "support/verify.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <stdio.h>

#include "support/test.h"

static BIGNUM *attribute_number(CK_FUNCTION_LIST *p11, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key,
                                CK_ATTRIBUTE_TYPE type)
{
    CK_BYTE value[512];
    CK_ATTRIBUTE attribute = {type, value, sizeof value};

    assert_ok(p11->C_GetAttributeValue(session, key, &attribute, 1));
    return BN_bin2bn(value, (int)attribute.ulValueLen, NULL);
}

EVP_PKEY *verify_rsa_key(CK_FUNCTION_LIST *p11, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key)
{
    BIGNUM *n = attribute_number(p11, session, key, CKA_MODULUS);
    BIGNUM *e = attribute_number(p11, session, key, CKA_PUBLIC_EXPONENT);
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    EVP_PKEY *pkey = NULL;
    OSSL_PARAM *params;

    assert_true(OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n));
    assert_true(OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e));
    params = OSSL_PARAM_BLD_to_param(build);
    assert_int_equal(EVP_PKEY_fromdata_init(ctx), 1);
    assert_int_equal(EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params), 1);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    EVP_PKEY_CTX_free(ctx);
    BN_free(n);
    BN_free(e);
    return pkey;
}

bool verify_rsa_sha256(CK_FUNCTION_LIST *p11, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE public_key,
                       const void *data, CK_ULONG data_len, const void *signature, CK_ULONG signature_len)
{
    EVP_PKEY *pkey = verify_rsa_key(p11, session, public_key);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    int rc;

    assert_int_equal(EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, pkey), 1);
    rc = EVP_DigestVerify(ctx, signature, signature_len, data, data_len);
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(pkey);
    return rc == 1;
}

CK_ULONG verify_rsa_encrypt(CK_FUNCTION_LIST *p11, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE public_key,
                            const void *data, CK_ULONG data_len, CK_BYTE message[256])
{
    EVP_PKEY *pkey = verify_rsa_key(p11, session, public_key);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(pkey, NULL);
    size_t len = 256;

    assert_int_equal(EVP_PKEY_encrypt_init(ctx), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING), 1);
    assert_int_equal(EVP_PKEY_encrypt(ctx, message, &len, data, data_len), 1);
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(pkey);
    return len;
}

void verify_sha256_hex(const void *data, CK_ULONG data_len, char hex[65])
{
    unsigned char digest[32];
    unsigned int len = sizeof digest;

    assert_int_equal(EVP_Digest(data, data_len, digest, &len, EVP_sha256(), NULL), 1);
    for (unsigned int i = 0; i < len; i++)
        snprintf(hex + 2 * (size_t)i, 3, "%02x", digest[i]);
}
