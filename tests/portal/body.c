#include "body.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool bad_member(struct exchange *x, const char *name, const char *what)
{
    char pointer[80];
    char detail[200];

    snprintf(pointer, sizeof(pointer), "/%s", name);
    snprintf(detail, sizeof(detail), "The member \"%s\" %s; send it as the API describes it.", name, what);
    answer_problem_with(x, PROBLEM_BAD_REQUEST, json_pack("{s:s}", "field", pointer), detail);
    return false;
}

bool body_is_uuid(const char *text)
{
    /* RFC 9562: version 4, the variant of section 4.1 */
    static const char pattern[] = "xxxxxxxx-xxxx-4xxx-vxxx-xxxxxxxxxxxx";

    if (strlen(text) != sizeof(pattern) - 1)
        return false;
    for (size_t i = 0; pattern[i] != '\0'; i++) {
        const char *allowed = pattern[i] == 'x' ? "0123456789abcdef" : "89ab";

        if (pattern[i] == '-' || pattern[i] == '4' ? text[i] != pattern[i] : strchr(allowed, text[i]) == NULL)
            return false;
    }
    return true;
}

static bool is_json_type(const char *content_type)
{
    static const char name[] = "application/json";

    if (content_type == NULL || strncasecmp(content_type, name, sizeof(name) - 1) != 0)
        return false;
    content_type += sizeof(name) - 1;
    while (*content_type == ' ')
        content_type++;
    if (*content_type == '\0')
        return true;
    /* RFC 8259 defines no parameter, but many clients send this one. */
    return *content_type == ';' && strcasestr(content_type, "charset=utf-8") != NULL;
}

static bool parse(struct exchange *x)
{
    json_error_t error;

    if (!is_json_type(x->content_type)) {
        answer_problem(x, PROBLEM_UNSUPPORTED_MEDIA_TYPE, "The body is not application/json; send JSON.");
        return false;
    }
    x->json = json_loadb(x->body, x->body_len, JSON_REJECT_DUPLICATES, &error);
    if (x->json == NULL || !json_is_object(x->json)) {
        /* The parser's own message may quote the body, and with it a password. */
        answer_problem(x, PROBLEM_BAD_REQUEST,
                       "The body is not one JSON object; correct it near line %d, column %d.",
                       x->json == NULL ? error.line : 1, x->json == NULL ? error.column : 1);
        return false;
    }
    return true;
}

static bool read_base64(struct exchange *x, const struct member *member, const char *text, size_t len)
{
    size_t size = len / 4 * 3 + 3, decoded = 0;
    uint8_t *data = malloc(size);
    struct bytes *out = member->out;
    const char *end = NULL;

    if (!exchange_own(x, data)) {
        answer_failure(x);
        return false;
    }
    if (sodium_base642bin(data, size, text, len, NULL, &decoded, &end, sodium_base64_VARIANT_ORIGINAL) != 0 ||
        end != text + len)
        return bad_member(x, member->name, "is not base64 with its padding and without line breaks");
    if (decoded == 0 || decoded > member->max)
        return bad_member(x, member->name, "is empty or too long");
    out->data = data;
    out->len = decoded;
    return true;
}

static bool read_secret(struct exchange *x, const struct member *member, const char *text, size_t len)
{
    struct secret *secret = secret_from(text, len);

    secret_wipe((char *)(uintptr_t)text, len);
    if (!exchange_own_secret(x, secret)) {
        answer_failure(x);
        return false;
    }
    *(struct secret **)member->out = secret;
    return true;
}

static bool read_member(struct exchange *x, const struct member *member)
{
    const json_t *value = json_object_get(x->json, member->name);
    const char *text = json_string_value(value);
    size_t len = json_string_length(value);

    if (value == NULL)
        return bad_member(x, member->name, "is missing");
    if (text == NULL)
        return bad_member(x, member->name, "is not a string");
    if (member->type == MEMBER_BASE64)
        return read_base64(x, member, text, len);
    if (len == 0 || len > member->max || strlen(text) != len)
        return bad_member(x, member->name, "is empty, too long, or has a NUL in it");
    if (member->type == MEMBER_SECRET)
        return read_secret(x, member, text, len);
    if (member->type == MEMBER_UUID && !body_is_uuid(text))
        return bad_member(x, member->name, "is not a random UUID in lower case");
    if (member->type == MEMBER_HEX && strspn(text, "0123456789abcdef") != len)
        return bad_member(x, member->name, "is not lower-case hex");
    *(const char **)member->out = text;
    return true;
}

static bool is_known(const char *name, const struct member *members, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(name, members[i].name) == 0)
            return true;
    }
    return false;
}

bool body_read(struct exchange *x, const struct member *members, size_t count)
{
    const char *name;
    json_t *value;

    if (!parse(x))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!read_member(x, &members[i]))
            return false;
    }
    json_object_foreach(x->json, name, value)
    {
        if (!is_known(name, members, count)) {
            answer_problem(x, PROBLEM_BAD_REQUEST,
                           "The body has a member that is not known here; leave it out.");
            return false;
        }
    }
    return true;
}

bool body_read_nothing(struct exchange *x)
{
    return x->body_len == 0 || body_read(x, NULL, 0);
}
