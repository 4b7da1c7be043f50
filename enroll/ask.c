#include "enroll/ask.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/i18n.h"
#include "common/pinentry.h"
#include "common/utf8_wrap.h"
#include "enroll/interrupt.h"
#include "enroll/wrap.h"

/* Cuts blanks at both ends, in place. */
static char *ask_trim(char *line)
{
    size_t len;

    while (isspace((unsigned char)*line)) {
        line++;
    }
    len = strlen(line);
    while (len > 0 && isspace((unsigned char)line[len - 1])) {
        line[--len] = '\0';
    }
    return line;
}

enum error_code ask_line_or_nothing(const char *question, const char *option, char **answer, struct error *err)
{
    char *line = NULL;
    char *trimmed;
    size_t size = 0;

    if (!isatty(STDIN_FILENO)) {
        return error_set(err, ERROR_USAGE, _("There is no terminal to ask on: give %s."), option);
    }
    /* At once, blank and all: what is typed ahead is echoed behind it. */
    if (asprintf(&line, "%s ", question) < 0) {
        return error_set(err, ERROR_MEMORY, "%s", "");
    }
    wrap_print(stderr, line, wrap_columns(stderr), 0);
    free(line);
    line = NULL;
    /* A terminal gives a line at a time, so none is waiting in stdin's buffer. */
    if (!interrupt_wait(STDIN_FILENO)) {
        (void)interrupt_error(err);
        return ERROR_INTERRUPTED;
    }
    if (getline(&line, &size, stdin) < 0) {
        free(line);
        return error_set(err, ERROR_CANCELLED, _("No answer was given, so nothing was done."));
    }
    trimmed = strdup(ask_trim(line));
    free(line);
    if (!trimmed) {
        return error_set(err, ERROR_MEMORY, "%s", "");
    }
    *answer = trimmed;
    return ERROR_NONE;
}

enum error_code ask_line(const char *question, const char *option, char **answer, struct error *err)
{
    char *line = NULL;
    enum error_code status = ask_line_or_nothing(question, option, &line, err);

    if (status != ERROR_NONE) {
        return status;
    }
    if (line[0] == '\0') {
        free(line);
        return error_set(err, ERROR_CANCELLED, _("No answer was given, so nothing was done."));
    }
    *answer = line;
    return ERROR_NONE;
}

static bool ask_is_word(const char *answer, const char *word, const char *letter, const char *translated)
{
    return strcasecmp(answer, word) == 0 || strcasecmp(answer, letter) == 0 || strcasecmp(answer, translated) == 0;
}

enum error_code ask_yes(const char *question, const char *option, struct error *err)
{
    char *full = NULL;
    enum error_code status = ERROR_NONE;
    bool yes = false;
    bool no = false;

    if (asprintf(&full, _("%s [yes/no]"), question) < 0) {
        return error_set(err, ERROR_MEMORY, "%s", "");
    }
    while (status == ERROR_NONE && !yes && !no) {
        char *answer = NULL;

        status = ask_line(full, option, &answer, err);
        if (status == ERROR_NONE) {
            yes = ask_is_word(answer, "yes", "y", _("yes"));
            no = ask_is_word(answer, "no", "n", _("no"));
        }
        free(answer);
    }
    free(full);
    return no ? error_set(err, ERROR_CANCELLED, _("You did not agree, so nothing was done.")) : status;
}

/* As wide as the module's windows; some pinentries break no line. */
#define ASK_COLUMNS    70
#define ASK_TEXT_BYTES 2048

static enum error_code ask_secret(const struct config *config, struct pinentry_question *question,
                                  struct secret **answer, struct error *err)
{
    char text[ASK_TEXT_BYTES] = "";
    char problem[ASK_TEXT_BYTES] = "";
    struct secret *typed = NULL;
    enum error_code status;

    utf8_wrap(question->text, ASK_COLUMNS, 0, text, sizeof text);
    question->text = text;
    if (question->error) {
        utf8_wrap(question->error, ASK_COLUMNS, 0, problem, sizeof problem);
        question->error = problem;
    }
    question->program = config->module.pinentry;
    question->timeout_s = config->module.prompt_timeout_s;
    question->cancel_fd = interrupt_fd();
    question->title = "Pinward";
    status = pinentry_get_pin(question, &typed, err);
    question->text = NULL; /* they were this function's */
    question->error = NULL;
    if (status == ERROR_CANCELLED) {
        return error_set(err, ERROR_CANCELLED, _("You cancelled, so nothing was done."));
    }
    if (status != ERROR_NONE) {
        return status;
    }
    if (secret_length(typed) == 0) {
        secret_free(&typed);
        return error_set(err, ERROR_CANCELLED, _("Nothing was typed, so nothing was done."));
    }
    *answer = typed;
    return ERROR_NONE;
}

enum error_code ask_password(const struct config *config, const char *text, const char *prompt,
                             const char *problem, struct secret **password, struct error *err)
{
    struct pinentry_question question = {.text = text, .prompt = prompt, .error = problem};

    return ask_secret(config, &question, password, err);
}

enum error_code ask_new_password(const struct config *config, const char *text, const char *problem,
                                 struct secret **password, struct error *err)
{
    struct pinentry_question question = {
        .text = text, .prompt = _("New password:"), .repeat = _("Again:"), .error = problem};

    return ask_secret(config, &question, password, err);
}

enum error_code ask_pin(const struct config *config, const char *text, struct secret **pin, struct error *err)
{
    struct pinentry_question question = {.text = text, .prompt = _("PIN:")};

    return ask_secret(config, &question, pin, err);
}
