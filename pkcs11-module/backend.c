#include "pkcs11-module/backend.h"

#include <dlfcn.h>
#include <string.h>

#include "common/log.h"
#include "pkcs11-module/dispatch.h"

/* PKCS#11 2.40, 3.2 asks for every pointer to be set; a module that leaves one out would crash its caller here. */
static const char *backend_missing_function(const CK_FUNCTION_LIST *functions)
{
    static const struct {
        const char *name;
        size_t offset;
    } members[] = {
#define X(name, access) {#name, offsetof(CK_FUNCTION_LIST, name)},
        DISPATCH_ROWS(X)
#undef X
    };

    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        CK_VOID_PTR function;

        memcpy(&function, (const char *)functions + members[i].offset, sizeof function);
        if (!function)
            return members[i].name;
    }
    return NULL;
}

/* The library's function list, or NULL with a line in the log. */
static CK_FUNCTION_LIST *backend_functions(void *library, const char *path)
{
    CK_FUNCTION_LIST *functions = NULL;
    CK_C_GetFunctionList get_list;
    const char *missing;
    CK_RV rv;

    *(void **)&get_list = dlsym(library, "C_GetFunctionList");
    if (!get_list) {
        log_error("backend %s: not a PKCS#11 module: it has no C_GetFunctionList", path);
        return NULL;
    }
    rv = get_list(&functions);
    if (rv != CKR_OK || !functions) {
        log_error("backend %s: C_GetFunctionList returned 0x%08lx", path, rv);
        return NULL;
    }
    if (functions == dispatch_functions()) {
        log_error("backend %s is pinward itself: name the token's own module in [module] backend", path);
        return NULL;
    }
    if (functions->version.major != 2 && functions->version.major != 3) {
        log_error("backend %s speaks PKCS#11 %u.%u; 2.x and 3.x are understood", path, functions->version.major,
                  functions->version.minor);
        return NULL;
    }
    missing = backend_missing_function(functions);
    if (missing) {
        log_error("backend %s leaves out %s, which PKCS#11 requires", path, missing);
        return NULL;
    }
    return functions;
}

/* The backend that this module has initialised. Not in the runtime, which a forked child sees as zeros: that is how
 * the child tells what its parent did from what its host does beside the module. */
static CK_FUNCTION_LIST *backend_initialised;

/* A backend that does not notice forks would keep the parent's sessions and, worse, its login (PKCS#11 2.40, 6.7.4:
 * the child begins anew). */
static CK_RV backend_initialise(CK_FUNCTION_LIST *functions, CK_VOID_PTR init_args)
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
CK_RV backend_open(const char *path, CK_VOID_PTR init_args, struct backend *backend)
{
    struct backend opened = {.library = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE)};
    CK_RV rv = CKR_GENERAL_ERROR;

    if (!opened.library) {
        log_error("backend %s cannot be loaded: %s", path, dlerror());
        return rv;
    }
    opened.functions = backend_functions(opened.library, path);
    if (!opened.functions)
        goto out;
    rv = backend_initialise(opened.functions, init_args);
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
    memset(backend, 0, sizeof *backend);
    return rv;
}
