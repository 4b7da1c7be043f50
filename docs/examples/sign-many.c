/*
 * sign-many: signs many files with one PIN entry. An example of batch consent (pinward.h): OpenSSL and libp11's engine do
 * the signing as they would without it; the program asks the user once, before it begins.
 *
 *     cc sign-many.c -o sign-many $(pkg-config --cflags pinward p11-kit-1) $(pkg-config --libs libcrypto)
 *     ./sign-many "$(pkg-config --variable=module pinward)" 'My token' 'ming (signing)' ming.pem FILE...
 *
 * Writes a detached CMS signature beside each file, FILE.p7s. The key's certificate is read from a file.
 */
#define OPENSSL_SUPPRESS_DEPRECATED /* engines */
#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <openssl/cms.h>
#include <openssl/engine.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <p11-kit/pkcs11.h>

#include <pinward.h>

#define TIME_S 300UL

/* CK_INTERFACE of PKCS#11 3.0, 3.6, which p11-kit's header of 2.40 has not. */
struct interface {
    CK_UTF8CHAR *name;
    const void *functions;
    CK_FLAGS flags;
};

typedef CK_RV (*get_interface_function)(const char *name, CK_VERSION *version, struct interface **found, CK_FLAGS flags);

struct module {
    CK_FUNCTION_LIST *functions;
    const struct pinward_consent_functions *consent;
};

static bool module_load(const char *path, struct module *module)
{
    void *library = dlopen(path, RTLD_NOW);
    CK_C_GetFunctionList get_functions = NULL;
    get_interface_function get_interface = NULL;
    struct interface *found;

    if (library) {
        *(void **)(&get_functions) = dlsym(library, "C_GetFunctionList");
        *(void **)(&get_interface) = dlsym(library, "C_GetInterface");
    }
    if (!get_functions || !get_interface || get_functions(&module->functions) != CKR_OK ||
        get_interface(PINWARD_CONSENT_INTERFACE, NULL, &found, 0) != CKR_OK) {
        fprintf(stderr, "sign-many: %s is not Pinward's module\n", path);
        return false;
    }
    module->consent = found->functions;
    return true;
}

/* The engine will initialise the module too, and take it that somebody has. */
static bool module_open_session(const struct module *module, const char *label, CK_SESSION_HANDLE *session)
{
    CK_SLOT_ID slots[32];
    CK_ULONG count = sizeof slots / sizeof slots[0];
    CK_TOKEN_INFO info;

    if (module->functions->C_Initialize(NULL) != CKR_OK ||
        module->functions->C_GetSlotList(CK_TRUE, slots, &count) != CKR_OK) {
        fprintf(stderr, "sign-many: the module does not start; its log says why\n");
        return false;
    }
    for (CK_ULONG i = 0; i < count; i++) {
        char padded[sizeof info.label + 1];

        snprintf(padded, sizeof padded, "%-32s", label);
        if (module->functions->C_GetTokenInfo(slots[i], &info) == CKR_OK &&
            memcmp(info.label, padded, sizeof info.label) == 0) {
            return module->functions->C_OpenSession(slots[i], CKF_SERIAL_SESSION, NULL, NULL, session) == CKR_OK;
        }
    }
    fprintf(stderr, "sign-many: there is no token \"%s\"\n", label);
    return false;
}

/* One window for all files; the same PIN logs in. Closing the session would end the login, and the batch with it. */
static bool module_ask(const struct module *module, CK_SESSION_HANDLE session, int files)
{
    char purpose[PINWARD_PURPOSE_MAX];
    CK_ULONG most, longest_s, batch;
    int len = snprintf(purpose, sizeof purpose, "sign %d files", files);
    CK_RV rv = module->consent->get_limits(session, &most, &longest_s);

    if (rv == CKR_OK && (CK_ULONG)files > most) {
        fprintf(stderr, "sign-many: at most %lu files at once, says the configuration (batch-uses)\n", most);
        return false;
    }
    if (rv == CKR_OK) {
        rv = module->consent->request_batch(session, (CK_ULONG)files, TIME_S < longest_s ? TIME_S : longest_s,
                                            (const CK_UTF8CHAR *)purpose, (CK_ULONG)len, &batch);
    }
    if (rv != CKR_OK) {
        fprintf(stderr, "sign-many: not agreed to (0x%lx); nothing was signed\n", rv);
    }
    return rv == CKR_OK;
}

static EVP_PKEY *key_load(const char *module_path, const char *token, const char *label)
{
    char uri[512];
    ENGINE *engine;

    snprintf(uri, sizeof uri, "pkcs11:token=%s;object=%s;type=private", token, label);
    ENGINE_load_builtin_engines();
    engine = ENGINE_by_id("pkcs11");
    if (!engine || !ENGINE_ctrl_cmd_string(engine, "MODULE_PATH", module_path, 0) || !ENGINE_init(engine)) {
        return NULL;
    }
    return ENGINE_load_private_key(engine, uri, NULL, NULL);
}

static X509 *certificate_load(const char *path)
{
    BIO *file = BIO_new_file(path, "r");
    X509 *certificate = file ? PEM_read_bio_X509(file, NULL, NULL, NULL) : NULL;

    BIO_free(file);
    return certificate;
}

static bool sign_file(EVP_PKEY *key, X509 *certificate, const char *path)
{
    char target[4096];
    BIO *in = BIO_new_file(path, "rb");
    CMS_ContentInfo *cms = in ? CMS_sign(certificate, key, NULL, in, CMS_DETACHED | CMS_BINARY) : NULL;
    BIO *out = NULL;
    bool done = false;

    if (cms && snprintf(target, sizeof target, "%s.p7s", path) < (int)sizeof target) {
        out = BIO_new_file(target, "wb");
        done = out && i2d_CMS_bio(out, cms) == 1;
    }
    BIO_free(out);
    CMS_ContentInfo_free(cms);
    BIO_free(in);
    return done;
}

int main(int argc, char **argv)
{
    struct module module;
    CK_SESSION_HANDLE session;
    EVP_PKEY *key = NULL;
    X509 *certificate = NULL;
    int done = 0, files = argc - 5;

    if (files < 1) {
        fprintf(stderr, "usage: sign-many MODULE TOKEN KEY CERTIFICATE FILE...\n");
        return 2;
    }
    if (!module_load(argv[1], &module) || !module_open_session(&module, argv[2], &session) ||
        !module_ask(&module, session, files)) {
        return 1;
    }
    key = key_load(argv[1], argv[2], argv[3]);
    certificate = certificate_load(argv[4]);
    while (key && certificate && done < files && sign_file(key, certificate, argv[5 + done])) {
        done++;
    }
    if (done < files) {
        ERR_print_errors_fp(stderr);
    }
    printf("%d of %d files signed\n", done, files);
    EVP_PKEY_free(key);
    X509_free(certificate);
    return done == files ? 0 : 1;
}
