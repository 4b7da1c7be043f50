#include "pkcs11-module/pin_quality.h"

#include <sodium.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Labels shorter than this are in many a good PIN by chance. */
#define LABEL_MIN 4
/* A PIN that is one part over and over: parts of up to this length. Three bytes are one Chinese character, too. */
#define PART_MAX 3

static bool is_length(CK_ULONG len)
{
    return len != 0 && len != CK_UNAVAILABLE_INFORMATION;
}

void pin_rules_init(struct pin_rules *rules, const CK_TOKEN_INFO *token, unsigned configured_min,
                    const struct secret *old)
{
    size_t label_len = sizeof token->label;

    while (label_len > 0 && (token->label[label_len - 1] == ' ' || token->label[label_len - 1] == '\0'))
        label_len--;
    *rules = (struct pin_rules){.min = configured_min, .max = SIZE_MAX, .label = token->label, .label_len = label_len,
                                .old = old};
    if (is_length(token->ulMaxPinLen))
        rules->max = token->ulMaxPinLen;
    if (rules->min > rules->max)
        rules->min = rules->max;
    if (is_length(token->ulMinPinLen) && rules->min < token->ulMinPinLen)
        rules->min = token->ulMinPinLen;
}

/* ------------------------------------------------------------------ patterns */

static bool repeats(const char *pin, size_t len)
{
    for (size_t part = 1; part <= PART_MAX && 2 * part <= len; part++)
        if (memcmp(pin, pin + part, len - part) == 0)
            return true;
    return false;
}

/* Letters of ASCII only: the host's locale must not count. */
static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Does text, from its end when backwards, begin with the PIN? */
static bool begins_with(const char *text, size_t text_len, const char *pin, size_t len, bool backwards)
{
    if (len > text_len)
        return false;
    for (size_t i = 0; i < len; i++)
        if (lower(backwards ? text[text_len - 1 - i] : text[i]) != lower(pin[i]))
            return false;
    return true;
}

static bool contains(const char *text, size_t text_len, const char *pin, size_t len, bool backwards)
{
    for (size_t i = 0; i + len <= text_len; i++)
        if (backwards ? begins_with(text, text_len - i, pin, len, true)
                      : begins_with(text + i, text_len - i, pin, len, false))
            return true;
    return false;
}

static bool is_in_a_row(const char *pin, size_t len)
{
    /* As they are counted, and as they lie on the keys. */
    static const char *const rows[] = {"01234567890123456789", "abcdefghijklmnopqrstuvwxyz", "qwertyuiop", "asdfghjkl",
                                       "zxcvbnm",              "qwertzuiop",                 "azertyuiop", "147258369"};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (contains(rows[i], strlen(rows[i]), pin, len, false) || contains(rows[i], strlen(rows[i]), pin, len, true))
            return true;
    return false;
}

static bool is_label(const struct pin_rules *rules, const char *pin, size_t len)
{
    const char *label = (const char *)rules->label;

    if (len >= LABEL_MIN && contains(label, rules->label_len, pin, len, false))
        return true;
    // NOLINTNEXTLINE(readability-suspicious-call-argument): now the other way around
    return rules->label_len >= LABEL_MIN && contains(pin, len, label, rules->label_len, false);
}

static bool is_old(const struct secret *old, const char *pin, size_t len)
{
    return old && secret_length(old) == len && sodium_memcmp(secret_bytes(old), pin, len) == 0;
}

enum pin_fault pin_quality_judge(const struct pin_rules *rules, const char *pin, size_t len)
{
    if (len < rules->min || len == 0)
        return PIN_TOO_SHORT;
    if (len > rules->max)
        return PIN_TOO_LONG;
    if (is_old(rules->old, pin, len))
        return PIN_IS_OLD;
    if (repeats(pin, len))
        return PIN_REPEATS;
    if (is_in_a_row(pin, len))
        return PIN_IN_A_ROW;
    return is_label(rules, pin, len) ? PIN_IS_LABEL : PIN_GOOD;
}

/* ------------------------------------------------------------------ a figure for the bar */

/* Tenths of a bit that a character adds: by the kind of it, next to nothing when it follows from the one before. */
static int worth(const char *pin, size_t i)
{
    const char c = lower(pin[i]);
    const int step = i > 0 ? c - lower(pin[i - 1]) : 2;

    if (step >= -1 && step <= 1)
        return 5;
    if (pin[i] >= '0' && pin[i] <= '9')
        return 33;
    return c >= 'a' && c <= 'z' ? 47 : 60;
}

int pin_quality_percent(const struct pin_rules *rules, const char *pin, size_t len)
{
    const int full = 400; /* twelve digits: beyond any counter of tries, and out of reach of a search offline */
    int tenths = 0, percent;

    for (size_t i = 0; i < len && tenths < full; i++)
        tenths += worth(pin, i);
    percent = tenths >= full ? 100 : tenths * 100 / full;
    if (percent == 0)
        percent = 1;
    return pin_quality_judge(rules, pin, len) == PIN_GOOD ? percent : -percent;
}
