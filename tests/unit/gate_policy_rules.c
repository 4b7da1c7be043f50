/* policy: which rule matches, which of those that match decides, and how the others stand to it. */
#include "pkcs11-module/policy.h"

#include <string.h>

#include "support/test.h"

#define HIGH   CONFIG_LEVEL_HIGH
#define MEDIUM CONFIG_LEVEL_MEDIUM
#define LOW    CONFIG_LEVEL_LOW

static struct config_rule rule(enum config_rule_kind kind, const char *value, enum config_level level)
{
    return (struct config_rule){.kind = kind,
                                .value = (char *)(uintptr_t)value,
                                .len = strlen(value),
                                .has_level = true,
                                .level = level};
}

/* A token's info with these fields, padded with pad. */
static struct policy_token token_of(const char *label, size_t label_len, const char *serial, int pad)
{
    struct policy_token token;
    CK_TOKEN_INFO info;

    memset(&info, pad, sizeof info);
    memcpy(info.label, label, label_len);
    memcpy(info.serialNumber, serial, strlen(serial));
    policy_token_init(&token, &info);
    return token;
}

static struct key_facts key_of(const char *label, const char *id)
{
    struct key_facts facts = {.object_class = CKO_PRIVATE_KEY};

    key_facts_set_label(&facts, (const unsigned char *)label, strlen(label));
    facts.id_len = strlen(id);
    memcpy(facts.id, id, facts.id_len);
    return facts;
}

/* ------------------------------------------------------------------ matching */

#define X32  "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X128 X32 X32 X32 X32

static bool matches(enum config_rule_kind kind, const char *value, const struct policy_token *token,
                    const struct key_facts *facts, const char *program)
{
    struct config_rule low = rule(kind, value, LOW);
    const struct config config = {.rules = {&low, 1}};
    const struct policy_case judged = {facts, token, program, POLICY_TRUST_YES};
    const struct policy_verdict verdict = policy_judge(&config, &judged);

    assert_int_equal(verdict.level == LOW, verdict.rule == &low);
    assert_int_equal(policy_rule_standing(&low, &judged, &verdict),
                     verdict.rule ? POLICY_RULE_DECIDES : POLICY_RULE_NO_MATCH);
    return verdict.rule != NULL;
}

static void names_match_byte_by_byte(void **state)
{
    static const struct {
        enum config_rule_kind kind;
        const char *value;
        bool matches;
    } rows[] = {
        {CONFIG_RULE_TOKEN_LABEL, "My card", true},     {CONFIG_RULE_TOKEN_LABEL, "My car", false},
        {CONFIG_RULE_TOKEN_LABEL, "My card ", false},   {CONFIG_RULE_TOKEN_LABEL, "my card", false},
        {CONFIG_RULE_TOKEN_LABEL, "0123", false},       {CONFIG_RULE_TOKEN_SERIAL, "0123", true},
        {CONFIG_RULE_TOKEN_SERIAL, "123", false},       {CONFIG_RULE_TOKEN_SERIAL, "My card", false},
        {CONFIG_RULE_KEY_LABEL, "ming", true},          {CONFIG_RULE_KEY_LABEL, "Ming", false},
        {CONFIG_RULE_KEY_LABEL, "ming ", false},        {CONFIG_RULE_KEY_LABEL, "min", false},
        {CONFIG_RULE_KEY_LABEL, "\x0a\x1b", false},     {CONFIG_RULE_KEY_ID, "\x0a\x1b", true},
        {CONFIG_RULE_KEY_ID, "\x0a", false},            {CONFIG_RULE_KEY_ID, "\x0a\x1b\x2c", false},
        {CONFIG_RULE_KEY_ID, "ming", false},            {CONFIG_RULE_APP, "/usr/bin/openssl", true},
        {CONFIG_RULE_APP, "/usr/bin/openssl3", false},  {CONFIG_RULE_APP, "/usr/bin", false},
        {CONFIG_RULE_APP, "openssl", false},            {(enum config_rule_kind)99, "ming", false},
    };
    const struct policy_token token = token_of("My card", 7, "0123", ' ');
    const struct key_facts facts = key_of("ming", "\x0a\x1b");

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(matches(rows[i].kind, rows[i].value, &token, &facts, "/usr/bin/openssl"), rows[i].matches);
}

