/*
 * interface: what the module offers by name (PKCS#11 3.0, 3.6 and 5.4): the standard's function lists, newest
 * first, and the vendor interface of include/pinward.h.
 *
 * Owner: the table is constant; what is handed out points into it. Thread rule: any thread, also before C_Initialize.
 */
#ifndef PINWARD_MODULE_INTERFACE_H
#define PINWARD_MODULE_INTERFACE_H

#include "pkcs11-module/p11.h"

/* How many there are, and the n-th. */
CK_ULONG interface_count(void);
const CK_INTERFACE *interface_at(CK_ULONG n);

/* The first with this name (NULL: the standard's own), this version (NULL: any) and at least these flags; NULL when
 * there is none. */
CK_INTERFACE *interface_find(const CK_UTF8CHAR *name, const CK_VERSION *version, CK_FLAGS flags);

#endif
