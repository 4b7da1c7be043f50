#include "pkcs11-module/shown.h"

#include "include/pinward.h"
#include "pkcs11-module/policy.h"

bool shown_is_private_part(CK_ATTRIBUTE_TYPE type)
{
    switch (type) {
    case CKA_VALUE:
    case CKA_PRIVATE_EXPONENT:
    case CKA_PRIME_1:
    case CKA_PRIME_2:
    case CKA_EXPONENT_1:
    case CKA_EXPONENT_2:
    case CKA_COEFFICIENT:
        return true;
    default:
        return false;
    }
}

bool shown_by_gate(CK_ATTRIBUTE_TYPE type)
{
    return type == CKA_ALWAYS_AUTHENTICATE || type == CKA_PINWARD_ENFORCED || shown_is_private_part(type);
}

bool shown_always_authenticate(const struct runtime *rt, const struct key_facts *facts)
{
    return rt->config.module.prompt == CONFIG_PROMPT_APPLICATION && policy_level(facts) == CONFIG_LEVEL_HIGH;
}
