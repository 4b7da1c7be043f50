/*
 * template: keys are born protected: what a creation template for a private key becomes before the token sees it.
 *
 * Owner: struct template is the caller's, from template_protect or template_copy to template_clear; the values are
 *   copies, so that no thread of the host can change them between the judgement and the call.
 * Thread rule: none.
 */
#ifndef PINWARD_MODULE_TEMPLATE_H
#define PINWARD_MODULE_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>

#include "pkcs11-module/p11.h"

struct template {
    CK_ATTRIBUTE_PTR attributes;
    CK_ULONG count;
    void *values;
    size_t values_len;
};

/* Can there be so many attributes there? Nobody can look at those of a template of which this is not true. */
bool template_is_possible(const CK_ATTRIBUTE *attributes, CK_ULONG count);

/* A copy of the application's template in which CKA_PRIVATE and CKA_SENSITIVE are true, CKA_EXTRACTABLE is false
 * and CKA_ALWAYS_AUTHENTICATE is what always_authenticate says (absent: left to the token's default, false),
 * whatever the application wrote. CKR_ARGUMENTS_BAD, CKR_HOST_MEMORY. */
CK_RV template_protect(CK_ATTRIBUTE_PTR attributes, CK_ULONG count, bool always_authenticate,
                       struct template *protected);

/* The protected template again with CKA_EXTRACTABLE true: for a key that may leave (export.h). */
void template_let_leave(struct template *protected);

/* A copy of the application's template with CKA_ALWAYS_AUTHENTICATE true, whatever it wrote of that. CKRs as above. */
CK_RV template_guard(CK_ATTRIBUTE_PTR attributes, CK_ULONG count, struct template *guarded);

/* A copy of the application's template as it is. CKRs as above. */
CK_RV template_copy(CK_ATTRIBUTE_PTR attributes, CK_ULONG count, struct template *copy);

/* Wipes the values: they may be a key's. */
void template_clear(struct template *template);

/* Does the template (say it or, by contradicting itself, might it) create a private key? */
bool template_makes_private_key(CK_ATTRIBUTE_PTR attributes, CK_ULONG count);

/* Did the token refuse the template in a way that an attribute it does not know explains? */
bool template_may_lack_always_authenticate(CK_RV rv);

#endif
