/* The configuration file: whatever stands in it, it is either refused whole, with a sentence, or within its limits, and
 * nothing in it is weaker than the default unless the file says so. */
#include "common/config.h"

#include <string.h>

#include "fuzz/fuzz.h"

static bool says_weaker(const uint8_t *data, size_t size)
{
    return fuzz_contains(data, size, "medium") || fuzz_contains(data, size, "low");
}

static void check_rules(const struct config_rules *rules, const uint8_t *data, size_t size)
{
    fuzz_require(rules->count <= CONFIG_RULES_MAX, "there are no more rules than are allowed");
    for (size_t i = 0; i < rules->count; i++) {
        const struct config_rule *rule = &rules->items[i];

        fuzz_require(rule->kind >= CONFIG_RULE_TOKEN_LABEL && rule->kind <= CONFIG_RULE_APP, "a rule names something");
        fuzz_require(rule->has_level && rule->level >= CONFIG_LEVEL_HIGH && rule->level <= CONFIG_LEVEL_LOW,
                     "a rule has a level");
        fuzz_require(rule->level == CONFIG_LEVEL_HIGH || says_weaker(data, size), "a lower level is in the file");
        fuzz_require(rule->value && rule->len > 0 && rule->len <= CONFIG_APP_PATH_MAX, "a rule's value is bounded");
        fuzz_require(rule->section && rule->line > 0, "a rule says where it stands");
    }
}

static void check_limits(const struct config *config)
{
    fuzz_require(config->file && config->module.backend && config->module.pinentry, "what is needed is there");
    fuzz_require(config->module.login_grace_s <= 300 && config->module.prompt_timeout_s >= 1 &&
                     config->module.prompt_timeout_s <= 3600 && config->module.cool_down_s <= 3600 &&
                     config->module.pin_tries <= 15 && config->module.pin_min_length <= 64 &&
                     config->module.batch_uses <= 10000 && config->module.batch_time_s >= 1 &&
                     config->module.batch_time_s <= 3600 && config->portal.timeout_s >= 1 &&
                     config->portal.timeout_s <= 600,
                 "numbers are within their limits");
    fuzz_require(config->module.backend[0] == '/' && config->module.pinentry[0] == '/', "programs have whole paths");
    fuzz_require(!config->portal.url || strncmp(config->portal.url, "https://", 8) == 0, "the portal has TLS");
}

static void check_accepted(const struct config *config, const uint8_t *data, size_t size)
{
    check_limits(config);
    fuzz_require(config->module.level == CONFIG_LEVEL_HIGH ||
                     (config->module.level_line > 0 && says_weaker(data, size)),
                 "a lower level is in the file");
    fuzz_require(config->module.export == CONFIG_EXPORT_NEVER || fuzz_contains(data, size, "ask"),
                 "export is allowed by the file");
    fuzz_require(config->module.prompt == CONFIG_PROMPT_MODULE || fuzz_contains(data, size, "application"),
                 "the application asks when the file says so");
    fuzz_require(config->ledger.required || fuzz_contains(data, size, "required"), "the ledger is needed");
    check_rules(&config->rules, data, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config config, untouched;
    struct error err = {0};

    memset(&config, 0xA5, sizeof config);
    memset(&untouched, 0xA5, sizeof untouched);
    if (config_load_file(fuzz_file(data, size), &config, &err) == ERROR_NONE) {
        check_accepted(&config, data, size);
        config_clear(&config);
    } else {
        fuzz_require(memcmp(&config, &untouched, sizeof config) == 0, "a refused file changes nothing");
        fuzz_require(err.code != ERROR_NONE && err.text[0], "a refusal says why");
    }
    return 0;
}
