/*
 * tool_broken_token: SoftHSM2 as a backend that breaks while it is used, as PINWARD_BROKEN says: "signs wrong" (one bit of
 * each signature is another), "cannot sign", "cannot sign again" (after its first signature), "cannot decrypt", "keeps no
 * certificate" (it says CKR_OK). Without it, it is SoftHSM2.
 *
 * Owner: the one list is the library's. Thread rule: the environment is not changed while it runs.
 */
#include <dlfcn.h>
#include <p11-kit/pkcs11.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static CK_FUNCTION_LIST list;
static CK_FUNCTION_LIST *backend;

static bool is_broken(const char *how)
{
    const char *broken = getenv("PINWARD_BROKEN");

    return broken && strcmp(broken, how) == 0;
}

static bool cannot_sign(void)
{
    static bool signed_once;
    const bool again = signed_once;

    signed_once = true;
    return is_broken("cannot sign") || (again && is_broken("cannot sign again"));
}

static CK_RV sign(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG data_len, CK_BYTE *signature, CK_ULONG *signature_len)
{
    CK_RV rv = signature && cannot_sign() ? CKR_DEVICE_ERROR
                                          : backend->C_Sign(session, data, data_len, signature, signature_len);

    if (rv == CKR_OK && signature && is_broken("signs wrong"))
        signature[*signature_len / 2] ^= 1;
    return rv;
}

static CK_RV decrypt(CK_SESSION_HANDLE session, CK_BYTE *encrypted, CK_ULONG encrypted_len, CK_BYTE *data, CK_ULONG *data_len)
{
    return data && is_broken("cannot decrypt") ? CKR_DEVICE_ERROR
                                               : backend->C_Decrypt(session, encrypted, encrypted_len, data, data_len);
}

static CK_RV create_object(CK_SESSION_HANDLE session, CK_ATTRIBUTE *template, CK_ULONG count, CK_OBJECT_HANDLE *object)
{
    for (CK_ULONG i = 0; i < count; i++) {
        if (template[i].type == CKA_CLASS && *(CK_OBJECT_CLASS *)template[i].pValue == CKO_CERTIFICATE &&
            is_broken("keeps no certificate")) {
            *object = 1000000;
            return CKR_OK;
        }
    }
    return backend->C_CreateObject(session, template, count, object);
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
        list.C_Sign = sign;
        list.C_Decrypt = decrypt;
        list.C_CreateObject = create_object;
    }
    *functions = &list;
    return CKR_OK;
}
