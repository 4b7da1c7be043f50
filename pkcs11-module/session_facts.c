#include "common/log.h"
#include "pkcs11-module/answer.h"
#include "pkcs11-module/policy.h"
#include "pkcs11-module/session.h"

/* The facts about keys that a session remembers, the level they come to, and when they die. */

void session_table_judge_by(struct session_table *table, const struct config *config, const char *program,
                            enum policy_trust trust)
{
    pthread_mutex_lock(&table->policy_lock);
    table->config = config;
    table->program = program;
    table->trust = trust;
    pthread_mutex_unlock(&table->policy_lock);
}

static enum config_level judge(struct session_table *table, const struct policy_token *token,
                               const struct key_facts *facts, bool any_program)
{
    struct policy_verdict verdict = {.level = CONFIG_LEVEL_HIGH};

    pthread_mutex_lock(&table->policy_lock);
    if (table->config) {
        const struct policy_case judged = {facts, token, any_program ? NULL : table->program, table->trust};

        verdict = policy_judge(table->config, &judged);
        if (verdict.rule)
            log_debug("key \"%s\": level %s by [%s], line %u", facts->label, config_level_name(verdict.level),
                      verdict.rule->section, verdict.rule->line);
    }
    pthread_mutex_unlock(&table->policy_lock);
    return verdict.level;
}

/* Which token is it? Asked before a key's facts are read: when these can be read, the session is still there, and so
 * was its token when it was asked, since a session ends with the removal of its token. */
static CK_RV session_token(CK_FUNCTION_LIST *backend, struct session *session, struct policy_token *token)
{
    CK_TOKEN_INFO info;
    bool known;
    CK_RV rv;

    pthread_mutex_lock(&session->lock);
    known = session->token_known;
    *token = session->token;
    pthread_mutex_unlock(&session->lock);
    if (known)
        return CKR_OK;
    rv = backend->C_GetTokenInfo(session->slot, &info);
    if (rv == CKR_OK)
        policy_token_init(token, &info);
    return answer_inner(rv);
}

static CK_RV read_facts(struct session_table *table, CK_FUNCTION_LIST *backend, struct session *session,
                        CK_OBJECT_HANDLE object, struct policy_token *token, struct key_facts *facts)
{
    struct key_facts read;
    CK_RV rv = session_token(backend, session, token);

    if (rv == CKR_OK)
        rv = key_facts_read(backend, session->handle, object, &read);
    if (rv == CKR_OBJECT_HANDLE_INVALID || rv == CKR_KEY_HANDLE_INVALID) /* tpm2-pkcs11 says the latter of any object */
        return CKR_OBJECT_HANDLE_INVALID;
    if (rv != CKR_OK)
        return answer_inner(rv);
    if (key_facts_is_private_key(&read))
        read.level = judge(table, token, &read, false);
    *facts = read;
    return CKR_OK;
}

CK_RV session_key_facts(struct session_table *table, CK_FUNCTION_LIST *backend, struct session *session,
                        CK_OBJECT_HANDLE object, struct key_facts *facts)
{
    /* Taken before the token is read: what changes while it is read makes the result stale, not wrong for good. */
    const uint64_t epoch = atomic_load(&table->facts_epoch) + 1;
    struct policy_token token;
    bool known = false;
    CK_RV rv;

    pthread_mutex_lock(&session->lock);
    for (int i = 0; i < SESSION_FACTS_KEPT && !known; i++) {
        if (session->facts[i].object == object && session->facts[i].epoch == epoch) {
            *facts = session->facts[i].facts;
            known = true;
        }
    }
    pthread_mutex_unlock(&session->lock);
    if (known)
        return CKR_OK;
    rv = read_facts(table, backend, session, object, &token, facts);
    if (rv != CKR_OK)
        return rv;
    pthread_mutex_lock(&session->lock);
    session->facts[session->facts_next].object = object;
    session->facts[session->facts_next].epoch = epoch;
    session->facts[session->facts_next].facts = *facts;
    session->facts_next = (session->facts_next + 1) % SESSION_FACTS_KEPT;
    session->token = token;
    session->token_known = true;
    pthread_mutex_unlock(&session->lock);
    return CKR_OK;
}

CK_RV session_new_key_level(struct session_table *table, CK_FUNCTION_LIST *backend, struct session *session,
                            const struct key_facts *facts, enum config_level *level)
{
    struct policy_token token;
    CK_RV rv = session_token(backend, session, &token);

    if (rv == CKR_OK)
        *level = judge(table, &token, facts, true);
    return rv;
}

/* The strictest level is the smallest. */
static bool lowers_for(const struct config *config, const struct policy_token *token, const char *program,
                       const struct key_facts *before, const struct key_facts *after)
{
    const struct policy_case judged_before = {before, token, program, POLICY_TRUST_YES};
    const struct policy_case judged_after = {after, token, program, POLICY_TRUST_YES};

    return policy_judge(config, &judged_after).level > policy_judge(config, &judged_before).level;
}

CK_RV session_change_lowers_level(struct session_table *table, CK_FUNCTION_LIST *backend, struct session *session,
                                  const struct key_facts *before, const struct key_facts *after, bool *lowers)
{
    struct policy_token token;
    CK_RV rv = session_token(backend, session, &token);

    if (rv != CKR_OK)
        return rv;
    pthread_mutex_lock(&table->policy_lock);
    *lowers = !table->config || lowers_for(table->config, &token, NULL, before, after);
    for (size_t i = 0; !*lowers && i < table->config->rules.count; i++) {
        const struct config_rule *rule = &table->config->rules.items[i];

        *lowers = rule->kind == CONFIG_RULE_APP && lowers_for(table->config, &token, rule->value, before, after);
    }
    pthread_mutex_unlock(&table->policy_lock);
    return CKR_OK;
}

void session_forget_facts(struct session_table *table)
{
    atomic_fetch_add(&table->facts_epoch, 1);
}
