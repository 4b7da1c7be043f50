#include "pkcs11-module/certificate.h"

#include <stdio.h>
#include <string.h>

#include "common/utf8.h"
#include "pkcs11-module/attribute.h"

#define NAME_DER_MAX   2048
#define NAME_PARTS_MAX 32

/* A stretch of DER that is still to be read. */
struct der {
    const unsigned char *at;
    size_t left;
};

/* Takes one TLV with a definite length (X.690, 8.1) off the front; value gets its contents. */
static bool der_take(struct der *der, unsigned char *tag, struct der *value)
{
    size_t len;
    size_t head = 2;

    if (der->left < 2)
        return false;
    len = der->at[1];
    if (len & 0x80) {
        size_t octets = len & 0x7f;

        if (octets == 0 || octets > 2 || der->left < 2 + octets)
            return false;
        len = 0;
        for (size_t i = 0; i < octets; i++)
            len = len << 8 | der->at[2 + i];
        head += octets;
    }
    if (der->left - head < len)
        return false;
    *tag = der->at[0];
    value->at = der->at + head;
    value->left = len;
    der->at += head + len;
    der->left -= head + len;
    return true;
}

static bool der_take_tag(struct der *der, unsigned char tag, struct der *value)
{
    unsigned char got;

    return der_take(der, &got, value) && got == tag;
}

/* RFC 4514's short name of an attribute type, NULL when it has none. */
static const char *attribute_name(const struct der *oid)
{
    static const struct {
        const char *oid;
        size_t len;
        const char *name;
    } names[] = {
        {"\x55\x04\x03", 3, "CN"},
        {"\x55\x04\x0a", 3, "O"},
        {"\x55\x04\x0b", 3, "OU"},
        {"\x55\x04\x06", 3, "C"},
        {"\x55\x04\x07", 3, "L"},
        {"\x55\x04\x08", 3, "ST"},
        {"\x55\x04\x05", 3, "serialNumber"},
        {"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01", 9, "emailAddress"},
    };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (oid->left == names[i].len && memcmp(oid->at, names[i].oid, oid->left) == 0)
            return names[i].name;
    return NULL;
}

struct text {
    char *bytes;
    size_t len;
    bool full;
};

static void text_put(struct text *text, const char *bytes, size_t len)
{
    if (text->full || len > CERTIFICATE_SUBJECT_MAX - 1 - text->len) {
        text->full = true;
        return;
    }
    memcpy(text->bytes + text->len, bytes, len);
    text->len += len;
}

static void text_put_code_point(struct text *text, unsigned c)
{
    char utf8[3];
    size_t n = 0;

    if (c < 0x20 || c == 0x7f || (c >= 0xD800 && c < 0xE000))
        c = '?';
    if (c < 0x80) {
        utf8[n++] = (char)c;
    } else if (c < 0x800) {
        utf8[n++] = (char)(0xC0 | c >> 6);
        utf8[n++] = (char)(0x80 | (c & 0x3F));
    } else {
        utf8[n++] = (char)(0xE0 | c >> 12);
        utf8[n++] = (char)(0x80 | (c >> 6 & 0x3F));
        utf8[n++] = (char)(0x80 | (c & 0x3F));
    }
    text_put(text, utf8, n);
}

/* PrintableString, UTF8String, IA5String and BMPString cover what CAs issue (RFC 5280, 4.1.2.4). */
static bool text_put_value(struct text *text, unsigned char tag, const struct der *value)
{
    size_t n;

    switch (tag) {
    case 0x0c:
    case 0x13:
    case 0x14:
    case 0x16:
        for (size_t i = 0; i < value->left; i += n) {
            const char *c = (const char *)value->at + i;

            n = utf8_character(c, value->left - i);
            if (n > 1)
                text_put(text, c, n);
            else
                text_put_code_point(text, n ? value->at[i] : '?');
            n = n ? n : 1;
        }
        return true;
    case 0x1e:
        for (size_t i = 0; i + 1 < value->left; i += 2)
            text_put_code_point(text, (unsigned)value->at[i] << 8 | value->at[i + 1]);
        return value->left % 2 == 0;
    default:
        return false;
    }
}

/* One AttributeTypeAndValue; a type without a short name is left out. */
static bool text_put_attribute(struct text *text, struct der *set)
{
    struct der pair, oid, value;
    unsigned char tag;
    const char *name;

    if (!der_take_tag(set, 0x30, &pair) || !der_take_tag(&pair, 0x06, &oid) || !der_take(&pair, &tag, &value))
        return false;
    name = attribute_name(&oid);
    if (!name)
        return true;
    if (text->len)
        text_put(text, ", ", 2);
    text_put(text, name, strlen(name));
    text_put(text, "=", 1);
    return text_put_value(text, tag, &value);
}

bool certificate_name_to_text(const unsigned char *der, size_t len, char subject[CERTIFICATE_SUBJECT_MAX])
{
    struct der whole = {der, len};
    struct der name;
    struct der parts[NAME_PARTS_MAX];
    struct text text = {.bytes = subject};
    size_t count = 0;

    if (!der_take_tag(&whole, 0x30, &name) || whole.left != 0)
        return false;
    for (; name.left; count++)
        if (count == NAME_PARTS_MAX || !der_take_tag(&name, 0x31, &parts[count]))
            return false;
    while (count-- > 0)
        while (parts[count].left)
            if (!text_put_attribute(&text, &parts[count]))
                return false;
    subject[text.len] = '\0';
    return text.len > 0;
}

bool certificate_subject_of_key(CK_FUNCTION_LIST *backend, CK_SESSION_HANDLE session,
                                const struct key_facts *facts, char subject[CERTIFICATE_SUBJECT_MAX])
{
    CK_OBJECT_CLASS object_class = CKO_CERTIFICATE;
    CK_CERTIFICATE_TYPE type = CKC_X_509;
    CK_BBOOL on_token = CK_TRUE; /* a program could make a session object of any subject */
    CK_ATTRIBUTE wanted[] = {
        {CKA_CLASS, &object_class, sizeof object_class},
        {CKA_TOKEN, &on_token, sizeof on_token},
        {CKA_CERTIFICATE_TYPE, &type, sizeof type},
        {CKA_ID, (void *)facts->id, facts->id_len},
    };
    unsigned char der[NAME_DER_MAX] = {0};
    CK_OBJECT_HANDLE objects[2] = {CK_INVALID_HANDLE}, object;
    CK_ULONG count = 0, len = 0;

    if (facts->id_len == 0 || backend->C_FindObjectsInit(session, wanted, 4) != CKR_OK)
        return false;
    if (backend->C_FindObjects(session, objects, 2, &count) != CKR_OK)
        count = 0;
    object = objects[0];
    (void)backend->C_FindObjectsFinal(session);
    return count == 1 && attribute_read(backend, session, object, CKA_SUBJECT, der, sizeof der, &len) == CKR_OK &&
           certificate_name_to_text(der, len, subject);
}
