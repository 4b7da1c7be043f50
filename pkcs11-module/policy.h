/*
 * policy: what a key's use needs. Pure: no I/O, no state.
 *
 * Rules of the configuration match exactly, byte by byte. Of those that match a key, its token and the program, the
 * most specific count: a key's and a program's are equally specific, a token's is less, [module] level least. Among
 * the most specific the strictest wins. A key that its token itself protects at every use is high whatever they say, and
 * so is one where less than the PIN would prove nothing (enum policy_trust).
 */
#ifndef PINWARD_MODULE_POLICY_H
#define PINWARD_MODULE_POLICY_H

#include <stdbool.h>

#include "common/config.h"
#include "pkcs11-module/key_facts.h"

/* What a private key is used for. */
enum policy_use {
    POLICY_USE_SIGN,
    POLICY_USE_DECRYPT,
    POLICY_USE_UNWRAP,
    POLICY_USE_DERIVE,
    POLICY_USE_EXPORT, /* C_WrapKey of the key itself, under a key that nobody can know */
    POLICY_USE_EXPORT_TO_PROGRAM, /* the same, under a key of the program's own */
    POLICY_USE_CREATE_EXPORTABLE, /* C_GenerateKeyPair of a key that can be exported */
    POLICY_USE_COPY,
    POLICY_USE_CHANGE, /* of its label, id and the like */
    POLICY_USE_DELETE,
};

/* "sign", "decrypt", ...: the use's name in log lines and the like; not translated. Never NULL. */
const char *policy_use_name(enum policy_use use);

/* How a token is called, without the padding of CK_TOKEN_INFO's fields. */
struct policy_token {
    char label[CONFIG_TOKEN_LABEL_MAX + 1];
    size_t label_len;
    char serial[CONFIG_TOKEN_SERIAL_MAX + 1];
    size_t serial_len;
};

void policy_token_init(struct policy_token *token, const CK_TOKEN_INFO *info);

/* How much an answer of the user's proves here, which no rule makes more of. */
enum policy_trust {
    POLICY_TRUST_YES, /* a yes is one */
    POLICY_TRUST_PIN, /* only the PIN is: what else is asked for could be answered by a program. Medium is high */
    POLICY_TRUST_NOT_THERE, /* who asks is not on this machine: every use needs the PIN. Low is high, too */
};

/* What is judged: a private key, and who wants to use it. */
struct policy_case {
    const struct key_facts *facts;
    const struct policy_token *token; /* NULL: none */
    const char *program;              /* path of its executable; NULL: not known, or any that no rule names */
    enum policy_trust trust;
};

enum policy_reason {
    POLICY_REASON_MODULE, /* [module] level: no rule matches */
    POLICY_REASON_RULE,
    POLICY_REASON_KEY, /* its token itself asks for the PIN at every use */
    POLICY_REASON_TRUST, /* less would prove nothing here */
};

struct policy_verdict {
    enum config_level level;
    enum policy_reason reason;
    const struct config_rule *rule; /* the one that decided, with POLICY_REASON_RULE: the first of equals */
};

struct policy_verdict policy_judge(const struct config *config, const struct policy_case *judged);

/* How a rule stands to a verdict on the same case. */
enum policy_standing {
    POLICY_RULE_NO_MATCH,
    POLICY_RULE_DECIDES,
    POLICY_RULE_AGREES,        /* as specific and as strict, but further down in the file */
    POLICY_RULE_LESS_STRICT,   /* as specific */
    POLICY_RULE_LESS_SPECIFIC,
    POLICY_RULE_OVERRULED,     /* by the key itself */
};

enum policy_standing policy_rule_standing(const struct config_rule *rule, const struct policy_case *judged,
                                          const struct policy_verdict *verdict);

/* The level of a private key, as it was judged when its facts were read. */
enum config_level policy_level(const struct key_facts *facts);

/* May this object be used without asking anybody? Only what is not a private key, and private keys of level low. */
bool policy_is_free(const struct key_facts *facts);

/* Does this use work with the key, rather than do something to it (export, copy, change, delete)? Only those that do are
 * covered by the grace of a login, and are the application's to log in for. */
bool policy_works_with_key(enum policy_use use);

/* Does a PIN that the application has presented (prompt = application) agree to this use? Not to what gives it the key
 * itself. */
bool policy_presentation_covers(enum policy_use use);

#endif
