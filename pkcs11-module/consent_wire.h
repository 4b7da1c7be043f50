/*
 * consent_wire: how batch consent (include/pinward.h) travels from pinward-client.so to the agent. p11-kit's RPC carries no
 * interface of a vendor's, but attributes of one as bytes, so its functions go as calls about an object that is none:
 *
 *   get_limits      C_GetAttributeValue of object 0: uses, time
 *   list_batches    C_GetAttributeValue of object 0: the batches
 *   request_batch   C_CreateObject of the class, with uses, time and purpose; the new handle holds the number
 *   revoke_batch    C_DestroyObject of the object of that number; 0: of all
 *
 * Both ends are the same machine's or alike: numbers travel as CK_ULONG, batches as struct pinward_batch.
 * Owner: none. Thread rule: no state.
 */
#ifndef PINWARD_MODULE_CONSENT_WIRE_H
#define PINWARD_MODULE_CONSENT_WIRE_H

#include <stdbool.h>

#include "pkcs11-module/p11.h"

#include "include/pinward.h"

#define CONSENT_WIRE_CLASS   (CKO_VENDOR_DEFINED | 0x50570001UL)
#define CONSENT_WIRE_USES    (CKA_VENDOR_DEFINED | 0x50570011UL)
#define CONSENT_WIRE_TIME    (CKA_VENDOR_DEFINED | 0x50570012UL)
#define CONSENT_WIRE_PURPOSE (CKA_VENDOR_DEFINED | 0x50570013UL)
#define CONSENT_WIRE_BATCHES (CKA_VENDOR_DEFINED | 0x50570014UL)

/* The handle of a batch: a mark that no token's handles are known to begin with (they count from one, or are addresses),
 * then the number. What a token gave such a handle could not be read or deleted through the agent; nothing else. */
#define CONSENT_WIRE_NUMBER_BITS (sizeof(CK_ULONG) * 8 - 16)
#define CONSENT_WIRE_NUMBER_MAX  (((CK_ULONG)1 << CONSENT_WIRE_NUMBER_BITS) - 1)
#define CONSENT_WIRE_MARK        ((CK_ULONG)0x5057 << CONSENT_WIRE_NUMBER_BITS)

static inline bool consent_wire_is_batch(CK_OBJECT_HANDLE object)
{
    return (object & ~CONSENT_WIRE_NUMBER_MAX) == CONSENT_WIRE_MARK;
}

static inline CK_OBJECT_HANDLE consent_wire_object(CK_ULONG number)
{
    return CONSENT_WIRE_MARK | number;
}

static inline CK_ULONG consent_wire_number(CK_OBJECT_HANDLE object)
{
    return object & CONSENT_WIRE_NUMBER_MAX;
}

#endif
