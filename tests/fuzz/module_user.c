#include "fuzz/module_user.h"

#include <ctype.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/pinentry.h"
#include "fuzz/judge.h"

#define TEXT_MAX 2048

static struct fuzz_input *answers;
static void (*while_open)(void);

void user_begin(struct fuzz_input *input, void (*meanwhile)(void))
{
    answers = input;
    while_open = meanwhile;
}

/* ------------------------------------------------------------------ reading the window */

/* The words without the line breaks, and without the blanks that do not break, by which lines are indented. */
static void join_lines(const char *text, char joined[TEXT_MAX])
{
    static const char indent[] = "\xc2\xa0";
    size_t n = 0;

    while (*text && n < TEXT_MAX - 1) {
        const bool indents = strncmp(text, indent, 2) == 0;

        if (!indents && !isspace((unsigned char)*text))
            joined[n++] = *text;
        else if (n > 0 && joined[n - 1] != ' ')
            joined[n++] = ' ';
        text += indents ? 2 : 1;
    }
    joined[n] = '\0';
}

static const struct headline {
    const char *words;
    enum judge_use use;
    bool either;
} headlines[] = {
    {"wants to DECRYPT or SIGN with your key", JUDGE_SIGN, true},
    {"wants to SIGN with your key.", JUDGE_SIGN, false},
    {"wants to DECRYPT with your key.", JUDGE_DECRYPT, false},
    {"wants to UNWRAP another key with your key.", JUDGE_UNWRAP, false},
    {"wants to DERIVE a shared secret with your key.", JUDGE_DERIVE, false},
    {"whoever has the copy can use it without asking you.", JUDGE_EXPORT_TO_PROGRAM, false},
    {"wants to EXPORT your key: a copy of it leaves the token, encrypted under another key.", JUDGE_EXPORT, false},
    {"wants to make a new key that it can EXPORT", JUDGE_CREATE_EXPORTABLE, false},
    {"wants to COPY your key.", JUDGE_COPY, false},
    {"wants to CHANGE the name or other particulars of your key.", JUDGE_CHANGE, false},
    {"wants to DELETE your key.", JUDGE_DELETE, false},
};

/* What follows the words up to the end of the line; "" when they are not there. */
static void value_after(const char *text, const char *words, char *value, size_t size)
{
    const char *found = strstr(text, words);
    size_t len;

    value[0] = '\0';
    if (!found)
        return;
    found += strlen(words);
    len = strcspn(found, "\n");
    snprintf(value, size, "%.*s", (int)len, found);
}

/* A SHA-256, which may begin on a line of its own. */
static bool read_digest(const char *joined, unsigned char digest[32])
{
    static const char words[] = "Data (SHA-256): ";
    const char *found = strstr(joined, words);
    size_t len = 0;

    return found && sodium_hex2bin(digest, 32, found + strlen(words), 64, NULL, &len, NULL) == 0 && len == 32;
}

/* false: the window is about no use of a key. */
static bool read_window(const char *text, bool by_pin, struct judge_window *window)
{
    char joined[TEXT_MAX];

    join_lines(text, joined);
    memset(window, 0, sizeof *window);
    window->by_pin = by_pin;
    for (size_t i = 0; i < sizeof headlines / sizeof headlines[0]; i++) {
        if (!strstr(joined, headlines[i].words))
            continue;
        window->use = headlines[i].use;
        window->sign_or_decrypt = headlines[i].either;
        value_after(text, "\nKey: ", window->label, sizeof window->label);
        if (strncmp(window->label, "without a label", 15) == 0)
            window->label[0] = '\0';
        window->has_data = read_digest(joined, window->data);
        fuzz_require(window->has_data == (strstr(joined, "SHA-256") != NULL), "a digest that is shown can be read");
        return true;
    }
    return false;
}

/* ------------------------------------------------------------------ answering */

/* The user has typed the right PIN, or said yes. */
static void agree(const char *text, bool by_pin)
{
    struct judge_window window;
    char joined[TEXT_MAX];
    const char *uses, *time;

    if (read_window(text, by_pin, &window)) {
        judge_agreed(&window);
        return;
    }
    join_lines(text, joined);
    uses = strstr(joined, "How often: at most ");
    time = strstr(joined, "For how long: at most ");
    if (by_pin && uses && time) {
        const unsigned long length = strtoul(time + strlen("For how long: at most "), NULL, 10);
        const bool minutes = strstr(time, " min") && strstr(time, " min") < strstr(time, " Token");

        judge_agreed_to_batch((unsigned)strtoul(uses + strlen("How often: at most "), NULL, 10),
                              (unsigned)length * (minutes ? 60 : 1));
    } else if (by_pin && strstr(joined, "wants to log in to your token.")) {
        judge_agreed_to_login();
    }
}

enum answer {
    ANSWER_AGREES,
    ANSWER_LATE, /* agrees too */
    ANSWER_WRONG,
    ANSWER_EMPTY,
    ANSWER_CANCELS,
    ANSWER_NONE,
    ANSWER_BROKEN,
    ANSWER_FAILS, /* the same: pinentry is not there */
};

/* Before a late answer the application makes up to four calls. */
static enum answer next_answer(void)
{
    const uint8_t byte = fuzz_byte(answers);
    const enum answer answer = (enum answer)(byte % 8);

    if (answer != ANSWER_LATE)
        return answer;
    for (unsigned calls = 0; calls <= (byte >> 3 & 3); calls++)
        while_open();
    return ANSWER_AGREES;
}

static enum error_code refuse(enum answer answer, struct error *err)
{
    if (answer == ANSWER_NONE)
        return error_set(err, ERROR_TIMEOUT, "There was no answer in time.");
    if (answer >= ANSWER_BROKEN)
        return error_set(err, ERROR_PROMPT, "The PIN could not be asked for.");
    return error_set(err, ERROR_CANCELLED, "The question was answered with Cancel.");
}

enum error_code pinentry_get_pin(const struct pinentry_question *question, struct secret **answer, struct error *err)
{
    const enum answer given = next_answer();
    const char *right = question->repeat ? FUZZ_NEW_SECRET : FUZZ_SECRET;
    const char *pin = given == ANSWER_AGREES ? right : given == ANSWER_WRONG ? "wrong-pin" : "";

    if (given > ANSWER_EMPTY)
        return refuse(given, err);
    *answer = secret_from(pin, strlen(pin));
    if (!*answer)
        return error_set(err, ERROR_MEMORY, "There is no memory.");
    if (given == ANSWER_AGREES)
        agree(question->text, true);
    return ERROR_NONE;
}

enum error_code pinentry_confirm(const struct pinentry_question *question, struct error *err)
{
    const enum answer given = next_answer();

    if (given != ANSWER_AGREES)
        return refuse(given, err);
    agree(question->text, false);
    return ERROR_NONE;
}
