/*
 * fill: makes the token of the bench, with an RSA and a P-256 key pair and so many data objects.
 *
 * Usage: pinward-bench-fill MODULE TOKEN-LABEL OBJECTS
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/place.h"

static CK_BBOOL yes = CK_TRUE;

static CK_SESSION_HANDLE make_token(CK_FUNCTION_LIST *functions, const char *label)
{
    CK_UTF8CHAR padded[32], pin[] = PLACE_PIN;
    CK_SESSION_HANDLE session;
    CK_SLOT_ID slots[8];
    CK_ULONG count = 8;

    memset(padded, ' ', sizeof padded);
    memcpy(padded, label, strlen(label));
    place_must(functions->C_GetSlotList(CK_TRUE, slots, &count), "C_GetSlotList");
    place_must(functions->C_InitToken(slots[count - 1], pin, sizeof pin - 1, padded), "C_InitToken");
    count = 8;
    place_must(functions->C_GetSlotList(CK_TRUE, slots, &count), "C_GetSlotList"); /* it has a new slot now */
    place_must(functions->C_OpenSession(slots[0], CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session),
               "C_OpenSession");
    place_must(functions->C_Login(session, CKU_SO, pin, sizeof pin - 1), "C_Login");
    place_must(functions->C_InitPIN(session, pin, sizeof pin - 1), "C_InitPIN");
    place_must(functions->C_Logout(session), "C_Logout");
    place_must(functions->C_Login(session, CKU_USER, pin, sizeof pin - 1), "C_Login");
    return session;
}

static void make_pair(CK_FUNCTION_LIST *functions, CK_SESSION_HANDLE session, CK_MECHANISM_TYPE type, const char *label,
                      const CK_ATTRIBUTE *kind)
{
    CK_MECHANISM mechanism = {type, NULL, 0};
    CK_ATTRIBUTE public_key[] = {*kind, {CKA_TOKEN, &yes, 1}, {CKA_LABEL, (void *)label, strlen(label)},
                                 {CKA_VERIFY, &yes, 1}, {CKA_ENCRYPT, &yes, 1}};
    CK_ATTRIBUTE private_key[] = {{CKA_TOKEN, &yes, 1}, {CKA_LABEL, (void *)label, strlen(label)}, {CKA_PRIVATE, &yes, 1},
                                  {CKA_SIGN, &yes, 1}, {CKA_DECRYPT, &yes, 1}};
    CK_OBJECT_HANDLE handles[2];

    place_must(functions->C_GenerateKeyPair(session, &mechanism, public_key, 5, private_key, 5, &handles[0], &handles[1]),
               "C_GenerateKeyPair");
}

static void make_object(CK_FUNCTION_LIST *functions, CK_SESSION_HANDLE session, CK_ULONG number)
{
    CK_OBJECT_CLASS class = CKO_DATA;
    char label[PLACE_OBJECT_SIZE], value[] = "a data object of the bench";
    const int len = snprintf(label, sizeof label, PLACE_OBJECT, number);
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof class}, {CKA_TOKEN, &yes, 1}, {CKA_LABEL, label, (CK_ULONG)len},
                               {CKA_VALUE, value, sizeof value - 1}};
    CK_OBJECT_HANDLE handle;

    place_must(functions->C_CreateObject(session, template, 4, &handle), "C_CreateObject");
}

int main(int argc, char **argv)
{
    CK_BYTE p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
    CK_ULONG bits = 2048;
    CK_FUNCTION_LIST *functions;
    CK_SESSION_HANDLE session;

    if (argc != 4) {
        fprintf(stderr, "usage: pinward-bench-fill MODULE TOKEN-LABEL OBJECTS\n");
        return 2;
    }
    functions = place_load(argv[1]);
    place_initialize(functions);
    session = make_token(functions, argv[2]);
    make_pair(functions, session, CKM_RSA_PKCS_KEY_PAIR_GEN, PLACE_RSA, &(CK_ATTRIBUTE){CKA_MODULUS_BITS, &bits, sizeof bits});
    make_pair(functions, session, CKM_EC_KEY_PAIR_GEN, PLACE_P256, &(CK_ATTRIBUTE){CKA_EC_PARAMS, p256, sizeof p256});
    for (CK_ULONG i = 0; i < strtoul(argv[3], NULL, 10); i++)
        make_object(functions, session, i);
    place_must(functions->C_Finalize(NULL), "C_Finalize");
    return 0;
}
