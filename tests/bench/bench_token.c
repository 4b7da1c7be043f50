#include "tests/bench/bench_token.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void must(CK_RV rv, const char *what)
{
    if (rv == CKR_OK)
        return;
    fprintf(stderr, "bench: %s returned 0x%08lx\n", what, rv);
    exit(1);
}

static CK_FUNCTION_LIST *load(const char *path)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    CK_FUNCTION_LIST *functions = NULL;
    CK_C_GetFunctionList get_list;

    if (!library) {
        fprintf(stderr, "bench: %s\n", dlerror());
        exit(1);
    }
    *(void **)&get_list = dlsym(library, "C_GetFunctionList");
    must(get_list ? get_list(&functions) : CKR_GENERAL_ERROR, "C_GetFunctionList");
    return functions;
}

static CK_SLOT_ID first_slot(CK_FUNCTION_LIST *functions)
{
    CK_SLOT_ID slots[8];
    CK_ULONG count = 8;

    must(functions->C_GetSlotList(CK_TRUE, slots, &count), "C_GetSlotList");
    return slots[0];
}

/* The token of the bench: the first one that is not initialised becomes it. SoftHSM2 then gives it a new slot. */
static void make_token(struct bench_token *token)
{
    CK_UTF8CHAR label[32] = "bench                           ";
    CK_UTF8CHAR so_pin[] = "87654321";
    CK_UTF8CHAR pin[] = BENCH_PIN;
    CK_SLOT_ID slots[8];
    CK_ULONG count = 8;

    must(token->direct->C_GetSlotList(CK_TRUE, slots, &count), "C_GetSlotList");
    must(token->direct->C_InitToken(slots[count - 1], so_pin, sizeof so_pin - 1, label), "C_InitToken");
    token->slot_direct = first_slot(token->direct);
    must(token->direct->C_OpenSession(token->slot_direct, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &token->session),
         "C_OpenSession");
    must(token->direct->C_Login(token->session, CKU_SO, so_pin, sizeof so_pin - 1), "C_Login");
    must(token->direct->C_InitPIN(token->session, pin, sizeof pin - 1), "C_InitPIN");
    must(token->direct->C_Logout(token->session), "C_Logout");
    must(token->direct->C_Login(token->session, CKU_USER, pin, sizeof pin - 1), "C_Login");
}

static void make_key(struct bench_token *token, const char *label, CK_BBOOL always_authenticate)
{
    CK_MECHANISM mechanism = {CKM_RSA_PKCS_KEY_PAIR_GEN, NULL, 0};
    CK_ULONG bits = 2048;
    CK_BBOOL yes = CK_TRUE;
    CK_BYTE exponent[] = {1, 0, 1};
    CK_ATTRIBUTE public_key[] = {
        {CKA_MODULUS_BITS, &bits, sizeof bits},
        {CKA_PUBLIC_EXPONENT, exponent, sizeof exponent},
        {CKA_VERIFY, &yes, sizeof yes},
    };
    CK_ATTRIBUTE private_key[] = {
        {CKA_SIGN, &yes, sizeof yes},
        {CKA_PRIVATE, &yes, sizeof yes},
        {CKA_TOKEN, &yes, sizeof yes},
        {CKA_ALWAYS_AUTHENTICATE, &always_authenticate, sizeof always_authenticate},
        {CKA_LABEL, (void *)label, strlen(label)},
    };
    CK_OBJECT_HANDLE handles[2];

    must(token->direct->C_GenerateKeyPair(token->session, &mechanism, public_key, 3, private_key, 5, &handles[0],
                                          &handles[1]),
         "C_GenerateKeyPair");
}

/* Handles of private keys are those of a login. */
static CK_OBJECT_HANDLE find_key(CK_FUNCTION_LIST *functions, CK_SESSION_HANDLE session, const char *label)
{
    CK_OBJECT_CLASS private_key = CKO_PRIVATE_KEY;
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &private_key, sizeof private_key},
                               {CKA_LABEL, (void *)label, strlen(label)}};
    CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
    CK_ULONG count = 0;

    must(functions->C_FindObjectsInit(session, template, 2), "C_FindObjectsInit");
    must(functions->C_FindObjects(session, &key, 1, &count), "C_FindObjects");
    must(functions->C_FindObjectsFinal(session), "C_FindObjectsFinal");
    must(count == 1 ? CKR_OK : CKR_GENERAL_ERROR, "the search for a key");
    return key;
}

static void log_in_through_module(struct bench_token *token)
{
    CK_UTF8CHAR pin[] = BENCH_PIN;

    must(token->direct->C_CloseSession(token->session), "C_CloseSession");
    must(token->pinward->C_Initialize(&(CK_C_INITIALIZE_ARGS){.flags = CKF_OS_LOCKING_OK}),
         "C_Initialize through the module (see its log)");
    token->slot = first_slot(token->pinward);
    must(token->pinward->C_OpenSession(token->slot, CKF_SERIAL_SESSION, NULL, NULL, &token->session), "C_OpenSession");
    must(token->pinward->C_Login(token->session, CKU_USER, pin, sizeof pin - 1), "C_Login through the module");
}

void bench_token_open(const char *backend_path, const char *module_path, struct bench_token *token)
{
    memset(token, 0, sizeof *token);
    token->direct = load(backend_path);
    token->pinward = load(module_path);
    must(token->direct->C_Initialize(&(CK_C_INITIALIZE_ARGS){.flags = CKF_OS_LOCKING_OK}), "C_Initialize");
    make_token(token);
    make_key(token, BENCH_KEY_LOW, CK_FALSE);
    make_key(token, BENCH_KEY_GATE, CK_FALSE);
    make_key(token, BENCH_KEY_TOKEN, CK_TRUE);
    log_in_through_module(token);
    token->key = find_key(token->pinward, token->session, BENCH_KEY_LOW);
    token->key_gate = find_key(token->pinward, token->session, BENCH_KEY_GATE);
    token->key_token = find_key(token->pinward, token->session, BENCH_KEY_TOKEN);
}

void bench_token_close(struct bench_token *token)
{
    must(token->pinward->C_Finalize(NULL), "C_Finalize through the module");
    must(token->direct->C_Finalize(NULL), "C_Finalize");
}
