#include "enroll/token_policy.h"

#include <stdlib.h>
#include <string.h>

#include "common/i18n.h"
#include "enroll/token_internal.h"
#include "include/pinward.h"

#define TOKEN_POLICY_FIND_MAX 16

/* What the module answers for CKA_ALWAYS_AUTHENTICATE is meant for applications; what the token itself does is in an
 * attribute of the module's own. Another module, without one, shows the token's. */
static void token_policy_read_enforced(struct token *token, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                                       struct key_facts *facts)
{
    CK_BBOOL enforced = CK_FALSE;
    CK_ATTRIBUTE attribute = {CKA_PINWARD_ENFORCED, &enforced, sizeof enforced};

    if (token->functions->C_GetAttributeValue(session, object, &attribute, 1) == CKR_OK &&
        attribute.ulValueLen == sizeof enforced) {
        facts->always_authenticate = enforced != CK_FALSE;
    }
}

static CK_RV token_policy_add(struct token *token, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                              struct token_policy_keys *keys)
{
    struct key_facts *items = realloc(keys->items, (keys->count + 1) * sizeof *items);
    CK_RV rv;

    if (!items) {
        return CKR_HOST_MEMORY;
    }
    keys->items = items;
    rv = key_facts_read(token->functions, session, object, &items[keys->count]);
    if (rv != CKR_OK) {
        return rv;
    }
    token_policy_read_enforced(token, session, object, &items[keys->count]);
    keys->count++;
    return CKR_OK;
}

static CK_RV token_policy_find(struct token *token, CK_SESSION_HANDLE session, struct token_policy_keys *keys)
{
    CK_FUNCTION_LIST *f = token->functions;
    CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof class}};
    CK_OBJECT_HANDLE objects[TOKEN_POLICY_FIND_MAX];
    CK_ULONG count = 0;
    CK_RV rv = f->C_FindObjectsInit(session, template, 1);

    if (rv != CKR_OK) {
        return rv;
    }
    do {
        rv = f->C_FindObjects(session, objects, TOKEN_POLICY_FIND_MAX, &count);
        for (CK_ULONG i = 0; rv == CKR_OK && i < count; i++) {
            rv = token_policy_add(token, session, objects[i], keys);
        }
    } while (rv == CKR_OK && count > 0);
    f->C_FindObjectsFinal(session);
    return rv;
}

enum error_code token_policy_read(struct token *token, struct token_policy_keys *keys, struct error *err)
{
    const CK_SLOT_ID slot = PKCS11_get_slotid_from_slot(token->slot);
    CK_FUNCTION_LIST *f = token->functions;
    struct token_policy_keys read = {.items = NULL};
    CK_SESSION_HANDLE session;
    CK_TOKEN_INFO info;
    CK_RV rv = f->C_GetTokenInfo(slot, &info);

    if (rv == CKR_OK) {
        policy_token_init(&read.token, &info);
        rv = f->C_OpenSession(slot, CKF_SERIAL_SESSION, NULL, NULL, &session);
    }
    if (rv == CKR_OK) {
        rv = token_policy_find(token, session, &read);
        f->C_CloseSession(session);
    }
    if (rv != CKR_OK) {
        token_policy_clear(&read);
        return token_failed_rv(err, rv, _("looking for keys"));
    }
    *keys = read;
    return ERROR_NONE;
}

void token_policy_clear(struct token_policy_keys *keys)
{
    free(keys->items);
    memset(keys, 0, sizeof *keys);
}
