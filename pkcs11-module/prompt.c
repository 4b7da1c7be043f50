#include "pkcs11-module/prompt.h"

#include <poll.h>
#include <sodium.h>
#include <string.h>

#include "common/i18n.h"
#include "common/log.h"
#include "common/pinentry.h"
#include "pkcs11-module/prompt_text.h"

static const char *use_headline(const struct prompt_use *use)
{
    const bool signs_or_decrypts = use->use == POLICY_USE_SIGN || use->use == POLICY_USE_DECRYPT;

    /* Raw RSA decryption is the same operation as raw RSA signing: the window must not promise which it is. */
    if (signs_or_decrypts && use->mechanism == CKM_RSA_X_509)
        return _("A program wants to DECRYPT or SIGN with your key: it asks for the raw operation, which can be either.");
    switch (use->use) {
    case POLICY_USE_SIGN:
        return _("A program wants to SIGN with your key.");
    case POLICY_USE_DECRYPT:
        return _("A program wants to DECRYPT with your key.");
    case POLICY_USE_UNWRAP:
        return _("A program wants to UNWRAP another key with your key.");
    case POLICY_USE_DERIVE:
        return _("A program wants to DERIVE a shared secret with your key.");
    case POLICY_USE_EXPORT:
        return _("A program wants to EXPORT your key: a copy of it leaves the token, encrypted under another "
                 "key.");
    case POLICY_USE_EXPORT_TO_PROGRAM:
        return _("A program wants to EXPORT your key: a copy of it leaves the token, and whoever has the copy can use it "
                 "without asking you.");
    case POLICY_USE_CREATE_EXPORTABLE:
        return _("A program wants to make a new key that it can EXPORT: copies of this key will be able to leave the "
                 "token.");
    case POLICY_USE_COPY:
        return _("A program wants to COPY your key.");
    case POLICY_USE_CHANGE:
        return _("A program wants to CHANGE the name or other particulars of your key.");
    case POLICY_USE_DELETE:
        return _("A program wants to DELETE your key. This cannot be undone.");
    }
    return _("A program wants to use your key.");
}

static void text_add_key(struct prompt_text *text, const struct prompt_use *use)
{
    char id[2 * KEY_ID_MAX + 1];
    struct prompt_value label;

    if (use->facts->label[0]) {
        prompt_text_add(text, _("Key: %s\n"),
                        prompt_value_show(&label, use->facts->label, strlen(use->facts->label), 120));
    } else {
        sodium_bin2hex(id, sizeof id, use->facts->id, use->facts->id_len);
        prompt_text_add(text, _("Key: without a label, id %s\n"), use->facts->id_len ? id : "-");
    }
}

static void text_add_data(struct prompt_text *text, const struct prompt_use *use)
{
    unsigned char digest[crypto_hash_sha256_BYTES];
    char hex[2 * sizeof digest + 1];

    if (use->use != POLICY_USE_SIGN && use->use != POLICY_USE_DECRYPT && use->use != POLICY_USE_UNWRAP)
        return; /* there is no data but the key itself */
    if (!use->whole) {
        prompt_text_add(text, _("Data: not known in advance\n"));
        return;
    }
    crypto_hash_sha256(digest, use->data, use->data_len);
    sodium_bin2hex(hex, sizeof hex, digest, sizeof digest);
    prompt_text_add(text, _("Data (SHA-256): %s\n"), hex);
}

/* What matters most comes first: what does not fit into pinentry's line is cut at the end. */
static void use_text(struct prompt_text *text, const struct prompt_use *use, const char *instruction)
{
    struct requester requester;
    struct prompt_value subject;

    memset(text, 0, sizeof *text);
    requester_describe(&requester);
    prompt_text_add(text, "%s\n%s\n\n", use_headline(use), instruction);
    text_add_key(text, use);
    prompt_text_add_token(text, &use->token);
    prompt_text_add_tries(text, &use->token, &use->tries);
    text_add_data(text, use);
    prompt_text_add_program(text, &requester);
    if (use->subject)
        prompt_text_add(text, _("Certificate: %s\n"),
                        prompt_value_show(&subject, use->subject, strlen(use->subject), 112));
    prompt_text_add_command(text, &requester);
}

enum error_code prompt_use_pin(const struct config *config, const struct prompt_use *use, const char *error,
                               int cancel_fd, struct secret **pin, struct error *err)
{
    struct pinentry_question question;
    struct prompt_text text;

    use_text(&text, use, _("Enter the PIN only if you have just asked for this."));
    prompt_question_init(&question, config, &text, cancel_fd);
    question.prompt = _("PIN:");
    question.error = error;
    return pinentry_get_pin(&question, pin, err);
}

enum error_code prompt_use_confirm(const struct config *config, const struct prompt_use *use,
                                   const char *instruction, int cancel_fd, struct error *err)
{
    struct pinentry_question question;
    struct prompt_text text;

    use_text(&text, use, instruction ? instruction : _("Agree only if you have just asked for this."));
    prompt_question_init(&question, config, &text, cancel_fd);
    question.ok_label = _("_Agree");
    question.cancel_label = _("_Refuse");
    return pinentry_confirm(&question, err);
}

static CK_RV error_to_rv(enum error_code code)
{
    switch (code) {
    case ERROR_NONE:
        return CKR_OK;
    case ERROR_CANCELLED:
        return CKR_FUNCTION_CANCELED;
    case ERROR_TIMEOUT:
        return CKR_FUNCTION_REJECTED;
    case ERROR_MEMORY:
        return CKR_HOST_MEMORY;
    default:
        return CKR_FUNCTION_FAILED;
    }
}

/* Was the question taken off the screen by the module itself? */
static bool was_withdrawn(int cancel_fd)
{
    struct pollfd withdrawn = {.fd = cancel_fd, .events = POLLIN};

    return poll(&withdrawn, 1, 0) > 0;
}

CK_RV prompt_outcome(const struct cool_down *cool_down, enum error_code code, const struct error *err,
                     int cancel_fd)
{
    cool_down_note(cool_down, code, was_withdrawn(cancel_fd));
    if (code != ERROR_NONE)
        log_warning("%s", error_text(err));
    return error_to_rv(code);
}
