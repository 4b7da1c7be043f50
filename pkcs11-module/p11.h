/* p11: the PKCS#11 2.40 declarations (p11-kit's header, in the standard's own spelling). */
#ifndef PINWARD_MODULE_P11_H
#define PINWARD_MODULE_P11_H

#include <p11-kit/pkcs11.h>

#endif