static void what_is_not_known_matches_nothing(void **state)
{
    const struct key_facts nameless = key_of("", "");
    const struct policy_token blank = token_of("", 0, "", ' ');

    (void)state;
    assert_false(matches(CONFIG_RULE_APP, "/usr/bin/openssl", NULL, &nameless, NULL));
    assert_false(matches(CONFIG_RULE_TOKEN_LABEL, "My card", NULL, &nameless, "/x"));
    assert_false(matches(CONFIG_RULE_TOKEN_LABEL, "My card", &blank, &nameless, "/x"));
    assert_false(matches(CONFIG_RULE_TOKEN_SERIAL, "0123", &blank, &nameless, "/x"));
    assert_false(matches(CONFIG_RULE_KEY_LABEL, "ming", &blank, &nameless, "/x"));
    assert_false(matches(CONFIG_RULE_KEY_ID, "ming", &blank, &nameless, "/x"));
}

/* Blanks and NULs behind a token's names are padding; a NUL inside is not the end of the name. */
static void padding_does_not_count(void **state)
{
    const struct policy_token nuls = token_of("My card", 7, "0123", '\0');
    const struct policy_token full = token_of(X32, 32, "0123456789abcdef", ' ');
    const struct policy_token inside = token_of("My\0card", 7, "0123", ' ');
    const struct key_facts facts = key_of("", "");

    (void)state;
    assert_true(matches(CONFIG_RULE_TOKEN_LABEL, "My card", &nuls, &facts, NULL));
    assert_true(matches(CONFIG_RULE_TOKEN_SERIAL, "0123", &nuls, &facts, NULL));
    assert_true(matches(CONFIG_RULE_TOKEN_LABEL, X32, &full, &facts, NULL));
    assert_true(matches(CONFIG_RULE_TOKEN_SERIAL, "0123456789abcdef", &full, &facts, NULL));
    assert_false(matches(CONFIG_RULE_TOKEN_LABEL, "My", &inside, &facts, NULL));
}

/* A label that was cut is another label. */
static void cut_labels_match_nothing(void **state)
{
    struct key_facts facts = key_of(X128, "");

    (void)state;
    assert_true(matches(CONFIG_RULE_KEY_LABEL, X128, NULL, &facts, NULL));
    facts = key_of(X128 "y", "");
    assert_string_equal(facts.label, X128);
    assert_false(matches(CONFIG_RULE_KEY_LABEL, X128, NULL, &facts, NULL));
    key_facts_set_label(&facts, (const unsigned char *)"ming\0x", 6);
    assert_string_equal(facts.label, "ming");
    assert_false(matches(CONFIG_RULE_KEY_LABEL, "ming", NULL, &facts, NULL));
    key_facts_set_label(&facts, (const unsigned char *)"ming", 5);
    assert_false(matches(CONFIG_RULE_KEY_LABEL, "ming", NULL, &facts, NULL));
}

/* ------------------------------------------------------------------ deciding */

/* Rules by letter: t and s the token's label and serial number, k and i the key's label and id, a the program; in
 * capitals one that matches nothing here. Each is followed by its level: h, m, l. */
static size_t parse_rules(const char *text, struct config_rule *rules)
{
    static const struct {
        char letter;
        enum config_rule_kind kind;
        const char *value;
    } kinds[] = {
        {'t', CONFIG_RULE_TOKEN_LABEL, "My card"}, {'s', CONFIG_RULE_TOKEN_SERIAL, "0123"},
        {'k', CONFIG_RULE_KEY_LABEL, "ming"},      {'i', CONFIG_RULE_KEY_ID, "\x0a"},
        {'a', CONFIG_RULE_APP, "/usr/bin/openssl"}, {'T', CONFIG_RULE_TOKEN_LABEL, "other"},
        {'K', CONFIG_RULE_KEY_LABEL, "other"},     {'A', CONFIG_RULE_APP, "/other"},
    };
    size_t count = 0;

    for (; *text; text += 2 + (text[2] == ' '))
        for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++)
            if (kinds[k].letter == text[0])
                rules[count++] = rule(kinds[k].kind, kinds[k].value,
                                      text[1] == 'h' ? HIGH : text[1] == 'm' ? MEDIUM : LOW);
    return count;
}

/* For each rule how it stands: - no match, D decides, = agrees, w weaker, g more general, o overruled. */
static char standing_letter(enum policy_standing standing)
{
    static const char letters[] = {[POLICY_RULE_NO_MATCH] = '-',    [POLICY_RULE_DECIDES] = 'D',
                                   [POLICY_RULE_AGREES] = '=',      [POLICY_RULE_LESS_STRICT] = 'w',
                                   [POLICY_RULE_LESS_SPECIFIC] = 'g', [POLICY_RULE_OVERRULED] = 'o'};

    return letters[standing];
}

