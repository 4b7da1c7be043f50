#include "enroll/token_internal.h"

#include <dlfcn.h>
#include <string.h>

#include "common/i18n.h"
#include "common/utf8.h"
#include "pkcs11-module/p11_3.h"

#include "include/pinward.h"

/* Time for the user's password and for an answer of the portal, as far as the module's configuration allows.
 */
#define TOKEN_BATCH_TIME_S 600UL

/* NULL: another module than Pinward's, or one that is older. */
static const struct pinward_consent_functions *token_batch_functions(const struct token *token)
{
    CK_C_GetInterface get = NULL;
    CK_INTERFACE *found = NULL;

    *(void **)(&get) = dlsym(token->module, "C_GetInterface");
    if (!get || get((CK_UTF8CHAR *)PINWARD_CONSENT_INTERFACE, NULL, &found, 0) != CKR_OK) {
        return NULL;
    }
    return found->pFunctionList;
}

static CK_ULONG token_batch_least(CK_ULONG a, CK_ULONG b)
{
    return a < b ? a : b;
}

/* CKR_FUNCTION_NOT_SUPPORTED: there are no batches. */
static CK_RV token_batch_ask(const struct pinward_consent_functions *functions, CK_SESSION_HANDLE session,
                             const struct token_batch *batch)
{
    char purpose[PINWARD_PURPOSE_MAX + 1];
    CK_ULONG uses, time_s, number;
    CK_RV rv = functions->get_limits(session, &uses, &time_s);
    size_t len;

    if (rv != CKR_OK) {
        return rv;
    }
    len = utf8_show(batch->purpose, strlen(batch->purpose), purpose, sizeof purpose, PINWARD_PURPOSE_MAX);
    return functions->request_batch(session, token_batch_least(batch->uses, uses),
                                    token_batch_least(TOKEN_BATCH_TIME_S, time_s),
                                    (const CK_UTF8CHAR *)purpose, len, &number);
}

enum error_code token_batch_request(struct token *token, const struct token_batch *batch,
                                    CK_SESSION_HANDLE *session, struct error *err)
{
    const struct pinward_consent_functions *functions = token_batch_functions(token);
    CK_SESSION_HANDLE opened;
    CK_RV rv;

    if (!functions) {
        *session = CK_INVALID_HANDLE;
        return ERROR_NONE;
    }
    rv = token->functions->C_OpenSession(PKCS11_get_slotid_from_slot(token->slot), CKF_SERIAL_SESSION, NULL,
                                         NULL, &opened);
    if (rv != CKR_OK) {
        return token_failed_rv(err, rv, _("opening a session"));
    }
    rv = token_batch_ask(functions, opened, batch);
    if (rv != CKR_OK && rv != CKR_FUNCTION_NOT_SUPPORTED) {
        token->functions->C_CloseSession(opened);
        return token_failed_rv(err, rv, _("logging in"));
    }
    *session = opened;
    return ERROR_NONE;
}
