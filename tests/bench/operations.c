#include "tests/bench/operations.h"

#include <string.h>

/* Copies, since a module may write to what it is given. */
#define TEXT {"the same sixty-four bytes, signed again and again for the clock"}

static CK_RV sign(const struct place *place, CK_SESSION_HANDLE session, CK_MECHANISM_TYPE type, CK_OBJECT_HANDLE key,
                  CK_ULONG text_len)
{
    CK_MECHANISM mechanism = {type, NULL, 0};
    CK_BYTE text[64] = TEXT, signature[256];
    CK_ULONG len = sizeof signature;
    CK_RV rv = place->functions->C_SignInit(session, &mechanism, key);

    return rv == CKR_OK ? place->functions->C_Sign(session, text, text_len, signature, &len) : rv;
}

static CK_RV sign_rsa(const struct place *place, CK_SESSION_HANDLE session)
{
    return sign(place, session, CKM_SHA256_RSA_PKCS, place->rsa, 64);
}

static CK_RV sign_p256(const struct place *place, CK_SESSION_HANDLE session)
{
    return sign(place, session, CKM_ECDSA, place->p256, 32);
}

static CK_RV decrypt(const struct place *place, CK_SESSION_HANDLE session)
{
    CK_MECHANISM mechanism = {CKM_RSA_PKCS, NULL, 0};
    CK_BYTE text[256], encrypted[256];
    CK_ULONG len = sizeof text;
    CK_RV rv = place->functions->C_DecryptInit(session, &mechanism, place->rsa);

    memcpy(encrypted, place->encrypted, sizeof encrypted);
    return rv == CKR_OK ? place->functions->C_Decrypt(session, encrypted, place->encrypted_len, text, &len) : rv;
}

/* One object, by its class and its label. */
static CK_RV find(const struct place *place, CK_SESSION_HANDLE session)
{
    CK_OBJECT_CLASS class = CKO_DATA;
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof class}, {CKA_LABEL, (void *)place->wanted, strlen(place->wanted)}};
    CK_OBJECT_HANDLE found[4];
    CK_ULONG count = 0;
    CK_RV rv = place->functions->C_FindObjectsInit(session, template, 2);

    if (rv == CKR_OK)
        rv = place->functions->C_FindObjects(session, found, 4, &count);
    if (rv == CKR_OK)
        rv = place->functions->C_FindObjectsFinal(session);
    return rv == CKR_OK && count != 1 ? CKR_OBJECT_HANDLE_INVALID : rv;
}

static CK_RV attributes_public(const struct place *place, CK_SESSION_HANDLE session)
{
    CK_KEY_TYPE type;
    CK_BYTE label[64], modulus[256];
    CK_ATTRIBUTE template[] = {{CKA_KEY_TYPE, &type, sizeof type}, {CKA_LABEL, label, sizeof label},
                               {CKA_MODULUS, modulus, sizeof modulus}};

    return place->functions->C_GetAttributeValue(session, place->rsa_public, template, 3);
}

/* As programs do before they sign; the gate answers one of them itself. */
static CK_RV attributes_private(const struct place *place, CK_SESSION_HANDLE session)
{
    CK_KEY_TYPE type;
    CK_BBOOL always_authenticate;
    CK_BYTE label[64], modulus[256];
    CK_ATTRIBUTE template[] = {{CKA_KEY_TYPE, &type, sizeof type}, {CKA_LABEL, label, sizeof label},
                               {CKA_MODULUS, modulus, sizeof modulus},
                               {CKA_ALWAYS_AUTHENTICATE, &always_authenticate, sizeof always_authenticate}};

    return place->functions->C_GetAttributeValue(session, place->rsa, template, 4);
}

static CK_RV open_session(const struct place *place, CK_SESSION_HANDLE session)
{
    const CK_RV rv = place->functions->C_OpenSession(place->slot, CKF_SERIAL_SESSION, NULL, NULL, &session);

    return rv == CKR_OK ? place->functions->C_CloseSession(session) : rv;
}

static CK_RV session_info(const struct place *place, CK_SESSION_HANDLE session)
{
    CK_SESSION_INFO info;

    return place->functions->C_GetSessionInfo(session, &info);
}

static CK_RV digest(const struct place *place, CK_SESSION_HANDLE session)
{
    CK_MECHANISM mechanism = {CKM_SHA256, NULL, 0};
    CK_BYTE text[64] = TEXT, out[32];
    CK_ULONG len = sizeof out;
    CK_RV rv = place->functions->C_DigestInit(session, &mechanism);

    return rv == CKR_OK ? place->functions->C_Digest(session, text, sizeof text, out, &len) : rv;
}

operation_function *operation_named(const char *name)
{
    static const struct {
        const char *name;
        operation_function *function;
    } rows[] = {
        {"sign-rsa", sign_rsa},
        {"sign-p256", sign_p256},
        {"decrypt", decrypt},
        {"find", find},
        {"attributes-public", attributes_public},
        {"attributes-private", attributes_private},
        {"open-session", open_session},
        {"session-info", session_info},
        {"digest", digest},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (strcmp(rows[i].name, name) == 0)
            return rows[i].function;
    return NULL;
}
