/*
 * card_backend: SoftHSM2 presented as a card is: its mechanisms work in hardware (CKF_HW), ECDSA with SHA-1
 * is one of them, and several threads may initialise it at once. pkcs11-tool's tests of signatures, and most
 * of its test of EC keys, are for such tokens only, and its test of threads mostly ends in a crash of
 * SoftHSM2 2.6.1 alone.
 *
 * Owner: the one list is the library's. Thread rule: C_Initialize from any thread; one signature with SHA-1
 * at a time.
 */
#include <dlfcn.h>
#include <openssl/evp.h>
#include <p11-kit/pkcs11.h>
#include <pthread.h>
#include <stddef.h>

static CK_FUNCTION_LIST list;
static CK_FUNCTION_LIST *backend;

/* Of the ECDSA signature with SHA-1 in progress; NULL when there is none. */
static EVP_MD_CTX *hash;

static CK_RV initialize(void *args)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    CK_RV rv;

    pthread_mutex_lock(&lock);
    rv = backend->C_Initialize(args);
    pthread_mutex_unlock(&lock);
    return rv;
}

static CK_RV get_mechanism_info(CK_SLOT_ID slot, CK_MECHANISM_TYPE type, CK_MECHANISM_INFO *info)
{
    const CK_RV rv = backend->C_GetMechanismInfo(slot, type == CKM_ECDSA_SHA1 ? CKM_ECDSA : type, info);

    if (rv == CKR_OK)
        info->flags |= CKF_HW;
    return rv;
}

static void forget_hash(void)
{
    EVP_MD_CTX_free(hash);
    hash = NULL;
}

static CK_RV sign_init(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
    CK_MECHANISM plain = {CKM_ECDSA, NULL, 0};
    CK_RV rv;

    if (!mechanism || mechanism->mechanism != CKM_ECDSA_SHA1)
        return backend->C_SignInit(session, mechanism, key);
    rv = backend->C_SignInit(session, &plain, key);
    if (rv != CKR_OK)
        return rv;
    forget_hash();
    hash = EVP_MD_CTX_new();
    return hash && EVP_DigestInit_ex(hash, EVP_sha1(), NULL) == 1 ? CKR_OK : CKR_HOST_MEMORY;
}

static CK_RV sign_update(CK_SESSION_HANDLE session, CK_BYTE *part, CK_ULONG part_len)
{
    if (!hash)
        return backend->C_SignUpdate(session, part, part_len);
    return EVP_DigestUpdate(hash, part, part_len) == 1 ? CKR_OK : CKR_FUNCTION_FAILED;
}

/* A question for the length, or too small a buffer, must not end what was hashed. */
static CK_RV sign_final(CK_SESSION_HANDLE session, CK_BYTE *signature, CK_ULONG *signature_len)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    EVP_MD_CTX *copy;
    unsigned int len;
    CK_RV rv = CKR_FUNCTION_FAILED;

    if (!hash)
        return backend->C_SignFinal(session, signature, signature_len);
    copy = EVP_MD_CTX_new();
    if (copy && EVP_MD_CTX_copy_ex(copy, hash) == 1 && EVP_DigestFinal_ex(copy, digest, &len) == 1)
        rv = backend->C_Sign(session, digest, len, signature, signature_len);
    EVP_MD_CTX_free(copy);
    if (signature && rv != CKR_BUFFER_TOO_SMALL)
        forget_hash();
    return rv;
}

static CK_RV sign(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG data_len, CK_BYTE *signature,
                  CK_ULONG *signature_len)
{
    if (!hash)
        return backend->C_Sign(session, data, data_len, signature, signature_len);
    if (signature && sign_update(session, data, data_len) != CKR_OK)
        return CKR_FUNCTION_FAILED;
    return sign_final(session, signature, signature_len);
}

CK_RV C_GetFunctionList(CK_FUNCTION_LIST **functions);

__attribute__((visibility("default"))) CK_RV C_GetFunctionList(CK_FUNCTION_LIST **functions)
{
    CK_C_GetFunctionList get_list = NULL;
    void *library;

    if (!backend) {
        library = dlopen(TEST_BACKEND, RTLD_NOW | RTLD_LOCAL);
        if (library)
            *(void **)&get_list = dlsym(library, "C_GetFunctionList");
        if (!get_list || get_list(&backend) != CKR_OK)
            return CKR_GENERAL_ERROR;
        list = *backend;
        list.C_Initialize = initialize;
        list.C_GetMechanismInfo = get_mechanism_info;
        list.C_SignInit = sign_init;
        list.C_Sign = sign;
        list.C_SignUpdate = sign_update;
        list.C_SignFinal = sign_final;
    }
    *functions = &list;
    return CKR_OK;
}
