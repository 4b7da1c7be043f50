#include "enroll/codec.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/rand.h>

char *codec_base64_encode(const void *data, size_t len)
{
    size_t size = sodium_base64_encoded_len(len, sodium_base64_VARIANT_ORIGINAL);
    char *text = malloc(size);

    if (text) {
        sodium_bin2base64(text, size, data, len, sodium_base64_VARIANT_ORIGINAL);
    }
    return text;
}

char *codec_hex_encode(const void *data, size_t len)
{
    size_t size = 2 * len + 1;
    char *text = malloc(size);

    if (text) {
        sodium_bin2hex(text, size, data, len);
    }
    return text;
}

bool codec_base64_decode(const char *text, struct bytes *out)
{
    size_t text_len = strlen(text);
    size_t len = 0;
    unsigned char *data = malloc(text_len / 4 * 3 + 1);
    bool ok = false;

    if (data && text_len % 4 == 0 &&
        sodium_base642bin(data, text_len / 4 * 3 + 1, text, text_len, NULL, &len, NULL,
                          sodium_base64_VARIANT_ORIGINAL) == 0) {
        ok = bytes_set(out, data, len);
    }
    free(data);
    return ok;
}

bool codec_hex_decode(const char *text, struct bytes *out)
{
    size_t text_len = strlen(text);
    size_t len = 0;
    unsigned char *data = malloc(text_len / 2 + 1);
    bool ok = false;

    if (data && text_len % 2 == 0 && strspn(text, "0123456789abcdef") == text_len &&
        sodium_hex2bin(data, text_len / 2 + 1, text, text_len, NULL, &len, NULL) == 0) {
        ok = bytes_set(out, data, len);
    }
    free(data);
    return ok;
}

bool codec_uuid_new(char uuid[CODEC_UUID_SIZE])
{
    unsigned char r[16];

    if (RAND_bytes(r, sizeof r) != 1) {
        return false;
    }
    r[6] = (unsigned char)((r[6] & 0x0f) | 0x40); /* RFC 4122 section 4.4: version 4 */
    r[8] = (unsigned char)((r[8] & 0x3f) | 0x80); /* and the variant */
    snprintf(uuid, CODEC_UUID_SIZE, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
             r[0], r[1], r[2], r[3], r[4], r[5], r[6], r[7], r[8], r[9], r[10], r[11], r[12], r[13], r[14],
             r[15]);
    return true;
}

bool codec_uuid_valid(const char *text)
{
    for (size_t i = 0; i < CODEC_UUID_SIZE - 1; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;

        if (dash ? text[i] != '-' : (text[i] == '\0' || !strchr("0123456789abcdef", text[i]))) {
            return false;
        }
    }
    return text[CODEC_UUID_SIZE - 1] == '\0';
}

/* Reads exactly count digits at *p and moves on. */
static bool codec_digits(const char **p, int count, int *out)
{
    int value = 0;

    for (int i = 0; i < count; i++, (*p)++) {
        if (**p < '0' || **p > '9') {
            return false;
        }
        value = value * 10 + (**p - '0');
    }
    *out = value;
    return true;
}

static bool codec_char(const char **p, char c)
{
    return *(*p)++ == c;
}

bool codec_time_parse(const char *text, time_t *out)
{
    const char *p = text;
    struct tm tm = {0};
    struct tm check;
    time_t when;

    if (!codec_digits(&p, 4, &tm.tm_year) || !codec_char(&p, '-') || !codec_digits(&p, 2, &tm.tm_mon) ||
        !codec_char(&p, '-') || !codec_digits(&p, 2, &tm.tm_mday) || !codec_char(&p, 'T') ||
        !codec_digits(&p, 2, &tm.tm_hour) || !codec_char(&p, ':') || !codec_digits(&p, 2, &tm.tm_min) ||
        !codec_char(&p, ':') || !codec_digits(&p, 2, &tm.tm_sec) || !codec_char(&p, 'Z') || *p != '\0') {
        return false;
    }
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    check = tm;
    when = timegm(&check);
    /* timegm mends a 31 February; a time that needed mending was not one. */
    if (check.tm_year != tm.tm_year || check.tm_mon != tm.tm_mon || check.tm_mday != tm.tm_mday ||
        check.tm_hour != tm.tm_hour || check.tm_min != tm.tm_min || check.tm_sec != tm.tm_sec) {
        return false;
    }
    *out = when;
    return true;
}

void codec_time_format(time_t when, char text[CODEC_TIME_SIZE])
{
    struct tm tm;

    if (!gmtime_r(&when, &tm) || strftime(text, CODEC_TIME_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0) {
        snprintf(text, CODEC_TIME_SIZE, "?");
    }
}

void codec_time_show(time_t when, char text[CODEC_TIME_SIZE])
{
    struct tm tm;

    if (!localtime_r(&when, &tm) || strftime(text, CODEC_TIME_SIZE, "%Y-%m-%d %H:%M", &tm) == 0) {
        snprintf(text, CODEC_TIME_SIZE, "?");
    }
}

void codec_sha256_hex(const void *data, size_t len, char hex[CODEC_SHA256_HEX_SIZE])
{
    unsigned char digest[crypto_hash_sha256_BYTES];

    crypto_hash_sha256(digest, data, len);
    sodium_bin2hex(hex, CODEC_SHA256_HEX_SIZE, digest, sizeof digest);
}
