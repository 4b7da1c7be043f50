#include "enroll/policy_print.h"

#include <stdio.h>
#include <stdlib.h>

#include <sodium.h>

#include "common/i18n.h"
#include "enroll/text.h"

/* ------------------------------------------------------------------ names */

static const char *policy_print_meaning(enum config_level level)
{
    switch (level) {
    case CONFIG_LEVEL_LOW:
        return _("nothing more than the token's login");
    case CONFIG_LEVEL_MEDIUM:
        return _("a confirmation at every use");
    case CONFIG_LEVEL_HIGH:
        break;
    }
    return _("the PIN at every use");
}

/* Why a rule that matches does not decide; the first for programs, the second for people. */
static const struct {
    const char *name;
    const char *text;
} policy_print_standings[] = {
    [POLICY_RULE_NO_MATCH] = {"no-match", NULL},
    [POLICY_RULE_DECIDES] = {"decides", NULL},
    [POLICY_RULE_AGREES] = {"agrees", N_("says the same, further down in the file")},
    [POLICY_RULE_LESS_STRICT] = {"less-strict", N_("is as specific, but less strict")},
    [POLICY_RULE_LESS_SPECIFIC] = {"less-specific", N_("is less specific: it is about the whole token")},
    [POLICY_RULE_OVERRULED] = {"overruled", N_("cannot change what the token itself demands")},
};

static const char *policy_print_reason(enum policy_reason reason)
{
    return reason == POLICY_REASON_KEY ? "key" : reason == POLICY_REASON_RULE ? "rule" : "module";
}

static void policy_print_id(const struct key_facts *facts, char hex[2 * KEY_ID_MAX + 1])
{
    sodium_bin2hex(hex, 2 * KEY_ID_MAX + 1, facts->id, facts->id_len);
}

/* ------------------------------------------------------------------ for people */

/* Labels and paths come from elsewhere, and are cleaned before they are shown. */
static void policy_print_case(const struct policy_case *judged)
{
    const struct key_facts *facts = judged->facts;
    char *label = text_clean(facts->label[0] ? facts->label : _("(without a label)"), false);
    char *token = text_clean(judged->token->label, false);
    char *serial = text_clean(judged->token->serial, false);
    char *program = text_clean(judged->program ? judged->program : _("any that no rule names"), false);
    char id[2 * KEY_ID_MAX + 1];

    policy_print_id(facts, id);
    printf(_("Key: %s, id %s\n"), label ? label : "?", facts->id_len > 0 ? id : "-");
    printf(_("Token: %s, serial number %s\n"), token ? token : "?", serial ? serial : "?");
    printf(_("Program: %s\n"), program ? program : "?");
    free(label);
    free(token);
    free(serial);
    free(program);
}

static void policy_print_place(const struct config *config, const char *section, enum config_level level,
                               unsigned line)
{
    char *clean = text_clean(section, false);

    printf(_("[%s] level = %s in %s, line %u"), clean ? clean : "?", config_level_name(level),
           config->file ? config->file : "-", line);
    free(clean);
}

static void policy_print_decision(const struct config *config, const struct policy_verdict *verdict)
{
    printf(_("Level: %s (%s)\n"), config_level_name(verdict->level), policy_print_meaning(verdict->level));
    fputs(_("Decided by: "), stdout);
    if (verdict->reason == POLICY_REASON_KEY) {
        fputs(_("the key itself: the token asks for the PIN at every use (CKA_ALWAYS_AUTHENTICATE)"), stdout);
    } else if (verdict->rule) {
        policy_print_place(config, verdict->rule->section, verdict->level, verdict->rule->line);
    } else if (config->module.level_line > 0) {
        policy_print_place(config, "module", verdict->level, config->module.level_line);
    } else {
        fputs(_("the default: no rule matches, and [module] says no level"), stdout);
    }
    putchar('\n');
}

static void policy_print_other(const struct config *config, const char *section, enum config_level level,
                               unsigned line, const char *why)
{
    fputs("  ", stdout);
    policy_print_place(config, section, level, line);
    printf(": %s\n", why);
}

/* What else matches, and why it does not decide. */
static void policy_print_others(const struct config *config, const struct policy_case *judged,
                                const struct policy_verdict *verdict)
{
    const bool module_lost = config->module.level_line > 0 && verdict->reason != POLICY_REASON_MODULE;
    bool any = false;

    for (size_t i = 0; i <= config->rules.count; i++) {
        const struct config_rule *rule = i < config->rules.count ? &config->rules.items[i] : NULL;
        const enum policy_standing standing = rule ? policy_rule_standing(rule, judged, verdict) : POLICY_RULE_NO_MATCH;
        const char *why = policy_print_standings[standing].text;

        if (rule ? !why : !module_lost) {
            continue;
        }
        if (!any) {
            printf("%s\n", _("What else matches:"));
        }
        any = true;
        if (rule) {
            policy_print_other(config, rule->section, rule->level, rule->line, _(why));
        } else {
            policy_print_other(config, "module", config->module.level, config->module.level_line,
                               verdict->reason == POLICY_REASON_KEY
                                   ? _(policy_print_standings[POLICY_RULE_OVERRULED].text)
                                   : _("holds only where no rule matches"));
        }
    }
}

void policy_print_text(const struct config *config, const struct policy_case *judged)
{
    const struct policy_verdict verdict = policy_judge(config, judged);

    policy_print_case(judged);
    policy_print_decision(config, &verdict);
    policy_print_others(config, judged, &verdict);
}

/* ------------------------------------------------------------------ for programs */

/* JSON holds UTF-8 only, and what reads it may show it. */
static json_t *policy_print_string(const char *text)
{
    char *clean = text_clean(text, false);
    json_t *string = clean ? json_string(clean) : NULL;

    free(clean);
    return string;
}

static json_t *policy_print_rule(const struct config_rule *rule, const char *why)
{
    json_t *json = json_pack("{s:o, s:s, s:I}", "section", policy_print_string(rule->section), "level",
                             config_level_name(rule->level), "line", (json_int_t)rule->line);

    if (json && why && json_object_set_new(json, "why", json_string(why)) != 0) {
        json_decref(json);
        json = NULL;
    }
    return json;
}

static json_t *policy_print_other_rules(const struct config *config, const struct policy_case *judged,
                                        const struct policy_verdict *verdict)
{
    json_t *others = json_array();

    for (size_t i = 0; i < config->rules.count; i++) {
        const struct config_rule *rule = &config->rules.items[i];
        const enum policy_standing standing = policy_rule_standing(rule, judged, verdict);

        if (policy_print_standings[standing].text) {
            json_array_append_new(others, policy_print_rule(rule, policy_print_standings[standing].name));
        }
    }
    return others;
}

json_t *policy_print_json(const struct config *config, const struct policy_case *judged)
{
    const struct policy_verdict verdict = policy_judge(config, judged);
    char id[2 * KEY_ID_MAX + 1];

    policy_print_id(judged->facts, id);
    return json_pack("{s:o, s:s, s:s, s:s, s:o, s:o}", "label", policy_print_string(judged->facts->label), "id", id,
                     "level", config_level_name(verdict.level), "decided_by", policy_print_reason(verdict.reason),
                     "rule", verdict.rule ? policy_print_rule(verdict.rule, NULL) : json_null(), "others",
                     policy_print_other_rules(config, judged, &verdict));
}
