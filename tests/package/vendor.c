/* A program as somebody would write it against the installed header: is the module's vendor interface there?
 * Usage: vendor MODULE. */
#include <dlfcn.h>
#include <stdio.h>

#include <p11-kit/pkcs11.h>

/* CK_INTERFACE of PKCS#11 3.0, 3.6, which older p11-kits do not declare. */
struct interface {
    char *name;
    void *functions;
    CK_FLAGS flags;
};

#include <pinward.h>

typedef CK_RV (*get_interface_function)(unsigned char *name, CK_VERSION *version, struct interface **found,
                                        CK_FLAGS flags);

int main(int argc, char **argv)
{
    void *module = argc == 2 ? dlopen(argv[1], RTLD_NOW) : NULL;
    const struct pinward_consent_functions *consent;
    get_interface_function get_interface = NULL;
    struct interface *found = NULL;
    CK_ULONG uses, time_s;
    CK_RV rv;

    if (module)
        *(void **)(&get_interface) = dlsym(module, "C_GetInterface");
    if (!get_interface) {
        fprintf(stderr, "vendor: %s\n", dlerror());
        return 1;
    }
    rv = get_interface((unsigned char *)PINWARD_CONSENT_INTERFACE, NULL, &found, 0);
    if (rv != CKR_OK)
        return 1;
    consent = found->functions;
    rv = consent->get_limits(0, &uses, &time_s);
    printf("interface %u.%u, get_limits before C_Initialize answers 0x%lx\n", consent->version.major,
           consent->version.minor, rv);
    return rv == CKR_CRYPTOKI_NOT_INITIALIZED && dlclose(module) == 0 ? 0 : 1;
}
