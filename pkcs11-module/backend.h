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
    CK_FUNCTION_LIST_3_0 *functions_3; /* the same list, where it is one of 3.x; else NULL */
    bool initialised_by_host; /* the host had initialised it already: it is the host's to finalize */
};

/* Loads the module at path and calls its C_Initialize for what the application gave its own (init_args.h); parameters,
 * unless NULL, take the place of pReserved: a backend such as NSS's softokn is told there what to open.
 * A library that is not a PKCS#11 2.x or 3.x module, that lacks a function, or that is this very module is
 * refused: CKR_GENERAL_ERROR, with a line in the log. Else what init_args_take or C_Initialize returned; *backend is
 * filled only on CKR_OK. */
CK_RV backend_open(const char *path, const char *parameters, CK_VOID_PTR given, struct backend *backend);

/* C_Finalize and unload. Returns what C_Finalize returned. */
CK_RV backend_close(struct backend *backend);

#endif
