#include "enroll/text.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

/* Decodes one UTF-8 character (RFC 3629: shortest form, no surrogates). Returns its length, 0 when invalid.
 */
static size_t text_decode(const unsigned char *p, uint32_t *code)
{
    size_t len = p[0] < 0x80             ? 1
                 : (p[0] & 0xe0) == 0xc0 ? 2
                 : (p[0] & 0xf0) == 0xe0 ? 3
                 : (p[0] & 0xf8) == 0xf0 ? 4
                                         : 0;
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    uint32_t value;

    if (len == 0) {
        return 0;
    }
    value = len == 1 ? p[0] : p[0] & (0xffu >> (len + 1));
    for (size_t i = 1; i < len; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }
        value = value << 6 | (p[i] & 0x3f);
    }
    if (value < least[len] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) {
        return 0;
    }
    *code = value;
    return len;
}

static bool text_is_harmless(uint32_t code, bool keep_lines)
{
    if (keep_lines && (code == '\n' || code == '\t')) {
        return true;
    }
    return code >= 0x20 && !(code >= 0x7f && code <= 0x9f) &&
           !(code >= 0x202a && code <= 0x202e) && /* bidirectional embeddings and overrides */
           !(code >= 0x2066 && code <= 0x2069) && /* bidirectional isolates */
           code != 0x200e && code != 0x200f && code != 0x061c && code != 0x2028 && code != 0x2029;
}

/* out may be where text is: no character becomes longer. */
static void text_clean_into(const char *text, bool keep_lines, char *out)
{
    const unsigned char *p = (const unsigned char *)text;

    while (*p) {
        uint32_t code = 0;
        size_t len = text_decode(p, &code);

        if (len > 0 && text_is_harmless(code, keep_lines)) {
            memmove(out, p, len);
            out += len;
        } else {
            *out++ = '?';
        }
        p += len > 0 ? len : 1;
    }
    *out = '\0';
}

char *text_clean(const char *text, bool keep_lines)
{
    char *clean = malloc(strlen(text) + 1);

    if (clean) {
        text_clean_into(text, keep_lines, clean);
    }
    return clean;
}

void text_clean_in_place(char *text)
{
    text_clean_into(text, false, text);
}

size_t text_columns(const char *text)
{
    const unsigned char *p = (const unsigned char *)text;
    size_t columns = 0;

    while (*p) {
        uint32_t code = 0;
        size_t len = text_decode(p, &code);
        int width = len > 0 ? wcwidth((wchar_t)code) : 1;

        columns += width > 0 ? (size_t)width : 0;
        p += len > 0 ? len : 1;
    }
    return columns;
}

void text_print_cell(FILE *out, const char *text, size_t width)
{
    const size_t columns = text_columns(text);

    fprintf(out, "%s%*s", text, columns < width ? (int)(width - columns) : 1, "");
}
