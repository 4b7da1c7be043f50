#include "pkcs11-module/requester_command.h"

#include <stdbool.h>
#include <string.h>

#include "common/utf8.h"
#include "pkcs11-module/requester.h"

#define HIDDEN "*"

struct line {
    char text[2 * REQUESTER_COMMAND_MAX];
    size_t len;
};

static void line_add(struct line *line, const char *text, size_t len)
{
    if (len > sizeof line->text - line->len)
        len = sizeof line->text - line->len;
    memcpy(line->text + line->len, text, len);
    line->len += len;
}

/* -p is pkcs11-tool's --pin; of others it hides what need not be known either. */
static bool takes_secret(const char *option, size_t len)
{
    static const char *const words[] = {"pin", "pass", "pwd", "secret"};
    char name[64] = "";

    if (len == 2 && memcmp(option, "-p", 2) == 0)
        return true;
    memcpy(name, option, len < sizeof name ? len : sizeof name - 1);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcasestr(name, words[i]))
            return true;
    return false;
}

/* RFC 7512, 2.4: pin-value stands in the query part, for older programs in the path. */
static void line_add_uri(struct line *line, const char *text, size_t len)
{
    static const char attribute[] = "pin-value=";
    const char *end = text + len;

    for (;;) {
        const char *found = memmem(text, (size_t)(end - text), attribute, sizeof attribute - 1);

        if (!found)
            break;
        found += sizeof attribute - 1;
        line_add(line, text, (size_t)(found - text));
        line_add(line, HIDDEN, 1);
        for (text = found; text < end && !strchr(";&?", *text); text++)
            continue;
    }
    line_add(line, text, (size_t)(end - text));
}

/* true: the argument that follows is a secret. */
static bool line_add_argument(struct line *line, const char *text, size_t len)
{
    const char *equals = memchr(text, '=', len);
    const size_t name_len = equals ? (size_t)(equals - text) : len;

    if (len == 0 || text[0] != '-' || !takes_secret(text, name_len)) {
        line_add_uri(line, text, len);
        return false;
    }
    line_add(line, text, name_len);
    if (equals)
        line_add(line, "=" HIDDEN, 2);
    return !equals;
}

void requester_command_show(const char *raw, size_t len, char *out, size_t size)
{
    struct line line = {.len = 0};
    bool secret = false;

    for (size_t at = 0, next; at < len; at = next) {
        const char *end = memchr(raw + at, '\0', len - at);
        const size_t n = end ? (size_t)(end - (raw + at)) : len - at;

        next = at + n + 1;
        if (at > 0)
            line_add(&line, " ", 1);
        if (secret && (n == 0 || raw[at] != '-')) {
            line_add(&line, HIDDEN, 1);
            secret = false;
        } else {
            secret = line_add_argument(&line, raw + at, n);
        }
    }
    utf8_show(line.text, line.len, out, size, size);
}
