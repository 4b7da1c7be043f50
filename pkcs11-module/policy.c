#include "pkcs11-module/policy.h"

#include <string.h>

/* ------------------------------------------------------------------ matching */

/* Fields are padded with blanks (PKCS#11 2.40, 3.2); some tokens pad with NULs. A NUL before the end stays, and makes
 * the text match nothing. */
static size_t copy_field(char *text, const CK_UTF8CHAR *field, size_t size)
{
    size_t len = size;

    while (len > 0 && (field[len - 1] == ' ' || field[len - 1] == '\0'))
        len--;
    memcpy(text, field, len);
    text[len] = '\0';
    return len;
}

void policy_token_init(struct policy_token *token, const CK_TOKEN_INFO *info)
{
    _Static_assert(sizeof info->label == CONFIG_TOKEN_LABEL_MAX, "a rule can name every label");
    _Static_assert(sizeof info->serialNumber == CONFIG_TOKEN_SERIAL_MAX, "a rule can name every serial number");

    token->label_len = copy_field(token->label, info->label, sizeof info->label);
    token->serial_len = copy_field(token->serial, info->serialNumber, sizeof info->serialNumber);
}

static bool is_value(const struct config_rule *rule, const void *bytes, size_t len)
{
    return len == rule->len && memcmp(bytes, rule->value, len) == 0;
}

static bool rule_matches(const struct config_rule *rule, const struct policy_case *judged)
{
    const struct policy_token *token = judged->token;
    const struct key_facts *facts = judged->facts;

    switch (rule->kind) {
    case CONFIG_RULE_TOKEN_LABEL:
        return token && is_value(rule, token->label, token->label_len);
    case CONFIG_RULE_TOKEN_SERIAL:
        return token && is_value(rule, token->serial, token->serial_len);
    case CONFIG_RULE_KEY_LABEL:
        return facts->label_whole && is_value(rule, facts->label, strlen(facts->label));
    case CONFIG_RULE_KEY_ID:
        return is_value(rule, facts->id, facts->id_len);
    case CONFIG_RULE_APP:
        return judged->program && is_value(rule, judged->program, strlen(judged->program));
    }
    return false;
}

/* ------------------------------------------------------------------ judging */

static int specificity(const struct config_rule *rule)
{
    return rule->kind == CONFIG_RULE_TOKEN_LABEL || rule->kind == CONFIG_RULE_TOKEN_SERIAL ? 1 : 2;
}

/* The strictest is the smallest; what is no level counts as high. */
static enum config_level known_level(enum config_level level)
{
    return level == CONFIG_LEVEL_LOW || level == CONFIG_LEVEL_MEDIUM ? level : CONFIG_LEVEL_HIGH;
}

static bool rule_beats(const struct config_rule *rule, const struct config_rule *other)
{
    if (!other || specificity(rule) != specificity(other))
        return !other || specificity(rule) > specificity(other);
    return known_level(rule->level) < known_level(other->level);
}

static bool is_enough(enum config_level level, enum policy_trust trust)
{
    return level == CONFIG_LEVEL_HIGH || trust == POLICY_TRUST_YES ||
           (level == CONFIG_LEVEL_LOW && trust == POLICY_TRUST_PIN);
}

struct policy_verdict policy_judge(const struct config *config, const struct policy_case *judged)
{
    struct policy_verdict verdict = {.level = known_level(config->module.level), .reason = POLICY_REASON_MODULE};

    if (judged->facts->always_authenticate)
        return (struct policy_verdict){.level = CONFIG_LEVEL_HIGH, .reason = POLICY_REASON_KEY};
    for (size_t i = 0; i < config->rules.count; i++) {
        const struct config_rule *rule = &config->rules.items[i];

        if (rule_matches(rule, judged) && rule_beats(rule, verdict.rule))
            verdict = (struct policy_verdict){known_level(rule->level), POLICY_REASON_RULE, rule};
    }
    if (!is_enough(verdict.level, judged->trust))
        return (struct policy_verdict){.level = CONFIG_LEVEL_HIGH, .reason = POLICY_REASON_TRUST};
    return verdict;
}

enum policy_standing policy_rule_standing(const struct config_rule *rule, const struct policy_case *judged,
                                          const struct policy_verdict *verdict)
{
    if (!rule_matches(rule, judged))
        return POLICY_RULE_NO_MATCH;
    if (!verdict->rule)
        return POLICY_RULE_OVERRULED;
    if (rule == verdict->rule)
        return POLICY_RULE_DECIDES;
    if (specificity(rule) < specificity(verdict->rule))
        return POLICY_RULE_LESS_SPECIFIC;
    return known_level(rule->level) == verdict->level ? POLICY_RULE_AGREES : POLICY_RULE_LESS_STRICT;
}

enum config_level policy_level(const struct key_facts *facts)
{
    return facts->always_authenticate ? CONFIG_LEVEL_HIGH : known_level(facts->level);
}

bool policy_is_free(const struct key_facts *facts)
{
    return key_facts_is_private_key(facts) ? policy_level(facts) == CONFIG_LEVEL_LOW : key_facts_is_harmless(facts);
}

bool policy_works_with_key(enum policy_use use)
{
    return use == POLICY_USE_SIGN || use == POLICY_USE_DECRYPT || use == POLICY_USE_UNWRAP ||
           use == POLICY_USE_DERIVE;
}

bool policy_presentation_covers(enum policy_use use)
{
    return policy_works_with_key(use) || use == POLICY_USE_EXPORT || use == POLICY_USE_COPY ||
           use == POLICY_USE_CHANGE || use == POLICY_USE_DELETE;
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
    case POLICY_USE_EXPORT_TO_PROGRAM:
        return "export to program";
    case POLICY_USE_CREATE_EXPORTABLE:
        return "create exportable";
    case POLICY_USE_COPY:
        return "copy";
    case POLICY_USE_CHANGE:
        return "change";
    case POLICY_USE_DELETE:
        return "delete";
    }
    return "use";
}
