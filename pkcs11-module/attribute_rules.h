/*
 * attribute_rules: what may be done to the attributes of a key that exists. Pure: no I/O, no state.
 */
#ifndef PINWARD_MODULE_ATTRIBUTE_RULES_H
#define PINWARD_MODULE_ATTRIBUTE_RULES_H

#include <stdbool.h>

#include "pkcs11-module/p11.h"

enum attribute_verdict {
    ATTRIBUTE_FREE,    /* changes nothing for the worse */
    ATTRIBUTE_CONSENT, /* its user must agree: label, id, and whatever is not known here */
    ATTRIBUTE_REFUSE,  /* weakens the key, or gives it another role */
};

/* The verdict on setting these attributes on a private key (C_SetAttributeValue), or on giving them to a copy of it
 * (C_CopyObject): the worst of the template's. */
enum attribute_verdict attribute_rules_private(const CK_ATTRIBUTE *template, CK_ULONG count);

/* The same for a secret key, which is not gated but must not become a way to a private key that was wrapped under it:
 * ATTRIBUTE_REFUSE or ATTRIBUTE_FREE. */
enum attribute_verdict attribute_rules_secret(const CK_ATTRIBUTE *template, CK_ULONG count);

#endif
