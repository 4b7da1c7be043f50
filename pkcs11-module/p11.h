/* p11: the PKCS#11 2.40 declarations (p11-kit's header, in the standard's own spelling) and what 3.0 adds to them. */
#ifndef PINWARD_MODULE_P11_H
#define PINWARD_MODULE_P11_H

#include <p11-kit/pkcs11.h>

#include "pkcs11-module/p11_3.h"

#endif
