#include "pkcs11-module/entry.h"
#include "pkcs11-module/runtime.h"

/* The rows of class PASS: nothing but the read that tells whether this process has initialised the module, and (with a
 * session) the one that tells that there is none of the gate's own, and the call. */

CK_RV pass_C_GetSlotList(CK_BBOOL token_present, CK_SLOT_ID_PTR slot_list, CK_ULONG_PTR count)
{
    const CK_FUNCTION_LIST *backend = runtime_backend();

    return backend ? backend->C_GetSlotList(token_present, slot_list, count) : CKR_CRYPTOKI_NOT_INITIALIZED;
}

CK_RV pass_C_GetSlotInfo(CK_SLOT_ID slot_id, CK_SLOT_INFO_PTR info)
{
    const CK_FUNCTION_LIST *backend = runtime_backend();

    return backend ? backend->C_GetSlotInfo(slot_id, info) : CKR_CRYPTOKI_NOT_INITIALIZED;
}

CK_RV pass_C_GetMechanismList(CK_SLOT_ID slot_id, CK_MECHANISM_TYPE_PTR mechanism_list, CK_ULONG_PTR count)
{
    const CK_FUNCTION_LIST *backend = runtime_backend();

    return backend ? backend->C_GetMechanismList(slot_id, mechanism_list, count)
                   : CKR_CRYPTOKI_NOT_INITIALIZED;
}

CK_RV pass_C_GetMechanismInfo(CK_SLOT_ID slot_id, CK_MECHANISM_TYPE type, CK_MECHANISM_INFO_PTR info)
{
    const CK_FUNCTION_LIST *backend = runtime_backend();

    return backend ? backend->C_GetMechanismInfo(slot_id, type, info) : CKR_CRYPTOKI_NOT_INITIALIZED;
}

CK_RV pass_C_GetSessionInfo(CK_SESSION_HANDLE session, CK_SESSION_INFO_PTR info)
{
    const CK_FUNCTION_LIST *backend = runtime_backend_for(session);

    return backend ? backend->C_GetSessionInfo(session, info) : runtime_lacks_session();
}

CK_RV pass_C_GetObjectSize(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ULONG_PTR size)
{
    const CK_FUNCTION_LIST *backend = runtime_backend_for(session);

    return backend ? backend->C_GetObjectSize(session, object, size) : runtime_lacks_session();
}

CK_RV pass_C_FindObjectsFinal(CK_SESSION_HANDLE session)
{
    const CK_FUNCTION_LIST *backend = runtime_backend_for(session);

    return backend ? backend->C_FindObjectsFinal(session) : runtime_lacks_session();
}

CK_RV pass_C_Encrypt(CK_SESSION_HANDLE session, CK_BYTE_PTR data, CK_ULONG data_len,
                     CK_BYTE_PTR encrypted_data, CK_ULONG_PTR encrypted_data_len)
{
    const CK_FUNCTION_LIST *backend = runtime_backend_for(session);

    return backend ? backend->C_Encrypt(session, data, data_len, encrypted_data, encrypted_data_len)
                   : runtime_lacks_session();
}

CK_RV pass_C_EncryptUpdate(CK_SESSION_HANDLE session, CK_BYTE_PTR part, CK_ULONG part_len,
                           CK_BYTE_PTR encrypted_part, CK_ULONG_PTR encrypted_part_len)
{
    const CK_FUNCTION_LIST *backend = runtime_backend_for(session);

    return backend ? backend->C_EncryptUpdate(session, part, part_len, encrypted_part, encrypted_part_len)
                   : runtime_lacks_session();
}

CK_RV pass_C_EncryptFinal(CK_SESSION_HANDLE session, CK_BYTE_PTR last_encrypted_part,
                          CK_ULONG_PTR last_encrypted_part_len)
{
    const CK_FUNCTION_LIST *backend = runtime_backend_for(session);

    return backend ? backend->C_EncryptFinal(session, last_encrypted_part, last_encrypted_part_len)
                   : runtime_lacks_session();
}

CK_RV pass_C_DigestInit(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism)
{
    const CK_FUNCTION_LIST *backend = runtime_backend_for(session);

    return backend ? backend->C_DigestInit(session, mechanism) : runtime_lacks_session();
}

CK_RV pass_C_Digest(CK_SESSION_HANDLE session, CK_BYTE_PTR data, CK_ULONG data_len, CK_BYTE_PTR digest,
                    CK_ULONG_PTR digest_len)
{
    const CK_FUNCTION_LIST *backend = runtime_backend_for(session);

    return backend ? backend->C_Digest(session, data, data_len, digest, digest_len)
                   : runtime_lacks_session();
}

