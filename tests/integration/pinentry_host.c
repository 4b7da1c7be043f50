/*
 * pinentry-host: an application in a terminal or on a display, for tests with real pinentries. Every PIN is left to the
 * module.
 *
 *   pinentry-host MODULE STEP...
 *     login      C_Login of the user
 *     key LABEL  C_GenerateKeyPair, RSA, in the session
 *     sign       C_SignInit and C_Sign with that key
 *     set-pin    C_SetPIN
 *     logout     C_Logout
 *     finalize   C_Finalize
 *     begin      C_Initialize and C_OpenSession, which is also how it starts
 *     reload     dlclose, without C_Finalize, and all of it again, but without C_Initialize
 *     stop       stops itself (SIGSTOP), so that somebody can look at it, and goes on when it is continued
 *
 * Each step prints its name and the CKR, "sign 0x00000000", when it is done; a "# " line says that it was begun.
 */
#include <dlfcn.h>
#include <p11-kit/pkcs11.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

struct host {
    void *library;
    CK_FUNCTION_LIST *p11;
    CK_SESSION_HANDLE session;
    CK_OBJECT_HANDLE key;
};

static int load(struct host *host, const char *path)
{
    CK_C_GetFunctionList get_list = NULL;

    host->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (host->library)
        *(void **)&get_list = dlsym(host->library, "C_GetFunctionList");
    return get_list && get_list(&host->p11) == CKR_OK;
}

static CK_RV reload(struct host *host, const char *path)
{
    dlclose(host->library);
    return load(host, path) ? CKR_OK : CKR_GENERAL_ERROR;
}

static CK_RV open_session(struct host *host)
{
    CK_SLOT_ID slots[16];
    CK_ULONG count = sizeof slots / sizeof slots[0];
    CK_RV rv = host->p11->C_Initialize(NULL);

    /* SoftHSM2 lists its token before the free slot. */
    if (rv == CKR_OK)
        rv = host->p11->C_GetSlotList(CK_TRUE, slots, &count);
    if (rv == CKR_OK)
        rv = host->p11->C_OpenSession(slots[0], CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &host->session);
    return rv;
}

static CK_RV make_key(struct host *host, const char *label)
{
    CK_MECHANISM mechanism = {CKM_RSA_PKCS_KEY_PAIR_GEN, NULL, 0};
    CK_ULONG bits = 2048;
    CK_BYTE exponent[] = {1, 0, 1};
    CK_BBOOL yes = CK_TRUE;
    CK_ATTRIBUTE public_template[] = {{CKA_MODULUS_BITS, &bits, sizeof bits},
                                      {CKA_PUBLIC_EXPONENT, exponent, sizeof exponent},
                                      {CKA_VERIFY, &yes, sizeof yes}};
    CK_ATTRIBUTE private_template[] = {{CKA_LABEL, (void *)label, strlen(label)}, {CKA_SIGN, &yes, sizeof yes}};
    CK_OBJECT_HANDLE public_key;

    return host->p11->C_GenerateKeyPair(host->session, &mechanism, public_template, 3, private_template, 2,
                                        &public_key, &host->key);
}

static CK_RV sign(struct host *host)
{
    CK_MECHANISM mechanism = {CKM_SHA256_RSA_PKCS, NULL, 0};
    CK_BYTE data[] = "signed", signature[256];
    CK_ULONG len = sizeof signature;
    CK_RV rv = host->p11->C_SignInit(host->session, &mechanism, host->key);

    return rv == CKR_OK ? host->p11->C_Sign(host->session, data, sizeof data, signature, &len) : rv;
}

static CK_RV run(struct host *host, const char *step, const char *argument)
{
    if (strcmp(step, "login") == 0)
        return host->p11->C_Login(host->session, CKU_USER, NULL, 0);
    if (strcmp(step, "set-pin") == 0)
        return host->p11->C_SetPIN(host->session, NULL, 0, NULL, 0);
    if (strcmp(step, "logout") == 0)
        return host->p11->C_Logout(host->session);
    if (strcmp(step, "finalize") == 0)
        return host->p11->C_Finalize(NULL);
    if (strcmp(step, "begin") == 0)
        return open_session(host);
    if (strcmp(step, "sign") == 0)
        return sign(host);
    if (strcmp(step, "stop") == 0)
        return raise(SIGSTOP) == 0 ? CKR_OK : CKR_FUNCTION_FAILED;
    if (strcmp(step, "key") == 0 && argument)
        return make_key(host, argument);
    return CKR_ARGUMENTS_BAD;
}

int main(int argc, char **argv)
{
    struct host host = {0};
    CK_RV rv;

    if (argc < 3 || !load(&host, argv[1]) || open_session(&host) != CKR_OK) {
        fprintf(stderr, "usage: pinentry-host MODULE STEP..., with a token to work on\n");
        return 2;
    }
    for (int i = 2; i < argc; i++) {
        const char *step = argv[i];

        printf("# %s\n", step);
        fflush(stdout);
        rv = strcmp(step, "reload") == 0 ? reload(&host, argv[1]) : run(&host, step, i + 1 < argc ? argv[i + 1] : NULL);
        if (strcmp(step, "key") == 0)
            i++;
        printf("%s 0x%08lx\n", step, rv);
        fflush(stdout);
    }
    (void)host.p11->C_Finalize(NULL);
    dlclose(host.library);
    return 0;
}
