#include "enroll/token_internal.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/i18n.h"
#include "enroll/agent.h"

enum error_code token_isolated_address(const struct config *config, struct error *err)
{
    char *path;
    char *address = NULL;
    enum error_code status = ERROR_NONE;

    if (!config->token.isolated || getenv("P11_KIT_SERVER_ADDRESS")) {
        return ERROR_NONE;
    }
    path = agent_socket();
    if (!path) {
        return error_set(err, ERROR_STATE,
                         _("There is no pinward-agent, and no place for one: XDG_RUNTIME_DIR is not set."));
    }
    if (asprintf(&address, "unix:path=%s", path) < 0 || setenv("P11_KIT_SERVER_ADDRESS", address, 1) != 0) {
        status = error_set(err, ERROR_MEMORY, "%s", "");
    }
    free(address);
    free(path);
    return status;
}

/* p11-kit's client says of an agent that is not there that it has no slots. */
enum error_code token_isolated_is_served(const struct token *token, struct error *err)
{
    struct agent_status agent;
    CK_ULONG slots = 0;
    enum error_code status;

    if (!token->config->token.isolated ||
        (token->functions->C_GetSlotList(CK_FALSE, NULL, &slots) == CKR_OK && slots > 0)) {
        return ERROR_NONE;
    }
    status = agent_ask_status(&agent, err);
    if (status == ERROR_NONE) {
        agent_status_clear(&agent); /* it has none */
    }
    return status;
}

enum error_code token_isolated_carries(const struct token *token, CK_MECHANISM_TYPE type, const char *what,
                                       struct error *err)
{
    const char *file = token->config->file ? token->config->file : "~/.config/pinward/pinward.conf";
    const CK_SLOT_ID slot = PKCS11_get_slotid_from_slot(token->slot);
    CK_MECHANISM_TYPE *types;
    CK_ULONG count = 0;
    bool found = !token->config->token.isolated;
    CK_RV rv;

    if (found || token->functions->C_GetMechanismList(slot, NULL, &count) != CKR_OK) {
        return ERROR_NONE; /* what is wrong shows in the call itself */
    }
    types = calloc(count + 1, sizeof *types);
    if (!types) {
        return error_set(err, ERROR_MEMORY, "%s", "");
    }
    rv = token->functions->C_GetMechanismList(slot, types, &count);
    for (CK_ULONG i = 0; rv == CKR_OK && i < count; i++) {
        found = found || types[i] == type;
    }
    free(types);
    if (rv != CKR_OK || found) {
        return ERROR_NONE;
    }
    return error_set(err, ERROR_STATE,
                     _("%s cannot be done through pinward-agent: the protocol of this version of p11-kit has no words for "
                       "it. Run the same command with isolated = no in [token] of %s, where the token is yours to read."),
                     what, file);
}