CK_RV pass_C_DigestUpdate(CK_SESSION_HANDLE session, CK_BYTE_PTR part, CK_ULONG part_len)
{
    const CK_FUNCTION_LIST *backend = runtime_backend_for(session);

    return backend ? backend->C_DigestUpdate(session, part, part_len) : runtime_lacks_session();
}

CK_RV pass_C_DigestFinal(CK_SESSION_HANDLE session, CK_BYTE_PTR digest, CK_ULONG_PTR digest_len)
{
    const CK_FUNCTION_LIST *backend = runtime_backend_for(session);

    return backend ? backend->C_DigestFinal(session, digest, digest_len) : runtime_lacks_session();
}

CK_RV pass_C_VerifyInit(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key)
{
    const CK_FUNCTION_LIST *backend = runtime_backend_for(session);

    return backend ? backend->C_VerifyInit(session, mechanism, key) : runtime_lacks_session();
}

CK_RV pass_C_Verify(CK_SESSION_HANDLE session, CK_BYTE_PTR data, CK_ULONG data_len, CK_BYTE_PTR signature,
                    CK_ULONG signature_len)
{
    const CK_FUNCTION_LIST *backend = runtime_backend_for(session);

    return backend ? backend->C_Verify(session, data, data_len, signature, signature_len)
                   : runtime_lacks_session();
}

CK_RV pass_C_VerifyUpdate(CK_SESSION_HANDLE session, CK_BYTE_PTR part, CK_ULONG part_len)
{
    const CK_FUNCTION_LIST *backend = runtime_backend_for(session);

    return backend ? backend->C_VerifyUpdate(session, part, part_len) : runtime_lacks_session();
}

CK_RV pass_C_VerifyFinal(CK_SESSION_HANDLE session, CK_BYTE_PTR signature, CK_ULONG signature_len)
{
    const CK_FUNCTION_LIST *backend = runtime_backend_for(session);

    return backend ? backend->C_VerifyFinal(session, signature, signature_len) : runtime_lacks_session();
}

CK_RV pass_C_VerifyRecoverInit(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key)
{
    const CK_FUNCTION_LIST *backend = runtime_backend_for(session);

    return backend ? backend->C_VerifyRecoverInit(session, mechanism, key) : runtime_lacks_session();
}

CK_RV pass_C_VerifyRecover(CK_SESSION_HANDLE session, CK_BYTE_PTR signature, CK_ULONG signature_len,
                           CK_BYTE_PTR data, CK_ULONG_PTR data_len)
{
    const CK_FUNCTION_LIST *backend = runtime_backend_for(session);

    return backend ? backend->C_VerifyRecover(session, signature, signature_len, data, data_len)
                   : runtime_lacks_session();
}

CK_RV pass_C_DigestEncryptUpdate(CK_SESSION_HANDLE session, CK_BYTE_PTR part, CK_ULONG part_len,
                                 CK_BYTE_PTR encrypted_part, CK_ULONG_PTR encrypted_part_len)
{
    const CK_FUNCTION_LIST *backend = runtime_backend_for(session);

    return backend ? backend->C_DigestEncryptUpdate(session, part, part_len, encrypted_part, encrypted_part_len)
                   : runtime_lacks_session();
}

CK_RV pass_C_SeedRandom(CK_SESSION_HANDLE session, CK_BYTE_PTR seed, CK_ULONG seed_len)
{
    const CK_FUNCTION_LIST *backend = runtime_backend_for(session);

    return backend ? backend->C_SeedRandom(session, seed, seed_len) : runtime_lacks_session();
}

CK_RV pass_C_GenerateRandom(CK_SESSION_HANDLE session, CK_BYTE_PTR random_data, CK_ULONG random_len)
{
    const CK_FUNCTION_LIST *backend = runtime_backend_for(session);

    return backend ? backend->C_GenerateRandom(session, random_data, random_len)
                   : runtime_lacks_session();
}

CK_RV pass_C_GetFunctionStatus(CK_SESSION_HANDLE session)
{
    const CK_FUNCTION_LIST *backend = runtime_backend_for(session);

    return backend ? backend->C_GetFunctionStatus(session) : runtime_lacks_session();
}

CK_RV pass_C_CancelFunction(CK_SESSION_HANDLE session)
{
    const CK_FUNCTION_LIST *backend = runtime_backend_for(session);

    return backend ? backend->C_CancelFunction(session) : runtime_lacks_session();
}

CK_RV pass_C_WaitForSlotEvent(CK_FLAGS flags, CK_SLOT_ID_PTR slot, CK_VOID_PTR reserved)
{
    const CK_FUNCTION_LIST *backend = runtime_backend();

    return backend ? backend->C_WaitForSlotEvent(flags, slot, reserved) : CKR_CRYPTOKI_NOT_INITIALIZED;
}
