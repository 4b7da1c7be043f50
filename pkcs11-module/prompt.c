#include "pkcs11-module/prompt.h"

#include <poll.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/i18n.h"
#include "common/log.h"
#include "common/pinentry.h"
#include "common/utf8.h"
#include "pkcs11-module/requester.h"

/* Assuan's line is 1000 bytes: what does not fit is cut by pinentry.c, so what matters most comes first. */
#define TEXT_MAX  1400
#define VALUE_MAX 255

struct text {
    char bytes[TEXT_MAX];
    size_t len;
};

static void text_add(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void text_add(struct text *text, const char *format, ...)
{
    const size_t room = sizeof text->bytes - text->len;
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(text->bytes + text->len, room, format, args);
    va_end(args);
    if (n > 0)
        text->len += (size_t)n < room ? (size_t)n : room - 1;
}

/* A value from outside as it is shown: never more than one line, and no longer than limit once escaped, so that no label
 * can push what follows it out of the window. */
struct value {
    char shown[VALUE_MAX + 1];
};

static const char *value_show(struct value *value, const char *text, size_t len, size_t limit)
{
    utf8_show(text, len, value->shown, sizeof value->shown, limit);
    return value->shown;
}

/* A token's label is 32 bytes padded with blanks (PKCS#11 2.40, 3.2, CK_TOKEN_INFO). */
static int token_label_length(const CK_TOKEN_INFO *token)
{
    int len = (int)sizeof token->label;

    while (len > 0 && (token->label[len - 1] == ' ' || token->label[len - 1] == '\0'))
        len--;
    return len;
}

static void text_add_token(struct text *text, const CK_TOKEN_INFO *token)
{
    const size_t len = (size_t)token_label_length(token);
    struct value label;

    if (len > 0) /* a new token has none */
        text_add(text, _("Token: %s\n"), value_show(&label, (const char *)token->label, len, 64));
}

static void text_add_program(struct text *text, const struct requester *requester)
{
    struct value path;

    text_add(text, _("Program: %s (process %ld)\n"),
             value_show(&path, requester->path, strlen(requester->path), 160), (long)requester->pid);
}

static void text_add_command(struct text *text, const struct requester *requester)
{
    struct value command;

    text_add(text, _("Command: %s\n"),
             value_show(&command, requester->command, strlen(requester->command), VALUE_MAX));
}

/* How many tries are left: the counter knows, a token gives only hints. */
static void text_add_tries(struct text *text, const CK_TOKEN_INFO *token, const struct retry_state *tries)
{
    if (token->flags & CKF_USER_PIN_FINAL_TRY)
        text_add(text, _("This is the LAST try: another wrong PIN locks the token.\n"));
    else if (tries->wrong > 0)
        text_add(text, _("A wrong PIN was entered before. Tries left until the PIN is locked: %u\n"), tries->left);
    else if (token->flags & CKF_USER_PIN_COUNT_LOW)
        text_add(text, _("A wrong PIN was entered before: few tries are left.\n"));
}

static const char *use_headline(const struct prompt_use *use)
{
    switch (use->use) {
    case POLICY_USE_SIGN:
        return _("A program wants to SIGN with your key.");
    case POLICY_USE_DECRYPT:
        /* Raw RSA decryption is the same operation as raw RSA signing: the window must not promise which it is. */
        if (use->mechanism == CKM_RSA_X_509)
            return _("A program wants to DECRYPT or SIGN with your key: it asks for the raw operation, which can be "
                     "either.");
        return _("A program wants to DECRYPT with your key.");
    case POLICY_USE_UNWRAP:
        return _("A program wants to UNWRAP another key with your key.");
    case POLICY_USE_DERIVE:
        return _("A program wants to DERIVE a shared secret with your key.");
    case POLICY_USE_EXPORT:
        return _("A program wants to EXPORT your key: a copy of it leaves the token, encrypted under another key.");
    case POLICY_USE_COPY:
        return _("A program wants to COPY your key.");
    case POLICY_USE_CHANGE:
        return _("A program wants to CHANGE the name or other particulars of your key.");
    case POLICY_USE_DELETE:
        return _("A program wants to DELETE your key. This cannot be undone.");
    }
    return _("A program wants to use your key.");
}

static void text_add_key(struct text *text, const struct prompt_use *use)
{
    char id[2 * KEY_ID_MAX + 1];
    struct value label;

    if (use->facts->label[0]) {
        text_add(text, _("Key: %s\n"), value_show(&label, use->facts->label, strlen(use->facts->label), 160));
    } else {
        sodium_bin2hex(id, sizeof id, use->facts->id, use->facts->id_len);
        text_add(text, _("Key: without a label, id %s\n"), use->facts->id_len ? id : "-");
    }
}

static void text_add_data(struct text *text, const struct prompt_use *use)
{
    unsigned char digest[crypto_hash_sha256_BYTES];
    char hex[2 * sizeof digest + 1];

    if (use->use != POLICY_USE_SIGN && use->use != POLICY_USE_DECRYPT && use->use != POLICY_USE_UNWRAP)
        return; /* there is no data but the key itself */
    if (!use->whole) {
        text_add(text, _("Data: not known in advance\n"));
        return;
    }
    crypto_hash_sha256(digest, use->data, use->data_len);
    sodium_bin2hex(hex, sizeof hex, digest, sizeof digest);
    text_add(text, _("Data (SHA-256): %s\n"), hex);
}

/* What matters most comes first: what does not fit into pinentry's line is cut at the end. */
static void use_text(struct text *text, const struct prompt_use *use, const char *instruction)
{
    struct requester requester;
    struct value subject;

    memset(text, 0, sizeof *text);
    requester_describe(&requester);
    text_add(text, "%s\n%s\n\n", use_headline(use), instruction);
    text_add_key(text, use);
    text_add_token(text, &use->token);
    text_add_tries(text, &use->token, &use->tries);
    text_add_data(text, use);
    text_add_program(text, &requester);
    if (use->subject)
        text_add(text, _("Certificate: %s\n"), value_show(&subject, use->subject, strlen(use->subject), 160));
    text_add_command(text, &requester);
}

static void question_init(struct pinentry_question *question, const struct config *config, const struct text *text,
                          int cancel_fd)
{
    *question = (struct pinentry_question){
        .program = config->module.pinentry,
        .timeout_s = config->module.prompt_timeout_s,
        .cancel_fd = cancel_fd,
        .title = "Pinward",
        .text = text->bytes,
    };
}

enum error_code prompt_use_pin(const struct config *config, const struct prompt_use *use, const char *error,
                               int cancel_fd, struct secret **pin, struct error *err)
{
    struct pinentry_question question;
    struct text text;

    use_text(&text, use, _("Enter the PIN only if you have just asked for this."));
    question_init(&question, config, &text, cancel_fd);
    question.prompt = _("PIN:");
    question.error = error;
    return pinentry_get_pin(&question, pin, err);
}

enum error_code prompt_use_confirm(const struct config *config, const struct prompt_use *use,
                                   const char *instruction, int cancel_fd, struct error *err)
{
    struct pinentry_question question;
    struct text text;

    use_text(&text, use, instruction ? instruction : _("Agree only if you have just asked for this."));
    question_init(&question, config, &text, cancel_fd);
    question.ok_label = _("_Agree");
    question.cancel_label = _("_Refuse");
    return pinentry_confirm(&question, err);
}

/* What is said and asked for each PIN of the token. */
static const struct {
    const char *headline;
    const char *label;
    const char *repeat; /* label of the second field; NULL: typed once */
    bool user;          /* it is the user's own PIN that is counted */
} pin_words[] = {
    [PROMPT_PIN_USER] = {N_("A program wants to log in to your token."), N_("PIN:"), NULL, true},
    [PROMPT_PIN_SO] = {N_("A program wants to log in to the token as its security officer."), N_("SO PIN:"), NULL,
                       false},
    [PROMPT_PIN_SO_NEW] = {N_("A new token: choose the PIN of its security officer. It is needed when the user's PIN "
                              "is lost."),
                           N_("New SO PIN:"), N_("New SO PIN again:"), false},
    [PROMPT_PIN_ERASE] = {N_("A program wants to ERASE the token with all keys on it. This cannot be undone."),
                          N_("SO PIN:"), NULL, false},
    [PROMPT_PIN_OLD] = {N_("A program wants to change the PIN of the token. Enter the present one."),
                        N_("Present PIN:"), NULL, true},
    [PROMPT_PIN_SO_OLD] = {N_("A program wants to change the PIN of the token's security officer. Enter the present "
                              "one."),
                           N_("Present SO PIN:"), NULL, false},
    [PROMPT_PIN_NEW] = {N_("Choose the new PIN of the token."), N_("New PIN:"), N_("New PIN again:"), false},
};

bool prompt_pin_is_counted(enum prompt_pin which)
{
    return pin_words[which].user;
}

enum error_code prompt_token_pin(const struct config *config, enum prompt_pin which, const CK_TOKEN_INFO *token,
                                 const struct retry_state *tries, const char *error, int cancel_fd,
                                 struct secret **pin, struct error *err)
{
    struct pinentry_question question;
    struct requester requester;
    struct text text = {0};

    requester_describe(&requester);
    text_add(&text, "%s\n", _(pin_words[which].headline));
    if (which == PROMPT_PIN_USER && config->module.login_grace_s > 0)
        text_add(&text, _("The PIN also agrees to the first use of a key within %u seconds.\n"),
                 config->module.login_grace_s);
    text_add(&text, "\n");
    text_add_token(&text, token);
    if (pin_words[which].user)
        text_add_tries(&text, token, tries);
    text_add_program(&text, &requester);
    text_add_command(&text, &requester);
    question_init(&question, config, &text, cancel_fd);
    question.prompt = _(pin_words[which].label);
    question.error = error;
    if (pin_words[which].repeat)
        question.repeat = _(pin_words[which].repeat);
    return pinentry_get_pin(&question, pin, err);
}

enum error_code prompt_last_try(const struct config *config, bool at_reader, const CK_TOKEN_INFO *token, int cancel_fd,
                                struct error *err)
{
    struct pinentry_question question;
    struct requester requester;
    struct text text = {0};

    requester_describe(&requester);
    text_add(&text, "%s\n%s\n\n",
             at_reader ? _("A program wants you to enter the PIN of your token at the reader.")
                       : _("A program wants to try a PIN of its own on your token."),
             at_reader ? _("Agree only if you are sure that you know the PIN.")
                       : _("Agree only if you are sure that the program has the right PIN."));
    text_add_token(&text, token);
    text_add(&text, _("This is the LAST try: another wrong PIN locks the token.\n"));
    text_add_program(&text, &requester);
    text_add_command(&text, &requester);
    question_init(&question, config, &text, cancel_fd);
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

CK_RV prompt_outcome(const struct cool_down *cool_down, enum error_code code, const struct error *err, int cancel_fd)
{
    cool_down_note(cool_down, code, was_withdrawn(cancel_fd));
    if (code != ERROR_NONE)
        log_warning("%s", error_text(err));
    return error_to_rv(code);
}
