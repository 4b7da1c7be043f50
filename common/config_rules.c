#include "common/config_rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/i18n.h"

/* The forms of an argument. A section's rows follow each other; the last one has no prefix and takes the rest. */
static const struct rule_form {
    const char *section;
    const char *prefix;
    enum config_rule_kind kind;
    size_t max;
    const char *expected;
} rule_forms[] = {
    {"token", "serial:", CONFIG_RULE_TOKEN_SERIAL, CONFIG_TOKEN_SERIAL_MAX,
     N_("a token's serial number of at most 16 bytes")},
    {"token", "label:", CONFIG_RULE_TOKEN_LABEL, CONFIG_TOKEN_LABEL_MAX, N_("a token's label of at most 32 bytes")},
    {"token", "", CONFIG_RULE_TOKEN_LABEL, CONFIG_TOKEN_LABEL_MAX, N_("a token's label of at most 32 bytes")},
    {"key", "id:", CONFIG_RULE_KEY_ID, CONFIG_KEY_ID_MAX, N_("a key's id of at most 64 bytes, in hexadecimal")},
    {"key", "label:", CONFIG_RULE_KEY_LABEL, CONFIG_KEY_LABEL_MAX, N_("a key's label of at most 128 bytes")},
    {"key", "", CONFIG_RULE_KEY_LABEL, CONFIG_KEY_LABEL_MAX, N_("a key's label of at most 128 bytes")},
    {"app", "", CONFIG_RULE_APP, CONFIG_APP_PATH_MAX,
     N_("a program's own path from the root, without links and dots")},
};

#define FORM_COUNT (sizeof rule_forms / sizeof rule_forms[0])

static const char *const level_names[] = {"high", "medium", "low"};

#define LEVEL_COUNT (sizeof level_names / sizeof level_names[0])

const char *config_level_name(enum config_level level)
{
    return (unsigned)level < LEVEL_COUNT ? level_names[level] : level_names[CONFIG_LEVEL_HIGH];
}

bool config_level_parse(const char *word, enum config_level *level)
{
    for (size_t i = 0; i < LEVEL_COUNT; i++) {
        if (strcmp(word, level_names[i]) == 0) {
            *level = (enum config_level)i;
            return true;
        }
    }
    return false;
}

bool config_rules_is_rule(const struct config_section *section)
{
    bool known = false;

    for (size_t i = 0; i < FORM_COUNT && section->argument; i++)
        known = known || strcmp(rule_forms[i].section, section->name) == 0;
    return known;
}

/* ------------------------------------------------------------------ the values */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Pairs of hexadecimal digits, and nothing else, to bytes in place. false when it is something else. */
static bool decode_hex(char *text, size_t *len)
{
    size_t n = 0;

    for (; text[2 * n]; n++) {
        const int high = hex_digit(text[2 * n]);
        const int low = high < 0 ? -1 : hex_digit(text[2 * n + 1]);

        if (low < 0)
            return false;
        text[n] = (char)(high * 16 + low);
    }
    text[n] = '\0';
    *len = n;
    return true;
}

/* A path as the kernel shows it: nothing that it would have resolved (path_resolution(7)), so that a rule which
 * could never match is told and not passed over. */
static bool is_resolved_path(const char *path)
{
    static const char deleted[] = " (deleted)";
    const size_t len = strlen(path);

    if (path[0] != '/' || path[len - 1] == '/')
        return false;
    for (const char *slash = path; slash; slash = strchr(slash + 1, '/')) {
        const size_t part = strcspn(slash + 1, "/");

        if (part == 0 || (part <= 2 && strspn(slash + 1, ".") >= part))
            return false;
    }
    return len < sizeof deleted || strcmp(path + len - (sizeof deleted - 1), deleted) != 0;
}

/* Tokens pad labels and serial numbers with blanks, so these do not count. */
static size_t trimmed_length(const char *text)
{
    size_t len = strlen(text);

    while (len > 0 && text[len - 1] == ' ')
        len--;
    return len;
}

static bool rule_read_value(struct config_rule *rule, const struct rule_form *form)
{
    rule->kind = form->kind;
    rule->len = strlen(rule->value);
    switch (form->kind) {
    case CONFIG_RULE_TOKEN_LABEL:
    case CONFIG_RULE_TOKEN_SERIAL:
        rule->len = trimmed_length(rule->value);
        rule->value[rule->len] = '\0';
        break;
    case CONFIG_RULE_KEY_ID:
        if (!decode_hex(rule->value, &rule->len))
            return false;
        break;
    case CONFIG_RULE_APP:
        if (rule->len > 0 && !is_resolved_path(rule->value))
            return false;
        break;
    case CONFIG_RULE_KEY_LABEL:
        break;
    }
    return rule->len > 0 && rule->len <= form->max;
}

