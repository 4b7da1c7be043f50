#include "pkcs11-module/backend.h"

#include <dlfcn.h>
#include <string.h>

#include "common/log.h"
#include "pkcs11-module/dispatch.h"
#include "pkcs11-module/dispatch_3.h"
#include "pkcs11-module/init_args.h"
#include "pkcs11-module/softhsm.h"

struct backend_member {
    const char *name;
    size_t offset; /* of its pointer in the list */
};

/* PKCS#11 2.40, 3.2 asks for every pointer to be set; a module that leaves one out would crash its caller here. */
static const char *backend_missing_function(const void *functions, const struct backend_member *members, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        CK_VOID_PTR function;

        memcpy(&function, (const char *)functions + members[i].offset, sizeof function);
        if (!function)
            return members[i].name;
    }
    return NULL;
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct backend_member members[] = {
#define X(name, access) {#name, offsetof(CK_FUNCTION_LIST, name)},
    DISPATCH_ROWS(X)
#undef X
};

static const struct backend_member members_3[] = {
#define X(name, access) {#name, offsetof(CK_FUNCTION_LIST_3_0, name)},
    DISPATCH_ROWS_3_0(X)
#undef X
};

/* dlsym also looks into the libraries that the module needs: what it finds there is not the module's. */
static void *backend_own_symbol(void *library, const char *name, const void *own)
{
    void *symbol = dlsym(library, name);
    Dl_info here, there;

    if (!symbol || dladdr(symbol, &there) == 0 || dladdr(own, &here) == 0 || here.dli_fbase != there.dli_fbase)
        return NULL;
    return symbol;
}

/* PKCS#11 3.0, 5.4: the standard's interface, of version 3.0 or else of any 3.x, whose lists begin with that of 3.0.
 * NULL when the module has none. */
static CK_FUNCTION_LIST_3_0 *backend_interface_3(CK_C_GetInterface get_interface)
{
    CK_UTF8CHAR name[] = "PKCS 11";
    CK_VERSION version = {3, 0};
    CK_INTERFACE *interface = NULL;
    CK_FUNCTION_LIST_3_0 *functions;

    if (get_interface(name, &version, &interface, 0) != CKR_OK && get_interface(name, NULL, &interface, 0) != CKR_OK)
        return NULL;
    functions = interface ? interface->pFunctionList : NULL;
    return functions && functions->version.major == 3 ? functions : NULL;
}

/* A list of 3.x whose every pointer is set, or NULL: the module is then used through its 2.x list. */
static CK_FUNCTION_LIST_3_0 *backend_functions_3(void *library, const void *get_list, const char *path)
{
    CK_FUNCTION_LIST_3_0 *functions;
    CK_C_GetInterface get_interface;
    const char *missing;

    *(void **)&get_interface = backend_own_symbol(library, "C_GetInterface", get_list);
    functions = get_interface ? backend_interface_3(get_interface) : NULL;
    if (!functions)
        return NULL;
    missing = backend_missing_function(functions, members, COUNT(members));
    if (!missing)
        missing = backend_missing_function(functions, members_3, COUNT(members_3));
    if (missing)
        log_warning("backend %s leaves %s out of its interface of PKCS#11 3.0: its older one is used", path, missing);
    return missing ? NULL : functions;
}

/* The list of C_GetFunctionList, or NULL with a line in the log. */
static CK_FUNCTION_LIST *backend_functions(CK_C_GetFunctionList get_list, const char *path)
{
    CK_FUNCTION_LIST *functions = NULL;
    const char *missing;
    CK_RV rv = get_list(&functions);

    if (rv != CKR_OK || !functions) {
        log_error("backend %s: C_GetFunctionList returned 0x%08lx", path, rv);
        return NULL;
    }
    if (functions == &dispatch_list) {
        log_error("backend %s is pinward itself: name the token's own module in [module] backend", path);
        return NULL;
    }
    if (functions->version.major != 2 && functions->version.major != 3) {
        log_error("backend %s speaks PKCS#11 %u.%u; 2.x and 3.x are understood", path, functions->version.major,
                  functions->version.minor);
        return NULL;
    }
    missing = backend_missing_function(functions, members, COUNT(members));
    if (missing) {
        log_error("backend %s leaves out %s, which PKCS#11 requires", path, missing);
        return NULL;
    }
    return functions;
}