static void most_specific_wins_then_strictest(void **state)
{
    static const struct {
        enum config_level module;
        const char *rules;
        bool always_authenticate;
        enum config_level level;
        const char *standing;
    } rows[] = {
        {HIGH, "", false, HIGH, ""},
        {LOW, "", false, LOW, ""},
        /* One rule, in both directions. */
        {HIGH, "tl", false, LOW, "D"},
        {LOW, "th", false, HIGH, "D"},
        {HIGH, "km", false, MEDIUM, "D"},
        {HIGH, "al", false, LOW, "D"},
        {LOW, "sm", false, MEDIUM, "D"},
        {HIGH, "il", false, LOW, "D"},
        /* What does not match does not count. */
        {LOW, "Th Kh Ah", false, LOW, "---"},
        {LOW, "Th km Ah", false, MEDIUM, "-D-"},
        /* A key's or a program's rule is more specific than a token's, whichever is stricter or first. */
        {MEDIUM, "th kl", false, LOW, "gD"},
        {MEDIUM, "kl th", false, LOW, "Dg"},
        {MEDIUM, "tl kh", false, HIGH, "gD"},
        {MEDIUM, "sh tl al", false, LOW, "ggD"},
        /* Of equals the strictest, wherever it stands. */
        {LOW, "kl ah", false, HIGH, "wD"},
        {LOW, "kh al", false, HIGH, "Dw"},
        {LOW, "km al", false, MEDIUM, "Dw"},
        {HIGH, "kl im", false, MEDIUM, "wD"},
        {HIGH, "kl il al", false, LOW, "D=="},
        {HIGH, "kl im am ih", false, HIGH, "wwwD"},
        {HIGH, "tl sm", false, MEDIUM, "wD"},
        {HIGH, "tl sl", false, LOW, "D="},
        {HIGH, "th sl kl am tm", false, MEDIUM, "ggwDg"},
        /* A key that its token protects itself. */
        {LOW, "", true, HIGH, ""},
        {LOW, "kl tl Al", true, HIGH, "oo-"},
        {LOW, "kh", true, HIGH, "o"},
    };
    const struct policy_token token = token_of("My card", 7, "0123", ' ');
    struct key_facts facts = key_of("ming", "\x0a");
    const struct policy_case judged = {&facts, &token, "/usr/bin/openssl", POLICY_TRUST_YES};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct config_rule rules[8];
        const struct config config = {.module = {.level = rows[i].module},
                                      .rules = {rules, parse_rules(rows[i].rules, rules)}};
        struct policy_verdict verdict;
        char standing[8] = "";

        facts.always_authenticate = rows[i].always_authenticate;
        verdict = policy_judge(&config, &judged);
        for (size_t r = 0; r < config.rules.count; r++)
            standing[r] = standing_letter(policy_rule_standing(&rules[r], &judged, &verdict));
        assert_int_equal(verdict.level, rows[i].level);
        assert_string_equal(standing, rows[i].standing);
        assert_int_equal(verdict.reason, rows[i].always_authenticate ? POLICY_REASON_KEY
                                         : strchr(standing, 'D')    ? POLICY_REASON_RULE
                                                                    : POLICY_REASON_MODULE);
    }
}

/* A level that is none is high, also in a rule. */
static void unknown_level_of_a_rule_is_high(void **state)
{
    struct config_rule rules[] = {rule(CONFIG_RULE_KEY_LABEL, "ming", (enum config_level)7),
                                  rule(CONFIG_RULE_APP, "/x", LOW)};
    const struct config config = {.module = {.level = LOW}, .rules = {rules, 2}};
    const struct key_facts facts = key_of("ming", "");
    const struct policy_case judged = {&facts, NULL, "/x", POLICY_TRUST_YES};

    (void)state;
    assert_int_equal(policy_judge(&config, &judged).level, HIGH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_match_byte_by_byte),       cmocka_unit_test(what_is_not_known_matches_nothing),
        cmocka_unit_test(padding_does_not_count),         cmocka_unit_test(cut_labels_match_nothing),
        cmocka_unit_test(most_specific_wins_then_strictest), cmocka_unit_test(unknown_level_of_a_rule_is_high),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
