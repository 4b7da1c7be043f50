#include "pkcs11-module/prompt_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/i18n.h"
#include "common/utf8.h"
#include "common/utf8_wrap.h"

void prompt_text_add(struct prompt_text *text, const char *format, ...)
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

const char *prompt_value_show(struct prompt_value *value, const char *text, size_t len, size_t limit)
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

void prompt_text_add_token(struct prompt_text *text, const CK_TOKEN_INFO *token)
{
    const size_t len = (size_t)token_label_length(token);
    struct prompt_value label;

    if (len > 0) /* a new token has none */
        prompt_text_add(text, _("Token: %s\n"),
                        prompt_value_show(&label, (const char *)token->label, len, 64));
}

void prompt_text_add_program(struct prompt_text *text, const struct requester *requester)
{
    const char *path = strcmp(requester->path, REQUESTER_UNKNOWN) == 0 ? _("unknown") : requester->path;
    struct prompt_value shown;

    /* The word in front is all that the line may grow by: a line more, and the window no longer fits its terminal. */
    prompt_text_add(text,
                    requester->remote ? _("REMOTE, through: %s (process %ld)\n") : _("Program: %s (process %ld)\n"),
                    prompt_value_show(&shown, path, strlen(path), 100), (long)requester->pid);
}

void prompt_text_add_command(struct prompt_text *text, const struct requester *requester)
{
    struct prompt_value command;

    prompt_text_add(
        text, _("Command: %s\n"),
        prompt_value_show(&command, requester->command, strlen(requester->command), 116));
}

void prompt_text_add_tries(struct prompt_text *text, const CK_TOKEN_INFO *token,
                           const struct retry_state *tries)
{
    if (token->flags & CKF_USER_PIN_FINAL_TRY)
        prompt_text_add(text, _("This is the LAST try: another wrong PIN locks the token.\n"));
    else if (tries->wrong > 0)
        prompt_text_add(text, _("A wrong PIN was entered before. Tries left until the PIN is locked: %u\n"),
                        tries->left);
    else if (token->flags & CKF_USER_PIN_COUNT_LOW)
        prompt_text_add(text, _("A wrong PIN was entered before: few tries are left.\n"));
}

/* What is said, and under a blank line the particulars, whose further lines are indented: a label must not be able to
 * look like a line of its own. */
static void wrap(struct prompt_text *text)
{
    char *blank_line = strstr(text->bytes, "\n\n");
    size_t head;

    if (blank_line)
        *blank_line = '\0';
    utf8_wrap(text->bytes, PROMPT_COLUMNS, 0, text->wrapped, sizeof text->wrapped);
    if (!blank_line)
        return;
    *blank_line = '\n';
    head = strlen(text->wrapped);
    utf8_wrap(blank_line, PROMPT_COLUMNS, PROMPT_INDENT, text->wrapped + head, sizeof text->wrapped - head);
}

void prompt_question_init(struct pinentry_question *question, const struct config *config,
                          struct prompt_text *text, int cancel_fd)
{
    while (text->len > 0 && text->bytes[text->len - 1] == '\n')
        text->bytes[--text->len] = '\0'; /* pinentry has its own blank line there */
    wrap(text);
    *question = (struct pinentry_question){
        .program = config->module.pinentry,
        .timeout_s = config->module.prompt_timeout_s,
        .cancel_fd = cancel_fd,
        .owner = requester_pid(),
        .title = "Pinward",
        .text = text->wrapped,
    };
}
