#include "support/use.h"

#include <string.h>

#include "support/keys.h"
#include "support/verify.h"

#define UNTOUCHED 0xA5

static CK_BYTE digest[32] = "32 bytes that stand for a digest";

void use_result_init(struct use_result *result)
{
    memset(result->bytes, UNTOUCHED, sizeof result->bytes);
    result->len = sizeof result->bytes;
}

bool use_result_is_untouched(const struct use_result *result)
{
    for (size_t i = 0; i < sizeof result->bytes; i++)
        if (result->bytes[i] != UNTOUCHED)
            return false;
    return true;
}

CK_RV use_sign_init(struct fixture *fx, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key)
{
    CK_MECHANISM mechanism = {CKM_SHA256_RSA_PKCS, NULL, 0};

    return fx->p11->C_SignInit(session, &mechanism, key);
}

CK_RV use_sign_data(struct fixture *fx, CK_SESSION_HANDLE session, struct use_result *signature)
{
    use_result_init(signature);
    return fx->p11->C_Sign(session, (CK_BYTE_PTR)USE_DATA, USE_DATA_LEN, signature->bytes, &signature->len);
}

CK_RV use_sign(struct fixture *fx, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key,
               struct use_result *signature)
{
    const CK_RV rv = use_sign_init(fx, session, key);

    use_result_init(signature);
    return rv == CKR_OK ? use_sign_data(fx, session, signature) : rv;
}

bool use_signature_is_good(struct fixture *fx, const char *label, const struct use_result *signature)
{
    return signature->len == 256 &&
           verify_rsa_sha256(fx->p11, fx->session, key_public(fx->p11, fx->session, label), USE_DATA,
                             USE_DATA_LEN, signature->bytes, signature->len);
}

CK_RV use_sign_ec(struct fixture *fx, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key,
                  struct use_result *signature)
{
    CK_MECHANISM mechanism = {CKM_ECDSA, NULL, 0};
    const CK_RV rv = fx->p11->C_SignInit(session, &mechanism, key);

    use_result_init(signature);
    return rv == CKR_OK ? fx->p11->C_Sign(session, digest, sizeof digest, signature->bytes, &signature->len)
                        : rv;
}

bool use_ec_signature_is_good(struct fixture *fx, const char *label, const struct use_result *signature)
{
    CK_MECHANISM mechanism = {CKM_ECDSA, NULL, 0};

    return signature->len == 64 &&
           fx->p11->C_VerifyInit(fx->session, &mechanism, key_public(fx->p11, fx->session, label)) ==
               CKR_OK &&
           fx->p11->C_Verify(fx->session, digest, sizeof digest, (CK_BYTE_PTR)signature->bytes,
                             signature->len) == CKR_OK;
}

CK_RV use_decrypt_init(struct fixture *fx, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key)
{
    CK_MECHANISM mechanism = {CKM_RSA_PKCS, NULL, 0};

    return fx->p11->C_DecryptInit(session, &mechanism, key);
}

void use_encrypt(struct fixture *fx, const char *label, struct use_result *message)
{
    use_result_init(message);
    message->len = verify_rsa_encrypt(fx->p11, fx->session, key_public(fx->p11, fx->session, label), USE_DATA,
                                      USE_DATA_LEN, message->bytes);
}

CK_RV use_decrypt_data(struct fixture *fx, CK_SESSION_HANDLE session, const struct use_result *message,
                       struct use_result *data)
{
    use_result_init(data);
    return fx->p11->C_Decrypt(session, (CK_BYTE_PTR)message->bytes, message->len, data->bytes, &data->len);
}

bool use_data_is_right(const struct use_result *data)
{
    return data->len == USE_DATA_LEN && memcmp(data->bytes, USE_DATA, USE_DATA_LEN) == 0;
}