/* ------------------------------------------------------------------ the rules */

static const struct rule_form *find_form(const struct config_section *section)
{
    for (size_t i = 0; i < FORM_COUNT; i++)
        if (strcmp(rule_forms[i].section, section->name) == 0 &&
            strncmp(rule_forms[i].prefix, section->argument, strlen(rule_forms[i].prefix)) == 0)
            return &rule_forms[i];
    return NULL;
}

static const struct config_rule *find_same(const struct config_rules *rules, const struct config_rule *rule)
{
    for (size_t i = 0; i < rules->count; i++) {
        const struct config_rule *other = &rules->items[i];

        if (other->kind == rule->kind && other->len == rule->len && memcmp(other->value, rule->value, rule->len) == 0)
            return other;
    }
    return NULL;
}

static void rule_clear(struct config_rule *rule)
{
    free(rule->value);
    free(rule->section);
    memset(rule, 0, sizeof *rule);
}

static enum error_code rule_read(const struct config_section *section, struct config_rule *rule, struct error *why)
{
    const struct rule_form *form = find_form(section);

    if (!form)
        return error_set(why, ERROR_CONFIG, _("there is no section [%s \"...\"]; expected [token \"...\"], [key \"...\"] or "
                                           "[app \"...\"]"),
                         section->name);
    rule->line = section->line;
    rule->value = strdup(section->argument + strlen(form->prefix));
    if (!rule->value || asprintf(&rule->section, "%s \"%s\"", section->name, section->argument) < 0) {
        rule->section = NULL;
        return ERROR_MEMORY;
    }
    if (!rule_read_value(rule, form))
        return error_set(why, ERROR_CONFIG, _("\"%s\" is not a name for a section [%s]; expected %s"),
                         section->argument, section->name, _(form->expected));
    return ERROR_NONE;
}

enum error_code config_rules_begin(struct config_rules *rules, const struct config_section *section,
                                   struct error *why)
{
    const struct config_rule *same;
    struct config_rule *items;
    struct config_rule rule = {0};
    enum error_code status = rule_read(section, &rule, why);

    if (status != ERROR_NONE)
        goto out;
    same = find_same(rules, &rule);
    if (same) {
        status = error_set(why, ERROR_CONFIG, _("the section [%s] is given a second time, after line %u; expected it once"),
                           rule.section, same->line);
        goto out;
    }
    if (rules->count >= CONFIG_RULES_MAX) {
        status = error_set(why, ERROR_CONFIG, _("there are too many rules; expected at most %d"), CONFIG_RULES_MAX);
        goto out;
    }
    items = realloc(rules->items, (rules->count + 1) * sizeof *items);
    status = items ? ERROR_NONE : ERROR_MEMORY;
    if (items) {
        rules->items = items;
        rules->items[rules->count++] = rule;
        return ERROR_NONE;
    }
out:
    rule_clear(&rule);
    return status;
}

enum error_code config_rules_set(struct config_rules *rules, const char *name, const char *value, struct error *why)
{
    struct config_rule *rule = &rules->items[rules->count - 1];

    if (strcmp(name, "level") != 0)
        return error_set(why, ERROR_CONFIG, _("there is no \"%s\" in a section [%s]; expected level"), name,
                         rule->section);
    if (rule->has_level)
        return error_set(why, ERROR_CONFIG, _("\"%s\" is given a second time; expected it once"), name);
    if (!config_level_parse(value, &rule->level))
        return error_set(why, ERROR_CONFIG, _("\"%s\" is not a value for %s; expected %s"), value, name,
                         "high, medium, low");
    rule->has_level = true;
    return ERROR_NONE;
}

enum error_code config_rules_finish(const struct config_rules *rules, unsigned *line, struct error *why)
{
    for (size_t i = 0; i < rules->count; i++) {
        if (!rules->items[i].has_level) {
            *line = rules->items[i].line;
            return error_set(why, ERROR_CONFIG, _("the section [%s] says nothing; expected level = high, medium or low"),
                             rules->items[i].section);
        }
    }
    return ERROR_NONE;
}

void config_rules_clear(struct config_rules *rules)
{
    for (size_t i = 0; i < rules->count; i++)
        rule_clear(&rules->items[i]);
    free(rules->items);
    memset(rules, 0, sizeof *rules);
}