/* Finds the module's lists; false with a line in the log. A list of 3.x begins like one of 2.x (3.0, 3.6), so it
 * serves as both. */
static bool backend_find_lists(struct backend *backend, const char *path)
{
    CK_C_GetFunctionList get_list;
    void *symbol = dlsym(backend->library, "C_GetFunctionList");

    if (!symbol) {
        log_error("backend %s: not a PKCS#11 module: it has no C_GetFunctionList", path);
        return false;
    }
    *(void **)&get_list = symbol;
    backend->functions = backend_functions(get_list, path);
    if (backend->functions)
        backend->functions_3 = backend_functions_3(backend->library, symbol, path);
    if (backend->functions_3)
        backend->functions = (CK_FUNCTION_LIST *)backend->functions_3;
    return backend->functions != NULL;
}

/* The backend that this module has initialised. Not in the runtime, which a forked child sees as zeros: that is how
 * the child tells what its parent did from what its host does beside the module. */
static CK_FUNCTION_LIST *backend_initialised;

/* A backend that does not notice forks would keep the parent's sessions and, worse, its login (PKCS#11 2.40, 6.7.4:
 * the child begins anew). */
static CK_RV backend_initialise(CK_FUNCTION_LIST *functions, struct init_args *init_args)
{
    CK_RV rv = functions->C_Initialize(init_args);

    if (rv == CKR_CRYPTOKI_ALREADY_INITIALIZED && backend_initialised == functions) {
        (void)functions->C_Finalize(NULL);
        rv = functions->C_Initialize(init_args);
    }
    if (rv == CKR_OK)
        backend_initialised = functions;
    return rv;
}

/* RTLD_NODELETE: a backend brings libraries with threads and exit handlers of their own, and unloading those is
 * what crashes hosts; it also keeps the order in which exit handlers were registered (runtime_at_exit). */
CK_RV backend_open(const char *path, const char *parameters, CK_VOID_PTR given, struct backend *backend)
{
    struct init_args init_args;
    struct backend opened = {.library = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE)};
    CK_RV rv = init_args_take(given, parameters, &init_args);

    if (!opened.library) {
        log_error("backend %s cannot be loaded: %s", path, dlerror());
        return CKR_GENERAL_ERROR;
    }
    if (rv != CKR_OK)
        goto out;
    rv = CKR_GENERAL_ERROR;
    if (!backend_find_lists(&opened, path))
        goto out;
    if (!opened.functions_3 && softhsm_is(path)) {
        if (!softhsm_may_start())
            goto out;
        opened.functions = softhsm_guard(opened.functions);
    }
    rv = backend_initialise(opened.functions, &init_args);
    if (rv == CKR_CANT_LOCK && init_args_give_up_locking(given, &init_args))
        rv = backend_initialise(opened.functions, &init_args);
    if (rv == CKR_CRYPTOKI_ALREADY_INITIALIZED) {
        log_warning("backend %s is also used directly by this process, around the gate: take it out of the "
                    "application's list of modules",
                    path);
        opened.initialised_by_host = true;
        rv = CKR_OK;
    }
    if (rv != CKR_OK)
        log_error("backend %s: C_Initialize returned 0x%08lx", path, rv);
out:
    if (rv == CKR_OK)
        *backend = opened;
    else
        dlclose(opened.library);
    return rv;
}

CK_RV backend_close(struct backend *backend)
{
    CK_RV rv = CKR_OK;

    if (!backend->initialised_by_host) {
        rv = backend->functions->C_Finalize(NULL);
        backend_initialised = NULL;
    }
    dlclose(backend->library);
    backend->library = NULL; /* the lists stay: a thread of the host's that is late finds them, and is told off there */
    return rv;
}
