#include "common/utf8.h"

#include <string.h>

static bool is_tail(char byte)
{
    return ((unsigned char)byte & 0xC0) == 0x80;
}

size_t utf8_character(const char *bytes, size_t left)
{
    const unsigned char first = left ? (unsigned char)bytes[0] : 0x80;
    const unsigned char second = left > 1 ? (unsigned char)bytes[1] : 0;
    size_t n;

    if (first < 0x80)
        return 1;
    n = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4 || n > left)
        return 0;
    for (size_t i = 1; i < n; i++)
        if (!is_tail(bytes[i]))
            return 0;
    /* Overlong forms, surrogates, and what lies behind U+10FFFF. */
    if ((first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) || (first == 0xF0 && second < 0x90) ||
        (first == 0xF4 && second > 0x8F))
        return 0;
    return n;
}

/* C0 and C1 controls, DEL; U+200E/F, U+202A-E and U+2066-9, with which a label could turn what stands beside it; the
 * line separators U+2028/9. */
bool utf8_is_harmful(const char *c, size_t n)
{
    const unsigned char *u = (const unsigned char *)c;

    if (n == 1)
        return u[0] < 0x20 || u[0] == 0x7F;
    if (n == 2)
        return u[0] == 0xC2 && u[1] < 0xA0;
    return n == 3 && u[0] == 0xE2 &&
           ((u[1] == 0x80 && (u[2] == 0x8E || u[2] == 0x8F || (u[2] >= 0xA8 && u[2] <= 0xAE))) ||
            (u[1] == 0x81 && u[2] >= 0xA6 && u[2] <= 0xA9));
}

#define CUT_MARK "\xe2\x80\xa6" /* U+2026 */

/* Gives back whole characters from the end until the mark has room there. */
static size_t mark_cut(char *out, size_t written, size_t size, size_t weight, size_t limit)
{
    const size_t mark = sizeof CUT_MARK - 1;

    if (limit < mark || size <= mark)
        return written;
    while (written > 0 && (weight + mark > limit || written + mark >= size)) {
        do
            written--;
        while (written > 0 && is_tail(out[written]));
        weight = 0;
        for (size_t i = 0; i < written; i++)
            weight += out[i] == '%' ? 3 : 1;
    }
    memcpy(out + written, CUT_MARK, mark);
    return written + mark;
}

size_t utf8_whole(const char *text, size_t len)
{
    size_t start = len;

    while (start > 0 && len - start < 4 && ((unsigned char)text[start - 1] & 0xC0) == 0x80)
        start--;
    if (start == 0 || (unsigned char)text[start - 1] < 0xC0)
        return len;
    return utf8_character(text + start - 1, len - start + 1) > 0 ? len : start - 1;
}

size_t utf8_show(const char *text, size_t len, char *out, size_t size, size_t limit)
{
    size_t written = 0, weight = 0;

    for (size_t i = 0; i < len;) {
        size_t n = utf8_character(text + i, len - i);
        const bool shown = n > 0 && !utf8_is_harmful(text + i, n);
        const size_t bytes = shown ? n : 1;
        const size_t costs = shown && text[i] == '%' ? 3 : bytes;

        if (weight + costs > limit || written + bytes >= size) {
            written = mark_cut(out, written, size, weight, limit);
            break;
        }
        if (shown)
            memcpy(out + written, text + i, n);
        else
            out[written] = '?';
        written += bytes;
        weight += costs;
        i += n ? n : 1;
    }
    if (size)
        out[written] = '\0';
    return written;
}
