/*
 * pinward.h: what pinward-pkcs11.so offers beyond PKCS#11. Include the PKCS#11 declarations before it.
 */
#ifndef PINWARD_H
#define PINWARD_H

/* A vendor attribute (PKCS#11 2.40, 4.3) of private keys, which the module answers: does the token itself ask for the PIN
 * at every use of the key, besides the gate? CK_BBOOL, read-only; other objects do not have it
 * (CKR_ATTRIBUTE_TYPE_INVALID). CKA_ALWAYS_AUTHENTICATE, by contrast, says what an application is to do, which with
 * prompt = module is nothing. May be read from any thread, like any attribute (5.7, C_GetAttributeValue). */
#define CKA_PINWARD_ENFORCED (CKA_VENDOR_DEFINED | 0x50570001UL)

#endif
