"""mutations: ways to break what protects a key, each of which some test must notice.

A row: what is broken; the file; the text there and what it becomes (the text must be there exactly once); the tests that are
run, as a regular expression for ctest.
"""

MUTATIONS = [
    # every private-key call is gated
    ("C_DestroyObject asks nobody", "pkcs11-module/policy.c",
     "return policy_level(facts) == CONFIG_LEVEL_LOW;", "return policy_level(facts) != CONFIG_LEVEL_MEDIUM;",
     "gate_policy|module_(keys|sign)$"),
    ("CKA_EXTRACTABLE may be set", "pkcs11-module/attribute_rules.c",
     "    case CKA_EXTRACTABLE:\n    case CKA_TRUSTED:\n        return is_true(attribute, true);",
     "    case CKA_EXTRACTABLE:\n    case CKA_TRUSTED:\n        return false;", "gate_attribute_rules|module_refuse"),
    ("CKA_SENSITIVE may be cleared", "pkcs11-module/attribute_rules.c",
     "    case CKA_SENSITIVE:\n    case CKA_PRIVATE:\n    case CKA_ALWAYS_AUTHENTICATE:\n    case CKA_WRAP_WITH_TRUSTED:\n"
     "        return !is_true",
     "    case CKA_PRIVATE:\n    case CKA_ALWAYS_AUTHENTICATE:\n    case CKA_WRAP_WITH_TRUSTED:\n        return !is_true",
     "gate_attribute_rules|module_refuse"),
    ("roles may change", "pkcs11-module/attribute_rules.c",
     "if (weakens(attribute) || is_role(attribute->type))", "if (weakens(attribute))", "gate_attribute_rules|module_refuse"),
    ("a private key may wrap", "pkcs11-module/entry_wrap.c",
     "if (key_facts_is_private_key(&wrapping))", "if (false && key_facts_is_private_key(&wrapping))", "module_(once|refuse)"),
    ("what was agreed to is not what is signed", "pkcs11-module/gate.c",
     "    if (is_what_was_agreed(turn, data, data_len, whole))\n        return CKR_OK;",
     "    if (is_what_was_agreed(turn, data, data_len, whole) || true)\n        return CKR_OK;", "module_(sign|careless|races)"),
    # levels and rules
    ("of equal rules the laxer wins", "pkcs11-module/policy.c",
     "return known_level(rule->level) < known_level(other->level);",
     "return known_level(rule->level) > known_level(other->level);", "gate_policy_rules|module_rules"),
    ("an unknown level counts as low", "pkcs11-module/policy.c",
     "level == CONFIG_LEVEL_LOW || level == CONFIG_LEVEL_MEDIUM ? level : CONFIG_LEVEL_HIGH;",
     "level == CONFIG_LEVEL_HIGH || level == CONFIG_LEVEL_MEDIUM ? level : CONFIG_LEVEL_LOW;", "gate_policy"),
    # prompts
    ("there is no cool-down", "pkcs11-module/cool_down.c",
     "numbers[UNANSWERED] < COOL_DOWN_ROW ||", "numbers[UNANSWERED] < 1000 ||", "gate_cool_down|module_cool_down"),
    # one entry a use
    ("a lease is never used up", "pkcs11-module/lease.c", "if (--(*found)->uses == 0)", "if (false)",
     "gate_login|module_(batch|login)"),
    ("a lease never ends", "pkcs11-module/lease.c", "if (now >= (*list)->end_ms)", "if (false && now >= (*list)->end_ms)",
     "gate_login|module_(batch|login)"),
    ("a batch covers deletion", "pkcs11-module/consent.c", "    if (!policy_works_with_key(request->use) || !look_at_login(rt, request))",
     "    if (!look_at_login(rt, request))", "module_(batch|login)"),
    ("a batch is larger than configured", "pkcs11-module/batch.c", "terms->uses <= rt->config.module.batch_uses &&", "",
     "module_batch$"),
    # retry counter
    ("a wrong PIN is not counted", "pkcs11-module/pin_check.c",
     "        retry_end(&attempt, RETRY_WRONG);\n        return CKR_PIN_INCORRECT;",
     "        retry_end(&attempt, RETRY_NOT_COUNTED);\n        return CKR_PIN_INCORRECT;", "module_retry"),
    ("one wrong PIN too many", "pkcs11-module/retry.c", "if (tally.wrong >= retry->limit) {", "if (tally.wrong > retry->limit) {",
     "gate_retry|module_retry"),
    # ledger
    ("the chain hangs on nothing", "common/ledger.c", "    crypto_hash_sha256_final(hash, end->last);\n",
     "    unsigned char unused[LEDGER_HASH_BYTES];\n\n    crypto_hash_sha256_final(hash, unused);\n",
     "common_ledger|module_ledger|enroll_ledger"),
    ("what cannot be recorded is allowed", "pkcs11-module/decision.c", "if (rv == CKR_OK && rt->config.ledger.required) {",
     "if (rv != CKR_OK && rt->config.ledger.required) {", "module_(ledger|batch)$"),
    # 3.0
    ("an interface's version need not match", "pkcs11-module/interface.c",
     "return !version || memcmp(interface->pFunctionList, version, sizeof *version) == 0;", "return true;", "module_v3"),
    ("profiles are passed on", "pkcs11-module/profile.c", "        if (object_class != CKO_PROFILE)\n            return false;",
     "", "module_v3"),
    # a good guest
    ("a session closed meanwhile is not noticed", "pkcs11-module/gate.c",
     "changed = !turn->session->closed && !op->doomed &&", "changed =", "module_(withdraw|races)"),
    ("facts outlive the login", "pkcs11-module/session_facts.c", "void session_forget_facts(struct session_table *table)\n{\n",
     "void session_forget_facts(struct session_table *table)\n{\n    if (table)\n        return;\n", "module_"),
]
