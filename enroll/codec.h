/*
 * codec: the texts in which the API and the journal write bytes, ids and times.
 *
 * base64 is RFC 4648 section 4 (padded, no line breaks), hex is lower case, a UUID is version 4 (RFC 4122),
 * a time is RFC 3339 in UTC with whole seconds.
 * Owner: returned strings are the caller's (free). Thread rule: no shared state.
 */
#ifndef PINWARD_ENROLL_CODEC_H
#define PINWARD_ENROLL_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "enroll/bytes.h"

/* NULL: no memory. */
char *codec_base64_encode(const void *data, size_t len);
char *codec_hex_encode(const void *data, size_t len);

/* Strict: false, with *out unchanged, for anything that the encoder above would not have written. */
bool codec_base64_decode(const char *text, struct bytes *out);
bool codec_hex_decode(const char *text, struct bytes *out);

#define CODEC_UUID_SIZE 37
/* A new random UUID; false: no randomness. */
bool codec_uuid_new(char uuid[CODEC_UUID_SIZE]);
bool codec_uuid_valid(const char *text);

#define CODEC_TIME_SIZE 32
/* "2026-11-22T14:00:00Z" to seconds since the epoch and back. */
bool codec_time_parse(const char *text, time_t *out);
void codec_time_format(time_t when, char text[CODEC_TIME_SIZE]);
/* For people: "2026-11-22 22:00", here. */
void codec_time_show(time_t when, char text[CODEC_TIME_SIZE]);

#define CODEC_SHA256_HEX_SIZE 65
void codec_sha256_hex(const void *data, size_t len, char hex[CODEC_SHA256_HEX_SIZE]);

#endif
