/*
 * config_rules: the sections that give single tokens, keys and programs a level of their own:
 *
 *   [token "My card"]   [token "serial:0123"]        by CK_TOKEN_INFO's label or serialNumber
 *   [key "ming"]        [key "id:0a1b2c"]            by CKA_LABEL or CKA_ID
 *   [app "/usr/bin/openssl"]                         by the program's path
 *
 * each with "level = high|medium|low". "label:" in front of a label takes one that begins with "id:", "serial:" or
 * "label:". Which rule decides is the policy's business (pkcs11-module/policy.h).
 * Owner: struct config_rules is a member of struct config. Thread rule: constant once the file was read.
 */
#ifndef PINWARD_COMMON_CONFIG_RULES_H
#define PINWARD_COMMON_CONFIG_RULES_H

#include <stdbool.h>
#include <stddef.h>

#include "config_section.h"
#include "error.h"

/* What a private key's use needs besides the token's login. The strictest is zero: what nobody has set is high. */
enum config_level {
    CONFIG_LEVEL_HIGH,   /* the PIN at every use */
    CONFIG_LEVEL_MEDIUM, /* the user confirms every use */
    CONFIG_LEVEL_LOW,    /* nothing more */
};

/* What a rule's section names. */
enum config_rule_kind {
    CONFIG_RULE_TOKEN_LABEL,
    CONFIG_RULE_TOKEN_SERIAL,
    CONFIG_RULE_KEY_LABEL,
    CONFIG_RULE_KEY_ID,
    CONFIG_RULE_APP,
};

#define CONFIG_RULES_MAX 256

/* Bytes; what is longer can name nothing, so it is an error in the file. */
#define CONFIG_TOKEN_LABEL_MAX  32 /* PKCS#11 2.40, 3.2, CK_TOKEN_INFO */
#define CONFIG_TOKEN_SERIAL_MAX 16
#define CONFIG_KEY_LABEL_MAX    128
#define CONFIG_KEY_ID_MAX       64
#define CONFIG_APP_PATH_MAX     4095 /* Linux's PATH_MAX, without its NUL */

struct config_rule {
    enum config_rule_kind kind;
    char *value; /* the label, the serial number, the path, or the id's bytes; a NUL behind it */
    size_t len;
    char *section; /* the header as it stands in the file, for people: key "ming" */
    unsigned line;
    bool has_level;
    enum config_level level;
};

struct config_rules {
    struct config_rule *items;
    size_t count;
};

/* "high", "medium", "low"; "high" also for a value that is none of them. */
const char *config_level_name(enum config_level level);

/* false when the word is none of them. */
bool config_level_parse(const char *word, enum config_level *level);

/* Is the section one that holds a rule: a [token], [key] or [app] with an argument? */
bool config_rules_is_rule(const struct config_section *section);

/* Begins a rule. ERROR_CONFIG: why holds half a sentence, for the header's line. ERROR_MEMORY. */
enum error_code config_rules_begin(struct config_rules *rules, const struct config_section *section,
                                   struct error *why);

/* A pair of the rule that was begun last. ERROR_CONFIG: for the pair's line. */
enum error_code config_rules_set(struct config_rules *rules, const char *name, const char *value, struct error *why);

/* After the last line: has every rule its level? ERROR_CONFIG: for the line *line. */
enum error_code config_rules_finish(const struct config_rules *rules, unsigned *line, struct error *why);

void config_rules_clear(struct config_rules *rules);

#endif
