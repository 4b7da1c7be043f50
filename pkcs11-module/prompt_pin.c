#include "pkcs11-module/prompt.h"

#include <stdio.h>

#include "common/i18n.h"
#include "common/pinentry.h"
#include "common/pinentry_quality.h"
#include "pkcs11-module/prompt_text.h"

/* What is said and asked for each PIN of the token. */
static const struct {
    const char *headline;
    const char *label;
    const char *repeat; /* label of the second field; NULL: typed once */
    bool user;          /* it is the user's own PIN that is counted */
} pin_words[] = {
    [PROMPT_PIN_USER] = {N_("A program wants to log in to your token."), N_("PIN:"), NULL, true},
    [PROMPT_PIN_SO] = {N_("A program wants to log in to the token as its security officer. Enter the PIN that was chosen for "
                          "that when the token was made."),
                       N_("SO PIN:"), NULL, false},
    [PROMPT_PIN_SO_NEW] =
        {N_("A new token: choose the PIN of its security officer, and keep it in a safe place. It alone helps when the "
            "user's PIN is lost or locked."),
         N_("New SO PIN:"), N_("New SO PIN again:"), false},
    [PROMPT_PIN_ERASE] =
        {N_("A program wants to ERASE the token with all keys on it. This cannot be undone."), N_("SO PIN:"),
         NULL, false},
    [PROMPT_PIN_OLD] = {N_("A program wants to change the PIN of the token. Enter the present one."),
                        N_("Present PIN:"), NULL, true},
    [PROMPT_PIN_SO_OLD] =
        {N_("A program wants to change the PIN of the token's security officer. Enter the present "
            "one."),
         N_("Present SO PIN:"), NULL, false},
    [PROMPT_PIN_NEW] = {N_("Choose the new PIN of the token, the one that its keys are used with."), N_("New PIN:"),
                        N_("New PIN again:"), false},
};

bool prompt_pin_is_counted(enum prompt_pin which)
{
    return pin_words[which].user;
}

void prompt_pin_fault(const struct pin_rules *rules, enum pin_fault fault, char *text, size_t size)
{
    switch (fault) {
    case PIN_TOO_SHORT:
        snprintf(text, size, _("The PIN is too short: it needs %zu characters."), rules->min);
        return;
    case PIN_TOO_LONG:
        snprintf(text, size, _("The PIN is too long: the token takes %zu characters."), rules->max);
        return;
    case PIN_REPEATS:
        snprintf(text, size, "%s", _("The PIN repeats itself. Choose one that is harder to guess."));
        return;
    case PIN_IN_A_ROW:
        snprintf(text, size, "%s", _("The PIN is a row like 123456. Choose one that is harder to guess."));
        return;
    case PIN_IS_LABEL:
        snprintf(text, size, "%s", _("The PIN is the token's label. Choose one that is harder to guess."));
        return;
    case PIN_IS_OLD:
        snprintf(text, size, "%s", _("That is the present PIN. Choose another one."));
        return;
    case PIN_GOOD:
        break;
    }
    snprintf(text, size, "%s", _("Choose another PIN."));
}

static int quality_percent(const void *rules, const char *pin, size_t len)
{
    return pin_quality_percent(rules, pin, len);
}

/* The name is the program's to choose. */
static void add_user(struct prompt_text *text, const struct prompt_pin_question *asked)
{
    struct prompt_value name;

    if (asked->user && asked->user_len > 0)
        prompt_text_add(text, _("User: %s\n"),
                        prompt_value_show(&name, (const char *)asked->user, asked->user_len, 64));
}

static void pin_text(struct prompt_text *text, const struct config *config, const struct prompt_pin_question *asked)
{
    const unsigned grace_s = requester_login_grace_s(config);
    struct requester requester;

    requester_describe(&requester);
    prompt_text_add(text, "%s\n", _(pin_words[asked->which].headline));
    if (asked->which == PROMPT_PIN_USER && grace_s > 0)
        prompt_text_add(text, _("The PIN also agrees to the first use of a key within %u seconds.\n"),
                        grace_s);
    if (asked->rules)
        prompt_text_add(text, _("It needs %zu characters or more.\n"), asked->rules->min);
    prompt_text_add(text, "\n");
    prompt_text_add_token(text, asked->token);
    add_user(text, asked);
    if (pin_words[asked->which].user)
        prompt_text_add_tries(text, asked->token, asked->tries);
    prompt_text_add_program(text, &requester);
    prompt_text_add_command(text, &requester);
}

enum error_code prompt_token_pin(const struct config *config, const struct prompt_pin_question *asked, int cancel_fd,
                                 struct secret **pin, struct error *err)
{
    const struct pinentry_quality quality = {.percent = quality_percent, .rules = asked->rules};
    struct pinentry_question question;
    struct prompt_text text = {0};

    pin_text(&text, config, asked);
    prompt_question_init(&question, config, &text, cancel_fd);
    question.prompt = _(pin_words[asked->which].label);
    question.error = asked->error;
    if (pin_words[asked->which].repeat)
        question.repeat = _(pin_words[asked->which].repeat);
    if (asked->rules)
        question.quality = &quality;
    return pinentry_get_pin(&question, pin, err);
}

enum error_code prompt_last_try(const struct config *config, bool at_reader, const CK_TOKEN_INFO *token,
                                int cancel_fd, struct error *err)
{
    struct pinentry_question question;
    struct requester requester;
    struct prompt_text text = {0};

    requester_describe(&requester);
    prompt_text_add(&text, "%s\n%s\n\n",
                    at_reader ? _("A program wants you to enter the PIN of your token at the reader.")
                              : _("A program wants to try a PIN of its own on your token."),
                    at_reader ? _("Agree only if you are sure that you know the PIN.")
                              : _("Agree only if you are sure that the program has the right PIN."));
    prompt_text_add_token(&text, token);
    prompt_text_add(&text, _("This is the LAST try: another wrong PIN locks the token.\n"));
    prompt_text_add_program(&text, &requester);
    prompt_text_add_command(&text, &requester);
    prompt_question_init(&question, config, &text, cancel_fd);
    question.ok_label = _("_Agree");
    question.cancel_label = _("_Refuse");
    return pinentry_confirm(&question, err);
}
