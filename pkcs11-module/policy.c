#include "pkcs11-module/policy.h"

enum config_level policy_level(const struct config *config, const struct key_facts *facts)
{
    if (facts->always_authenticate)
        return CONFIG_LEVEL_HIGH;
    switch (config->module.level) {
    case CONFIG_LEVEL_LOW:
    case CONFIG_LEVEL_MEDIUM:
        return config->module.level;
    case CONFIG_LEVEL_HIGH:
        break;
    }
    return CONFIG_LEVEL_HIGH; /* also for a value that is none of them */
}

bool policy_is_free(const struct config *config, const struct key_facts *facts)
{
    switch (facts->object_class) {
    case CKO_PRIVATE_KEY:
        return policy_level(config, facts) == CONFIG_LEVEL_LOW;
    case CKO_PUBLIC_KEY:
    case CKO_SECRET_KEY:
    case CKO_CERTIFICATE:
    case CKO_DATA:
    case CKO_HW_FEATURE:
    case CKO_DOMAIN_PARAMETERS:
    case CKO_MECHANISM:
        return true;
    default:
        return false; /* a class of a later standard, or a vendor's own: it may hold a private key */
    }
}

bool policy_grace_covers(enum policy_use use)
{
    return use == POLICY_USE_SIGN || use == POLICY_USE_DECRYPT || use == POLICY_USE_UNWRAP ||
           use == POLICY_USE_DERIVE;
}

const char *policy_use_name(enum policy_use use)
{
    switch (use) {
    case POLICY_USE_SIGN:
        return "sign";
    case POLICY_USE_DECRYPT:
        return "decrypt";
    case POLICY_USE_UNWRAP:
        return "unwrap";
    case POLICY_USE_DERIVE:
        return "derive";
    case POLICY_USE_EXPORT:
        return "export";
    case POLICY_USE_COPY:
        return "copy";
    case POLICY_USE_CHANGE:
        return "change";
    case POLICY_USE_DELETE:
        return "delete";
    }
    return "use";
}
