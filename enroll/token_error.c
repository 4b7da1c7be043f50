#include "enroll/token_internal.h"

#include <openssl/err.h>

#include "common/i18n.h"

/* The return values that a person can do something about; PKCS#11 2.40 section 5.1 (base specification). */
static const struct {
    CK_RV rv;
    enum error_code code;
    const char *sentence;
} token_table[] = {
    {CKR_PIN_INCORRECT, ERROR_TOKEN,
     N_("The PIN was wrong, so nothing was done: run the same command again.")},
    {CKR_PIN_LEN_RANGE, ERROR_TOKEN,
     N_("The PIN was wrong, so nothing was done: run the same command again.")},
    {CKR_PIN_LOCKED, ERROR_LOCKED,
     N_("The token's PIN is locked after too many wrong ones: its security officer can set a new one with pinward pin "
        "unblock.")},
    {CKR_PIN_EXPIRED, ERROR_TOKEN,
     N_("The token's PIN has expired: change it with pinward pin change first.")},
    {CKR_USER_PIN_NOT_INITIALIZED, ERROR_TOKEN,
     N_("The token has no user PIN yet: set one with pinward pin unblock first.")},
    {CKR_FUNCTION_CANCELED, ERROR_CANCELLED, N_("You cancelled the PIN entry, so nothing was done.")},
    {CKR_FUNCTION_REJECTED, ERROR_CANCELLED,
     N_("The use of the key was not agreed to, so nothing was done.")},
    {CKR_TOKEN_NOT_PRESENT, ERROR_TOKEN,
     N_("The token is not there any more: insert it and run the same command again.")},
    {CKR_DEVICE_REMOVED, ERROR_TOKEN,
     N_("The token is not there any more: insert it and run the same command again.")},
    {CKR_DEVICE_ERROR, ERROR_TOKEN,
     N_("The token failed, or the pinward-agent that uses it has ended: run the same command again.")},
    {CKR_DEVICE_MEMORY, ERROR_TOKEN,
     N_("The token is full: remove what you no longer need with its own program.")},
    {CKR_TOKEN_WRITE_PROTECTED, ERROR_TOKEN, N_("The token is write-protected: use another one.")},
    {CKR_FUNCTION_FAILED, ERROR_TOKEN,
     N_("The token failed, or its PIN could not be asked for: check pinentry in [module]; pinward's log says "
        "why.")},
    {CKR_HOST_MEMORY, ERROR_MEMORY, N_("There is not enough memory.")},
};

enum error_code token_failed_rv(struct error *err, CK_RV rv, const char *what)
{
    for (size_t i = 0; i < sizeof token_table / sizeof token_table[0]; i++) {
        if (token_table[i].rv == rv) {
            return error_set(err, token_table[i].code, "%s", _(token_table[i].sentence));
        }
    }
    return error_set(
        err, ERROR_TOKEN,
        _("The token failed while %s (CKR 0x%lx): pinward's log and the token's own program may say why."),
        what, (unsigned long)rv);
}

enum error_code token_failed(struct error *err, const char *what)
{
    CK_RV rv = CKR_OK;
    unsigned long entry;

    /* libp11 reports the module's return value as the reason of an error of its own library number; OpenSSL
     * puts its errors on top of it. */
    while ((entry = ERR_get_error()) != 0) {
        if (ERR_GET_LIB(entry) == ERR_get_CKR_code() && rv == CKR_OK) {
            rv = (CK_RV)ERR_GET_REASON(entry);
        }
    }
    if (rv != CKR_OK) {
        return token_failed_rv(err, rv, what);
    }
    return error_set(err, ERROR_TOKEN, _("The token failed while %s: pinward's log may say why."), what);
}
