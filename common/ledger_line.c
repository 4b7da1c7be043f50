#include "common/ledger_line.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/fork_safe.h"
#include "common/utf8.h"

/* The most that each string takes of the line, escaped. A path of 255 bytes fits if no more than half of it needs
 * escaping; labels (PKCS#11: 32 bytes for a token, 128 kept of a key's) fit whatever is in them. */
#define PROGRAM_MAX 1100
#define KEY_MAX     780
#define KEY_ID_MAX  132
#define TOKEN_MAX   200
#define SERIAL_MAX  100
#define PURPOSE_MAX 780 /* 128 bytes, whatever is in them */
#define WORD_MAX    64 /* operation and how: words of Pinward's own */

/* Names, punctuation, numbers, time and both hashes. */
#define REST_MAX 720

_Static_assert(PROGRAM_MAX + KEY_MAX + KEY_ID_MAX + TOKEN_MAX + SERIAL_MAX + PURPOSE_MAX + 2 * WORD_MAX + REST_MAX < LEDGER_LINE_MAX,
               "the parts of a line fit into it");

static void line_add(struct ledger_line *line, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void line_add(struct ledger_line *line, const char *format, ...)
{
    const size_t room = sizeof line->bytes - line->len;
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(line->bytes + line->len, room, format, args);
    va_end(args);
    if (n > 0)
        line->len += (size_t)n < room ? (size_t)n : room - 1;
}

/* Of a well-formed character; those that are escaped have at most three bytes. */
static unsigned code_point(const char *text, size_t len)
{
    const unsigned char *u = (const unsigned char *)text;

    switch (len) {
    case 1:
        return u[0];
    case 2:
        return (u[0] & 0x1fu) << 6 | (u[1] & 0x3fu);
    default:
        return (u[0] & 0x0fu) << 12 | (u[1] & 0x3fu) << 6 | (u[2] & 0x3fu);
    }
}

/* The character (or the byte that is none) that text begins with, as it stands in a JSON string (RFC 8259, 7).
 * Returns how many bytes of text it was. */
static size_t escape(const char *text, char escaped[16])
{
    const size_t len = utf8_character(text, strnlen(text, 4));

    if (len == 0)
        snprintf(escaped, 16, "\\\\x%02x", (unsigned char)text[0]);
    else if (text[0] == '"' || text[0] == '\\')
        snprintf(escaped, 16, "\\%c", text[0]);
    else if (utf8_is_harmful(text, len))
        snprintf(escaped, 16, "\\u%04x", code_point(text, len));
    else
        snprintf(escaped, 16, "%.*s", (int)len, text);
    return len > 0 ? len : 1;
}

/* "name":"value", in at most max bytes of value. */
static void line_add_string(struct ledger_line *line, const char *name, const char *value, size_t max)
{
    static const char ellipsis[] = "\xe2\x80\xa6";
    size_t used = 0;

    if (!value) {
        line_add(line, ",\"%s\":null", name);
        return;
    }
    line_add(line, ",\"%s\":\"", name);
    while (*value) {
        char escaped[16];

        value += escape(value, escaped);
        used += strlen(escaped);
        if (used > max - (sizeof ellipsis - 1)) {
            line_add(line, "%s", ellipsis);
            break;
        }
        line_add(line, "%s", escaped);
    }
    line_add(line, "\"");
}

static void line_add_hash(struct ledger_line *line, const char *name, const unsigned char *hash)
{
    char hex[2 * LEDGER_HASH_BYTES + 1];

    line_add_string(line, name, hash ? sodium_bin2hex(hex, sizeof hex, hash, LEDGER_HASH_BYTES) : NULL, sizeof hex + 3);
}

static void line_add_time(struct ledger_line *line, const struct timespec *when)
{
    char stamp[32];
    struct tm utc = {0};

    (void)fork_safe_utc(when->tv_sec, &utc);
    strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &utc); /* RFC 3339 */
    line_add(line, "\"time\":\"%s.%03ldZ\"", stamp, when->tv_nsec / 1000000);
}

/* Only where there is one. */
static void line_add_batch(struct ledger_line *line, const struct ledger_entry *entry)
{
    if (entry->batch > 0)
        line_add(line, ",\"batch\":%lu", entry->batch);
    if (!entry->purpose)
        return;
    line_add_string(line, "purpose", entry->purpose, PURPOSE_MAX);
    line_add(line, ",\"uses\":%lu,\"time_s\":%lu", entry->uses, entry->time_s);
}

void ledger_line_render(const struct ledger_entry *entry, const struct timespec *when, uint64_t seq,
                        const unsigned char *prev, struct ledger_line *line)
{
    line->len = 0;
    line_add(line, "{");
    line_add_time(line, when);
    if (seq > 0)
        line_add(line, ",\"seq\":%llu", (unsigned long long)seq);
    else
        line_add(line, ",\"seq\":null");
    line_add_string(line, "program", entry->program, PROGRAM_MAX);
    line_add(line, ",\"pid\":%ld,\"uid\":%lu", (long)entry->pid, (unsigned long)entry->uid);
    if (entry->remote)
        line_add(line, ",\"remote\":true");
    line_add_string(line, "key", entry->key, KEY_MAX);
    line_add_string(line, "key_id", entry->key_id, KEY_ID_MAX);
    line_add_string(line, "token", entry->token, TOKEN_MAX);
    line_add_string(line, "token_serial", entry->token_serial, SERIAL_MAX);
    line_add_string(line, "operation", entry->operation, WORD_MAX);
    line_add_hash(line, "data", entry->data);
    line_add_string(line, "verdict", entry->allowed ? "allowed" : "denied", WORD_MAX);
    line_add_string(line, "how", entry->how, WORD_MAX);
    line_add(line, ",\"rv\":\"0x%08lx\"", entry->rv);
    line_add_batch(line, entry);
    line_add_hash(line, "prev", prev);
    line_add(line, "}");
}
