#include "enroll/choice.h"

#include <stdlib.h>
#include <string.h>

#include "common/i18n.h"
#include "enroll/ask.h"
#include "enroll/text.h"

#define CHOICE_SEPARATORS ", \t"

struct choice {
    const struct certlist *list;
    const bool *eligible;
    bool numbers;
    bool *chosen;
};

static bool choice_is(const char *word, size_t len, const char *name)
{
    return strlen(name) == len && strncmp(word, name, len) == 0;
}

/* Does the word name the i-th row by what it is? */
static bool choice_is_kind(const struct choice *c, size_t i, const char *word, size_t len)
{
    return choice_is(word, len, "all") ||
           choice_is(word, len, c->list->portal.items[i].use == PORTAL_SIGNING ? "signing" : "encryption");
}

/* Chooses all rows of that kind. false: there is none, or the word is no kind. */
static bool choice_take_kind(const struct choice *c, const char *word, size_t len)
{
    bool any = false;

    for (size_t i = 0; i < c->list->portal.count; i++) {
        if (c->eligible[i] && choice_is_kind(c, i, word, len)) {
            c->chosen[i] = any = true;
        }
    }
    return any;
}

/* Chooses the one row with that number in the table. */
static bool choice_take_number(const struct choice *c, const char *word, size_t len)
{
    size_t number = 0;

    if (!c->numbers || len >= CHOICE_SERIAL_DIGITS_MIN || strspn(word, "0123456789") < len) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        number = number * 10 + (size_t)(word[i] - '0');
    }
    if (number == 0 || number > c->list->portal.count || !c->eligible[number - 1]) {
        return false;
    }
    c->chosen[number - 1] = true;
    return true;
}

/* Chooses the one row whose serial number begins so; of several it would be none in particular. */
static bool choice_take_serial(const struct choice *c, const char *word, size_t len)
{
    size_t found = c->list->portal.count;

    if (len < CHOICE_SERIAL_DIGITS_MIN) {
        return false;
    }
    for (size_t i = 0; i < c->list->portal.count; i++) {
        if (strncmp(c->list->portal.items[i].serial, word, len) == 0) {
            if (found < c->list->portal.count) {
                return false;
            }
            found = i;
        }
    }
    if (found == c->list->portal.count || !c->eligible[found]) {
        return false;
    }
    c->chosen[found] = true;
    return true;
}

static enum error_code choice_refuse(const char *word, size_t len, struct error *err)
{
    char *copy = strndup(word, len);
    char *clean = copy ? text_clean(copy, false) : NULL;

    error_set(err, ERROR_USAGE,
              _("\"%s\" names none of the certificates that can be chosen here: pinward status shows them; "
                "give all, "
                "signing, encryption, or the first digits of a serial number."),
              clean ? clean : "?");
    free(clean);
    free(copy);
    return ERROR_USAGE;
}

enum error_code choice_parse(const struct certlist *list, const bool *eligible, const char *text,
                             bool numbers, bool *chosen, struct error *err)
{
    struct choice c = {list, eligible, numbers, calloc(list->portal.count + 1, sizeof *chosen)};
    enum error_code status = ERROR_NONE;
    size_t words = 0;

    if (!c.chosen) {
        return error_set(err, ERROR_MEMORY, "%s", "");
    }
    for (const char *word = text + strspn(text, CHOICE_SEPARATORS); status == ERROR_NONE && *word; words++) {
        const size_t len = strcspn(word, CHOICE_SEPARATORS);

        if (!choice_take_kind(&c, word, len) && !choice_take_number(&c, word, len) &&
            !choice_take_serial(&c, word, len)) {
            status = choice_refuse(word, len, err);
        }
        word += len;
        word += strspn(word, CHOICE_SEPARATORS);
    }
    if (status == ERROR_NONE && words == 0) {
        status = choice_refuse(text, strlen(text), err);
    }
    for (size_t i = 0; status == ERROR_NONE && i < list->portal.count; i++) {
        chosen[i] = c.chosen[i];
    }
    free(c.chosen);
    return status;
}

enum error_code choice_make(const struct app *app, const struct certlist *list, const bool *eligible,
                            const char *question, bool *chosen, struct error *err)
{
    char *answer = NULL;
    enum error_code status;

    if (app->options.certificate) {
        return choice_parse(list, eligible, app->options.certificate, false, chosen, err);
    }
    certlist_print(stderr, list, eligible, true);
    status = ask_line(question, "--certificate", &answer, err);
    if (status == ERROR_NONE) {
        status = choice_parse(list, eligible, answer, true, chosen, err);
    }
    free(answer);
    return status;
}
