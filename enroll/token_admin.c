#include "enroll/token_admin.h"

#include <stdlib.h>
#include <string.h>

#include "common/i18n.h"
#include "common/utf8.h"
#include "enroll/ask.h"
#include "enroll/token_internal.h"

#define TOKEN_SLOTS_MAX 256

/* ------------------------------------------------------------------ looking */

/* Fields are padded with blanks (PKCS#11 2.40, 3.2). */
static void token_state_text(char *out, size_t size, const CK_UTF8CHAR *field, size_t len)
{
    while (len > 0 && (field[len - 1] == ' ' || field[len - 1] == '\0')) {
        len--;
    }
    out[utf8_show((const char *)field, len, out, size, size * 3)] = '\0';
}

static void token_state_fill(struct token_state *state, CK_SLOT_ID slot, const CK_TOKEN_INFO *info)
{
    memset(state, 0, sizeof *state);
    state->slot = slot;
    token_state_text(state->label, sizeof state->label, info->label, sizeof info->label);
    token_state_text(state->serial, sizeof state->serial, info->serialNumber, sizeof info->serialNumber);
    token_state_text(state->manufacturer, sizeof state->manufacturer, info->manufacturerID,
                     sizeof info->manufacturerID);
    token_state_text(state->model, sizeof state->model, info->model, sizeof info->model);
    state->initialized = (info->flags & CKF_TOKEN_INITIALIZED) != 0;
    state->pin_set = (info->flags & CKF_USER_PIN_INITIALIZED) != 0;
    state->pin_low = (info->flags & CKF_USER_PIN_COUNT_LOW) != 0;
    state->final_try = (info->flags & CKF_USER_PIN_FINAL_TRY) != 0;
    state->locked = (info->flags & CKF_USER_PIN_LOCKED) != 0;
    state->write_protected = (info->flags & CKF_WRITE_PROTECTED) != 0;
    state->pin_min = info->ulMinPinLen;
    state->pin_max = info->ulMaxPinLen;
}

const char *token_state_name(const struct token_state *state)
{
    if (!state->initialized) {
        return "blank";
    }
    if (!state->pin_set) {
        return "no-pin";
    }
    if (state->locked) {
        return "locked";
    }
    if (state->final_try) {
        return "final-try";
    }
    return state->pin_low ? "pin-low" : "ready";
}

enum error_code token_admin_list(struct token *token, struct token_state **list, size_t *count, struct error *err)
{
    CK_FUNCTION_LIST *f = token->functions;
    CK_SLOT_ID slots[TOKEN_SLOTS_MAX];
    CK_ULONG slot_count = TOKEN_SLOTS_MAX;
    struct token_state *states;
    CK_RV rv = f->C_GetSlotList(CK_TRUE, slots, &slot_count);
    size_t n = 0;

    if (rv != CKR_OK) {
        return token_failed_rv(err, rv, _("looking for tokens"));
    }
    states = calloc(slot_count + 1, sizeof *states);
    if (!states) {
        return error_set(err, ERROR_MEMORY, "%s", "");
    }
    for (CK_ULONG i = 0; i < slot_count; i++) {
        CK_TOKEN_INFO info;

        /* One that was taken out meanwhile is not there. */
        if (f->C_GetTokenInfo(slots[i], &info) == CKR_OK) {
            token_state_fill(&states[n++], slots[i], &info);
        }
    }
    *list = states;
    *count = n;
    return ERROR_NONE;
}

enum error_code token_admin_look(struct token *token, struct token_state *state, struct error *err)
{
    const CK_SLOT_ID slot = PKCS11_get_slotid_from_slot(token->slot);
    CK_TOKEN_INFO info;
    CK_RV rv = token->functions->C_GetTokenInfo(slot, &info);

    if (rv != CKR_OK) {
        return token_failed_rv(err, rv, _("looking for tokens"));
    }
    token_state_fill(state, slot, &info);
    return ERROR_NONE;
}

/* ------------------------------------------------------------------ PINs */

/* A PIN as C_Login and the like want it: none where the module, or the reader, asks itself. */
struct token_pin {
    struct secret *typed;
    CK_UTF8CHAR *bytes;
    CK_ULONG len;
};

static enum error_code token_pin_get(const struct token *token, CK_SLOT_ID slot, bool is_new, const char *text,
                                     struct token_pin *pin, struct error *err)
{
    CK_TOKEN_INFO info;
    CK_RV rv = token->functions->C_GetTokenInfo(slot, &info);
    enum error_code status;

