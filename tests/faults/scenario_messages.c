#include "faults/scenario_internal.h"

#include "fuzz/module_token.h"

#define SIZED(bytes) (bytes), sizeof(bytes)

static CK_MECHANISM rsa = {CKM_RSA_PKCS, NULL, 0}, aes = {CKM_AES_GCM, NULL, 0};
static CK_BYTE data[] = "what is in the message", parameter[4];

static void sign_messages(CK_OBJECT_HANDLE key)
{
    const CK_SESSION_HANDLE session = scenario_session();
    CK_BYTE out[64];
    CK_ULONG len = sizeof out;

    (void)SCENARIO_DO(C_MessageSignInit, session, &rsa, key);
    (void)SCENARIO_DO(C_SignMessage, session, SIZED(parameter), SIZED(data), out, &len);
    len = sizeof out;
    (void)SCENARIO_DO(C_SignMessage, session, SIZED(parameter), SIZED(data), out, &len);
    (void)SCENARIO_DO(C_SignMessageBegin, session, SIZED(parameter));
    (void)SCENARIO_DO(C_SignMessageNext, session, SIZED(parameter), SIZED(data), NULL, NULL);
    len = sizeof out;
    (void)SCENARIO_DO(C_SignMessageNext, session, SIZED(parameter), SIZED(data), out, &len);
    (void)SCENARIO_DO(C_MessageSignFinal, session);
}

static void decrypt_messages(CK_OBJECT_HANDLE key)
{
    const CK_SESSION_HANDLE session = scenario_session();
    CK_BYTE out[64];
    CK_ULONG len = sizeof out;

    (void)SCENARIO_DO(C_MessageDecryptInit, session, &rsa, key);
    (void)SCENARIO_DO(C_DecryptMessage, session, SIZED(parameter), NULL, 0, SIZED(data), out, &len);
    (void)SCENARIO_DO(C_DecryptMessageBegin, session, SIZED(parameter), NULL, 0);
    len = sizeof out;
    (void)SCENARIO_DO(C_DecryptMessageNext, session, SIZED(parameter), SIZED(data), out, &len, 0);
    len = sizeof out;
    (void)SCENARIO_DO(C_DecryptMessageNext, session, SIZED(parameter), SIZED(data), out, &len, CKF_END_OF_MESSAGE);
    (void)SCENARIO_DO(C_MessageDecryptFinal, session);
}

/* What begins and is given up. */
static void cancel_messages(void)
{
    const CK_SESSION_HANDLE session = scenario_session();

    (void)SCENARIO_DO(C_MessageSignInit, session, &rsa, TOKEN_ALPHA);
    (void)SCENARIO_DO(C_SignMessageBegin, session, SIZED(parameter));
    (void)SCENARIO_DO(C_SessionCancel, session, CKF_MESSAGE_SIGN);
    (void)SCENARIO_DO(C_MessageDecryptInit, session, &rsa, TOKEN_ALPHA);
    (void)SCENARIO_DO(C_SessionCancel, session, CKF_MESSAGE_DECRYPT);
}

static void encrypt_messages(void)
{
    const CK_SESSION_HANDLE session = scenario_session();
    CK_BYTE out[64];
    CK_ULONG len = sizeof out;

    (void)SCENARIO_DO(C_MessageEncryptInit, session, &aes, TOKEN_SECRET);
    (void)SCENARIO_DO(C_EncryptMessage, session, SIZED(parameter), NULL, 0, SIZED(data), out, &len);
    (void)SCENARIO_DO(C_EncryptMessageBegin, session, SIZED(parameter), NULL, 0);
    len = sizeof out;
    (void)SCENARIO_DO(C_EncryptMessageNext, session, SIZED(parameter), SIZED(data), out, &len, CKF_END_OF_MESSAGE);
    (void)SCENARIO_DO(C_MessageEncryptFinal, session);
}

static void verify_messages(void)
{
    const CK_SESSION_HANDLE session = scenario_session();
    CK_BYTE signature[32] = {0};

    (void)SCENARIO_DO(C_MessageVerifyInit, session, &rsa, TOKEN_PUBLIC);
    (void)SCENARIO_DO(C_VerifyMessage, session, SIZED(parameter), SIZED(data), SIZED(signature));
    (void)SCENARIO_DO(C_VerifyMessageBegin, session, SIZED(parameter));
    (void)SCENARIO_DO(C_VerifyMessageNext, session, SIZED(parameter), SIZED(data), SIZED(signature));
    (void)SCENARIO_DO(C_MessageVerifyFinal, session);
}

void scenario_messages(void)
{
    sign_messages(TOKEN_ALPHA);
    sign_messages(TOKEN_BETA);
    decrypt_messages(TOKEN_ALPHA);
    decrypt_messages(TOKEN_BETA);
    cancel_messages();
    encrypt_messages();
    verify_messages();
}
