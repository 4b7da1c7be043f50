#include "common/utf8_wrap.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "common/utf8.h"

struct range {
    uint32_t first;
    uint32_t last;
};

static uint32_t code_point(const char *bytes, size_t n)
{
    static const unsigned char lead[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    uint32_t code = (unsigned char)bytes[0] & lead[n];

    for (size_t i = 1; i < n; i++)
        code = code << 6 | ((unsigned char)bytes[i] & 0x3F);
    return code;
}

static bool is_in(uint32_t code, const struct range *ranges, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (code >= ranges[i].first && code <= ranges[i].last)
            return true;
    return false;
}

size_t utf8_columns(const char *character, size_t n)
{
    static const struct range none[] = {
        {0x0300, 0x036F}, {0x1AB0, 0x1AFF}, {0x1DC0, 0x1DFF}, {0x200B, 0x200D},
        {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F}, {0xE0100, 0xE01EF},
    };
    static const struct range wide[] = {
        {0x1100, 0x115F}, {0x2E80, 0x303E}, {0x3041, 0xA4CF},   {0xA960, 0xA97F},   {0xAC00, 0xD7A3},   {0xF900, 0xFAFF},
        {0xFE30, 0xFE6F}, {0xFF00, 0xFF60}, {0xFFE0, 0xFFE6}, {0x1F300, 0x1F64F}, {0x1F680, 0x1F6FF}, {0x1F900, 0x1F9FF},
        {0x20000, 0x3FFFD},
    };
    const uint32_t code = code_point(character, n);

    if (is_in(code, none, sizeof none / sizeof none[0]))
        return 0;
    return is_in(code, wide, sizeof wide / sizeof wide[0]) ? 2 : 1;
}

/* Punctuation that no line begins with, and that none ends with. */
static const char closing[] = "。，、：；！？）」』】》〉";
static const char opening[] = "（「『【《〈";

static bool is_one_of(const char *set, const char *character, size_t n)
{
    for (const char *at = set; *at; at += 3)
        if (n == 3 && memcmp(at, character, 3) == 0)
            return true;
    return false;
}

/* One character of a line; what is not well-formed is a character of one byte. */
struct character {
    const char *bytes;
    size_t len;
    size_t columns;
};

static struct character character_at(const char *line, size_t left)
{
    const size_t len = utf8_character(line, left);

    return (struct character){line, len ? len : 1, len ? utf8_columns(line, len) : 1};
}

static bool may_break_between(const struct character *before, const struct character *after)
{
    return (before->columns == 2 || after->columns == 2) && !is_one_of(opening, before->bytes, before->len) &&
           !is_one_of(closing, after->bytes, after->len);
}

/* How many bytes of the line, of len bytes, go on one line of so many columns. */
static size_t fitting(const char *line, size_t len, size_t columns)
{
    struct character before = {line, 0, 0};
    size_t column = 0, at_break = 0;

    for (size_t i = 0; i < len;) {
        const struct character c = character_at(line + i, len - i);

        if (i > 0 && (line[i] == ' ' || may_break_between(&before, &c)))
            at_break = i;
        if (column + c.columns > columns && i > 0)
            return at_break ? at_break : i;
        column += c.columns;
        i += c.len;
        before = c;
    }
    return len;
}

/* Cut at a whole character where there is no room for all. */
static size_t put(char *out, size_t room, const char *bytes, size_t len)
{
    size_t n = len < room ? len : room;

    while (n > 0 && n < len && ((unsigned char)bytes[n] & 0xC0) == 0x80)
        n--;
    memcpy(out, bytes, n);
    return n;
}

/* A blank that does not break: pinentry-curses drops the others at the beginning of a line. */
#define INDENT_BLANK "\u00a0"

static size_t indent_bytes(size_t indent)
{
    return indent * (sizeof INDENT_BLANK - 1);
}

static void put_indent(char *out, size_t indent)
{
    for (size_t i = 0; i < indent; i++)
        memcpy(out + indent_bytes(i), INDENT_BLANK, sizeof INDENT_BLANK - 1);
}

void utf8_wrap(const char *text, size_t columns, size_t indent, char *out, size_t size)
{
    size_t written = 0;
    bool goes_on = false;

    while (*text && written + 1 < size) {
        const size_t len = strcspn(text, "\n");
        const size_t fit = fitting(text, len, columns - (goes_on ? indent : 0));
        size_t copied;

        if (goes_on) {
            if (size - 1 - written < indent_bytes(indent))
                break;
            put_indent(out + written, indent);
            written += indent_bytes(indent);
        }
        copied = put(out + written, size - 1 - written, text, fit);
        written += copied;
        text += fit;
        goes_on = fit < len;
        if (copied < fit || (!goes_on && *text == '\0'))
            break;
        if (!goes_on || *text == ' ')
            text++;
        if (written + 1 < size)
            out[written++] = '\n';
    }
    if (size)
        out[written] = '\0';
}