    memset(pin, 0, sizeof *pin);
    if (rv != CKR_OK) {
        return token_failed_rv(err, rv, _("looking for tokens"));
    }
    if (info.flags & CKF_PROTECTED_AUTHENTICATION_PATH) {
        return ERROR_NONE;
    }
    status = is_new ? ask_new_password(token->config, text, NULL, &pin->typed, err)
                    : ask_pin(token->config, text, &pin->typed, err);
    if (status == ERROR_NONE) {
        pin->bytes = (CK_UTF8CHAR *)(void *)secret_bytes(pin->typed);
        pin->len = secret_length(pin->typed);
    }
    return status;
}

static enum error_code token_admin_rv(struct error *err, CK_RV rv, const char *what)
{
    return rv == CKR_OK ? ERROR_NONE : token_failed_rv(err, rv, what);
}

static enum error_code token_slot_session(struct token *token, CK_SLOT_ID slot, CK_SESSION_HANDLE *session,
                                          struct error *err)
{
    return token_admin_rv(
        err, token->functions->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, session),
        _("opening a session"));
}

/* The security officer sets the user's PIN, the first or a new one. */
static enum error_code token_set_user_pin(struct token *token, CK_SLOT_ID slot, struct error *err)
{
    CK_FUNCTION_LIST *f = token->functions;
    struct token_pin so = {0};
    struct token_pin user = {0};
    CK_SESSION_HANDLE session;
    enum error_code status = token_slot_session(token, slot, &session, err);

    if (status != ERROR_NONE) {
        return status;
    }
    status = token_pin_get(token, slot, false, _("Enter the PIN of the token's security officer."), &so, err);
    if (status == ERROR_NONE) {
        status = token_admin_rv(err, f->C_Login(session, CKU_SO, so.bytes, so.len), _("logging in"));
    }
    if (status == ERROR_NONE) {
        status = token_pin_get(token, slot, true, _("Choose the new PIN of the token."), &user, err);
    }
    if (status == ERROR_NONE) {
        status = token_admin_rv(err, f->C_InitPIN(session, user.bytes, user.len), _("setting the PIN"));
    }
    secret_free(&so.typed);
    secret_free(&user.typed);
    (void)f->C_Logout(session);
    f->C_CloseSession(session);
    return status;
}

enum error_code token_admin_unblock(struct token *token, struct error *err)
{
    enum error_code status = token_hold(token, err);

    return status == ERROR_NONE ? token_set_user_pin(token, PKCS11_get_slotid_from_slot(token->slot), err) : status;
}

/* The window is up to the person: nobody else is to log in at the token, or to change its PIN, meanwhile. */
enum error_code token_admin_change_pin(struct token *token, struct error *err)
{
    const CK_SLOT_ID slot = PKCS11_get_slotid_from_slot(token->slot);
    struct token_pin old = {0};
    struct token_pin new = {0};
    CK_SESSION_HANDLE session;
    enum error_code status = token_hold(token, err);

    if (status == ERROR_NONE) {
        status = token_slot_session(token, slot, &session, err);
    }
    if (status != ERROR_NONE) {
        return status;
    }
    status = token_pin_get(token, slot, false, _("Enter the present PIN of the token."), &old, err);
    if (status == ERROR_NONE) {
        status = token_pin_get(token, slot, true, _("Choose the new PIN of the token."), &new, err);
    }
    if (status == ERROR_NONE) {
        status = token_admin_rv(err, token->functions->C_SetPIN(session, old.bytes, old.len, new.bytes, new.len),
                                _("setting the PIN"));
    }
    secret_free(&old.typed);
    secret_free(&new.typed);
    token->functions->C_CloseSession(session);
    return status;
}

enum error_code token_admin_init(struct token *token, unsigned long slot, const char *label, struct error *err)
{
    CK_UTF8CHAR padded[TOKEN_LABEL_MAX];
    struct token_pin so = {0};
    enum error_code status =
        token_pin_get(token, slot, true, _("Choose the PIN of the new token's security officer."), &so, err);

    memset(padded, ' ', sizeof padded);
    // NOLINTNEXTLINE(bugprone-not-null-terminated-result): labels are padded with blanks and not terminated (PKCS#11, 5.5)
    memcpy(padded, label, strlen(label) < sizeof padded ? strlen(label) : sizeof padded);
    if (status == ERROR_NONE) {
        status = token_admin_rv(err, token->functions->C_InitToken(slot, so.bytes, so.len, padded),
                                _("initialising the token"));
    }
    secret_free(&so.typed);
    return status == ERROR_NONE ? token_set_user_pin(token, slot, err) : status;
}
