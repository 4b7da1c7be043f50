/*
 * backend: the token's own module: loaded, checked, and let go. The only file that knows dlopen.
 *
 * Owner: struct backend is the runtime's, from backend_open to backend_close.
 * Thread rule: called under the runtime's lifecycle lock; the function list itself is constant.
 */
#ifndef PINWARD_MODULE_BACKEND_H
#define PINWARD_MODULE_BACKEND_H

#include <stdbool.h>

#include "pkcs11-module/p11.h"

struct backend {
    void *library;
    CK_FUNCTION_LIST *functions;
    bool initialised_by_host; /* the host had initialised it already: it is the host's to finalize */
};

/* Loads the module at path and calls its C_Initialize with init_args (as the application gave them).
 * A library that is not a PKCS#11 2.x or 3.x module, that lacks a function, or that is this very module is
 * refused: CKR_GENERAL_ERROR, with a line in the log. Else what C_Initialize returned; *backend is filled only
 * on CKR_OK. */
CK_RV backend_open(const char *path, CK_VOID_PTR init_args, struct backend *backend);

/* C_Finalize and unload. Returns what C_Finalize returned. */
CK_RV backend_close(struct backend *backend);

#endif
