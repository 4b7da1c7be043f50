#include "enroll/policy_explain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/i18n.h"
#include "enroll/policy_print.h"
#include "enroll/policy_program.h"
#include "enroll/text.h"
#include "enroll/token.h"
#include "enroll/token_policy.h"

/* Everything that an explanation is made of. */
struct explaining {
    const struct config *config;
    struct config_rules wanted; /* --key, as the one rule that names it; empty: every key */
    char *program;              /* NULL: any that no rule names */
    struct token_policy_keys keys;
};

/* --key is understood as the name of a section [key "..."] is. */
static enum error_code policy_explain_key(struct explaining *x, const char *key, struct error *err)
{
    char name[] = "key";
    char *argument;
    struct error why = {0};
    enum error_code status;

    if (!key) {
        return ERROR_NONE;
    }
    argument = strdup(key);
    if (!argument) {
        return error_set(err, ERROR_MEMORY, "%s", "");
    }
    status = config_rules_begin(&x->wanted, &(struct config_section){name, argument, 0}, &why);
    free(argument);
    if (status == ERROR_CONFIG) {
        return error_set(err, ERROR_USAGE, "--key: %s.", why.text);
    }
    return status == ERROR_NONE ? status : error_set(err, status, "%s", "");
}

static enum error_code policy_explain_read(struct explaining *x, struct error *err)
{
    struct token *token = NULL;
    enum error_code status = token_open(x->config, &token, err);

    if (status == ERROR_NONE) {
        status = token_login(token, err);
    }
    if (status == ERROR_NONE) {
        status = token_policy_read(token, &x->keys, err);
    }
    token_close(&token);
    return status;
}

static struct policy_case policy_explain_case(const struct explaining *x, size_t i)
{
    return (struct policy_case){&x->keys.items[i], &x->keys.token, x->program, POLICY_TRUST_YES};
}

/* Is the i-th key meant? */
static bool policy_explain_wants(const struct explaining *x, size_t i)
{
    const struct policy_case judged = policy_explain_case(x, i);
    const struct config only = {.rules = x->wanted};
    const struct policy_verdict verdict = policy_judge(&only, &judged);

    return x->wanted.count == 0 ||
           policy_rule_standing(x->wanted.items, &judged, &verdict) != POLICY_RULE_NO_MATCH;
}

static void policy_explain_warn(const struct explaining *x)
{
    for (size_t i = 0; i < x->config->rules.count; i++) {
        char *warning = policy_program_warning(&x->config->rules.items[i]);
        char *clean = warning ? text_clean(warning, false) : NULL;

        if (clean) {
            fprintf(stderr, _("Warning: %s\n"), clean);
        }
        free(clean);
        free(warning);
    }
}

static void policy_explain_text(const struct explaining *x)
{
    bool first = true;

    for (size_t i = 0; i < x->keys.count; i++) {
        const struct policy_case judged = policy_explain_case(x, i);

        if (policy_explain_wants(x, i)) {
            fputs(first ? "" : "\n", stdout);
            policy_print_text(x->config, &judged);
            first = false;
        }
    }
}

static void policy_explain_json(const struct explaining *x, struct output *output)
{
    const struct config *config = x->config;
    char *file = config->file ? text_clean(config->file, false) : NULL;
    char *label = text_clean(x->keys.token.label, false);
    char *serial = text_clean(x->keys.token.serial, false);
    char *program = x->program ? text_clean(x->program, false) : NULL;
    json_t *keys = json_array();
    json_t *json;

    for (size_t i = 0; i < x->keys.count; i++) {
        const struct policy_case judged = policy_explain_case(x, i);

        if (policy_explain_wants(x, i)) {
            json_array_append_new(keys, policy_print_json(config, &judged));
        }
    }
    json = json_pack("{s:s?, s:{s:s, s:I}, s:{s:s?, s:s?}, s:s?, s:o}", "file", file, "module", "level",
                     config_level_name(config->module.level), "line", (json_int_t)config->module.level_line, "token",
                     "label", label, "serial", serial, "program", program, "keys", keys);
    output_set(output, json);
    free(file);
    free(label);
    free(serial);
    free(program);
}

static enum error_code policy_explain_found(const struct explaining *x, struct error *err)
{
    for (size_t i = 0; i < x->keys.count; i++) {
        if (policy_explain_wants(x, i)) {
            return ERROR_NONE;
        }
    }
    return error_set(err, ERROR_TOKEN,
                     x->wanted.count > 0 ? _("The token \"%s\" has no private key of this label or id.")
                                         : _("The token \"%s\" has no private key."),
                     x->keys.token.label);
}

enum error_code policy_explain(struct app *app, struct error *err)
{
    struct explaining x = {.config = &app->config};
    enum error_code status = policy_explain_key(&x, app->options.key, err);

    if (status == ERROR_NONE && app->options.program) {
        status = policy_program_resolve(app->options.program, &x.program, err);
    }
    if (status == ERROR_NONE) {
        status = policy_explain_read(&x, err);
    }
    if (status == ERROR_NONE) {
        status = policy_explain_found(&x, err);
    }
    if (status == ERROR_NONE && app->options.json) {
        policy_explain_json(&x, &app->output);
    } else if (status == ERROR_NONE) {
        policy_explain_text(&x);
    }
    if (status == ERROR_NONE) {
        policy_explain_warn(&x);
    }
    token_policy_clear(&x.keys);
    config_rules_clear(&x.wanted);
    free(x.program);
    return status;
}
