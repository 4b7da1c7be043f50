#include "pkcs11-module/prompt.h"

#include <string.h>

#include "common/i18n.h"
#include "common/pinentry.h"
#include "pkcs11-module/prompt_text.h"

/* Whole minutes are easier to judge than seconds. */
static void add_time(struct prompt_text *text, CK_ULONG time_s)
{
    if (time_s % 60 == 0)
        prompt_text_add(text, _("For how long: at most %lu min\n"), time_s / 60);
    else
        prompt_text_add(text, _("For how long: at most %lu s\n"), time_s);
}

enum error_code prompt_batch_pin(const struct config *config, const struct prompt_batch *batch,
                                 const CK_TOKEN_INFO *token, const struct retry_state *tries,
                                 const char *error, int cancel_fd, struct secret **pin, struct error *err)
{
    struct pinentry_question question;
    struct prompt_text text = {0};
    struct requester requester;
    struct prompt_value purpose;

    requester_describe(&requester);
    prompt_text_add(
        &text, "%s\n%s\n\n",
        batch->logs_in
            ? _("A program wants to log in to your token and to use your keys SEVERAL TIMES without "
                "asking again.")
            : _("A program wants to use your keys SEVERAL TIMES without asking again."),
        _("Enter the PIN only if you have just asked for this."));
    prompt_text_add(&text, _("Purpose, as the program says: %s\n"),
                    prompt_value_show(&purpose, batch->purpose, strlen(batch->purpose), 160));
    prompt_text_add(&text,
                    _("How often: at most %lu times, to sign, decrypt, unwrap or derive with any key on the token\n"),
                    batch->uses);
    add_time(&text, batch->time_s);
    prompt_text_add_token(&text, token);
    prompt_text_add_tries(&text, token, tries);
    prompt_text_add_program(&text, &requester);
    prompt_text_add_command(&text, &requester);
    prompt_question_init(&question, config, &text, cancel_fd);
    question.prompt = _("PIN:");
    question.error = error;
    return pinentry_get_pin(&question, pin, err);
}
