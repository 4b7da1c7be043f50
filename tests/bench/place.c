#include "tests/bench/place.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS_MAX 64

void place_must(CK_RV rv, const char *what)
{
    if (rv == CKR_OK)
        return;
    fprintf(stderr, "bench: %s returned 0x%08lx\n", what, rv);
    exit(1);
}

CK_FUNCTION_LIST *place_load(const char *path)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    CK_FUNCTION_LIST *functions = NULL;
    CK_C_GetFunctionList get_list;

    if (!library) {
        fprintf(stderr, "bench: %s\n", dlerror());
        exit(1);
    }
    *(void **)&get_list = dlsym(library, "C_GetFunctionList");
    place_must(get_list ? get_list(&functions) : CKR_GENERAL_ERROR, "C_GetFunctionList");
    return functions;
}

void place_initialize(CK_FUNCTION_LIST *functions)
{
    const CK_RV rv = functions->C_Initialize(&(CK_C_INITIALIZE_ARGS){.flags = CKF_OS_LOCKING_OK});

    place_must(rv == CKR_CRYPTOKI_ALREADY_INITIALIZED ? CKR_OK : rv, "C_Initialize");
}

static CK_SLOT_ID find_token(CK_FUNCTION_LIST *functions, const char *label)
{
    CK_SLOT_ID slots[SLOTS_MAX];
    CK_ULONG count = SLOTS_MAX;
    CK_TOKEN_INFO info;

    place_must(functions->C_GetSlotList(CK_TRUE, slots, &count), "C_GetSlotList");
    for (CK_ULONG i = 0; i < count; i++)
        if (functions->C_GetTokenInfo(slots[i], &info) == CKR_OK && memcmp(info.label, label, strlen(label)) == 0 &&
            info.label[strlen(label)] == ' ')
            return slots[i];
    fprintf(stderr, "bench: no token %s\n", label);
    exit(1);
}

static CK_OBJECT_HANDLE find_key(const struct place *place, CK_OBJECT_CLASS class, const char *label)
{
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof class}, {CKA_LABEL, (void *)label, strlen(label)}};
    CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
    CK_ULONG count = 0;

    place_must(place->functions->C_FindObjectsInit(place->sessions[0], template, 2), "C_FindObjectsInit");
    place_must(place->functions->C_FindObjects(place->sessions[0], &key, 1, &count), "C_FindObjects");
    place_must(place->functions->C_FindObjectsFinal(place->sessions[0]), "C_FindObjectsFinal");
    place_must(count == 1 ? CKR_OK : CKR_KEY_HANDLE_INVALID, label);
    return key;
}

static void log_in(const struct place *place)
{
    CK_UTF8CHAR pin[] = PLACE_PIN;
    const CK_RV rv = place->functions->C_Login(place->sessions[0], CKU_USER, pin, sizeof pin - 1);

    place_must(rv == CKR_USER_ALREADY_LOGGED_IN ? CKR_OK : rv, "C_Login");
}

static void encrypt_something(struct place *place)
{
    CK_MECHANISM mechanism = {CKM_RSA_PKCS, NULL, 0};
    CK_BYTE text[32] = "thirty-two bytes for the RSA key";

    place->encrypted_len = sizeof place->encrypted;
    place_must(place->functions->C_EncryptInit(place->sessions[0], &mechanism, place->rsa_public), "C_EncryptInit");
    place_must(place->functions->C_Encrypt(place->sessions[0], text, sizeof text, place->encrypted, &place->encrypted_len),
               "C_Encrypt");
}

void place_open(const char *path, const char *token_label, CK_ULONG objects, struct place *place)
{
    memset(place, 0, sizeof *place);
    place->functions = place_load(path);
    place_initialize(place->functions);
    place->slot = find_token(place->functions, token_label);
    for (unsigned i = 0; i < PLACE_SESSIONS; i++)
        place_must(place->functions->C_OpenSession(place->slot, CKF_SERIAL_SESSION, NULL, NULL, &place->sessions[i]),
                   "C_OpenSession");
    log_in(place);
    place->rsa = find_key(place, CKO_PRIVATE_KEY, PLACE_RSA);
    place->rsa_public = find_key(place, CKO_PUBLIC_KEY, PLACE_RSA);
    place->p256 = find_key(place, CKO_PRIVATE_KEY, PLACE_P256);
    encrypt_something(place);
    snprintf(place->wanted, sizeof place->wanted, PLACE_OBJECT, objects / 2);
}
