/* certificate_name_to_text: an X.501 Name as the user reads it, and every way in which DER can be wrong. */
#include "pkcs11-module/certificate.h"

#include <stdio.h>
#include <string.h>

#include "support/test.h"

/* Attribute types (X.520, PKCS#9). */
#define CN    "\x55\x04\x03"
#define O     "\x55\x04\x0a"
#define C     "\x55\x04\x06"
#define TITLE "\x55\x04\x0c"
#define EMAIL "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01"

/* String types (X.680). */
#define UTF8      0x0c
#define PRINTABLE 0x13
#define T61       0x14
#define IA5       0x16
#define BMP       0x1e

struct der {
    unsigned char bytes[4096];
    size_t len;
};

static void put_header(struct der *der, unsigned char tag, size_t len)
{
    der->bytes[der->len++] = tag;
    if (len >= 0x100) {
        der->bytes[der->len++] = 0x82;
        der->bytes[der->len++] = (unsigned char)(len >> 8);
    } else if (len >= 0x80) {
        der->bytes[der->len++] = 0x81;
    }
    der->bytes[der->len++] = (unsigned char)len;
}

static void put(struct der *der, unsigned char tag, const void *bytes, size_t len)
{
    put_header(der, tag, len);
    memcpy(der->bytes + der->len, bytes, len);
    der->len += len;
}

/* Wraps what is there in one more TLV. */
static void wrap(struct der *der, unsigned char tag)
{
    struct der inner = *der;

    der->len = 0;
    put(der, tag, inner.bytes, inner.len);
}

/* An AttributeTypeAndValue appended. */
static void put_pair(struct der *der, const char *oid, unsigned char tag, const void *value, size_t len)
{
    struct der pair = {.len = 0};

    put(&pair, 0x06, oid, strlen(oid));
    put(&pair, tag, value, len);
    put(der, 0x30, pair.bytes, pair.len);
}

/* A RelativeDistinguishedName of one attribute appended. */
static void put_rdn(struct der *name, const char *oid, unsigned char tag, const void *value, size_t len)
{
    struct der set = {.len = 0};

    put_pair(&set, oid, tag, value, len);
    put(name, 0x31, set.bytes, set.len);
}

static void expect_text(const struct der *name, const char *expected)
{
    char subject[CERTIFICATE_SUBJECT_MAX];

    assert_true(certificate_name_to_text(name->bytes, name->len, subject));
    assert_string_equal(subject, expected);
}

static void expect_refused(const void *bytes, size_t len)
{
    char subject[CERTIFICATE_SUBJECT_MAX];

    if (certificate_name_to_text(bytes, len, subject))
        fail_msg("read as \"%s\"", subject);
}

/* RFC 4514: the last RDN comes first. */
static void name_is_read_backwards(void **state)
{
    struct der name = {.len = 0};

    (void)state;
    put_rdn(&name, C, PRINTABLE, "TW", 2);
    put_rdn(&name, O, UTF8, "Example", 7);
    put_rdn(&name, CN, UTF8, "\xe7\x8e\x8b\xe5\xb0\x8f\xe6\x98\x8e", 9);
    put_rdn(&name, EMAIL, IA5, "ming@example.org", 16);
    wrap(&name, 0x30);
    expect_text(&name,
                "emailAddress=ming@example.org, CN=\xe7\x8e\x8b\xe5\xb0\x8f\xe6\x98\x8e, O=Example, C=TW");
}

static void every_string_type_is_read(void **state)
{
    static const struct {
        unsigned char tag;
        const char *value;
        size_t len;
        const char *text;
    } values[] = {
        {UTF8, "a\xc3\xa9\xf0\x9f\x94\x91z", 8, "CN=a\xc3\xa9\xf0\x9f\x94\x91z"},
        {PRINTABLE, "plain", 5, "CN=plain"},
        {T61, "t61", 3, "CN=t61"},
        {IA5, "a@b", 3, "CN=a@b"},
        {BMP, "\0A\0\xe9\x73\x8b", 6, "CN=A\xc3\xa9\xe7\x8e\x8b"},
        {BMP, "\xd8\x3d\xdd\x11", 4, "CN=??"}, /* surrogates are not of the BMP */
        {BMP, "\0\n\0\x7f\0\x1b", 6, "CN=???"},
        {UTF8, "a\nb\tc\x1b\x7f\0d", 9, "CN=a?b?c???d"},
        {UTF8, "\xff\xfe\x80", 3, "CN=???"}, /* no UTF-8 at all */
        {UTF8, "\xc0\xafx", 3, "CN=??x"},    /* overlong */
        {UTF8, "ab\xe7\x8e", 4, "CN=ab??"},  /* broken off */
        {UTF8, "", 0, "CN="},
    };

    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        struct der name = {.len = 0};

        put_rdn(&name, CN, values[i].tag, values[i].value, values[i].len);
        wrap(&name, 0x30);
        expect_text(&name, values[i].text);
    }
}

static void unknown_types_are_left_out(void **state)
{
    struct der name = {.len = 0};
    struct der only = {.len = 0};

    (void)state;
    put_rdn(&name, CN, UTF8, "x", 1);
    put_rdn(&name, TITLE, UTF8, "Dr", 2);
    put_rdn(&name, "\x55\x04", UTF8, "short", 5);
    wrap(&name, 0x30);
    expect_text(&name, "CN=x");
    put_rdn(&only, TITLE, UTF8, "Dr", 2);
    wrap(&only, 0x30);
    expect_refused(only.bytes, only.len);
}

static void multi_valued_rdn_is_read_whole(void **state)
{
    struct der set = {.len = 0};
    struct der name = {.len = 0};

    (void)state;
    put_pair(&set, CN, UTF8, "a", 1);
    put_pair(&set, O, UTF8, "b", 1);
    put(&name, 0x31, set.bytes, set.len);
    wrap(&name, 0x30);
    expect_text(&name, "CN=a, O=b");
}

/* Longer than there is room for: cut, between characters, with what comes first still there. */
static void long_name_is_cut(void **state)
{
    char subject[CERTIFICATE_SUBJECT_MAX];
    char value[1500];

    (void)state;
    for (size_t lead = 0; lead < 3; lead++) {
        struct der name = {.len = 0};

        memset(value, 'x', lead);
        for (size_t i = lead; i + 3 <= sizeof value; i += 3)
            memcpy(value + i, "\xe7\x8e\x8b", 3);
        put_rdn(&name, C, PRINTABLE, "TW", 2);
        put_rdn(&name, CN, UTF8, value, lead + (sizeof value - lead) / 3 * 3);
        wrap(&name, 0x30);
        assert_true(certificate_name_to_text(name.bytes, name.len, subject));
        assert_true(strlen(subject) > CERTIFICATE_SUBJECT_MAX - 5);
        assert_memory_equal(subject, "CN=", 3);
        assert_memory_equal(subject + strlen(subject) - 3, "\xe7\x8e\x8b", 3);
    }
}

static void malformed_der_is_refused(void **state)
{
    struct der name = {.len = 0};
    struct der many = {.len = 0};
    unsigned char copy[64];

    (void)state;
    expect_refused("", 0);
    expect_refused("\x30\x00", 2); /* an empty name */
    put_rdn(&name, C, PRINTABLE, "TW", 2);
    put_rdn(&name, CN, UTF8, "abc", 3);
    wrap(&name, 0x30);
    for (size_t len = 0; len < name.len; len++)
        expect_refused(name.bytes, len);
    memcpy(copy, name.bytes, name.len);
    copy[name.len] = 0;
    expect_refused(copy, name.len + 1);    /* something behind it */
    expect_refused("\x30\x80\x00\x00", 4); /* indefinite length is BER */
    expect_refused("\x30\x83\x00\x00\x01\x31", 6);
    expect_refused("\x30\x84\xff\xff\xff\xff", 6);
    expect_refused("\x31\x02\x31\x00", 4); /* SET for SEQUENCE */
    put_rdn(&many, CN, BMP, "\0A\0", 3);   /* half a character */
    wrap(&many, 0x30);
    expect_refused(many.bytes, many.len);
    many.len = 0;
    put_rdn(&many, CN, 0x1c, "\0\0\0A", 4); /* UniversalString: no CA's */
    wrap(&many, 0x30);
    expect_refused(many.bytes, many.len);
    many.len = 0;
    for (int i = 0; i < 33; i++)
        put_rdn(&many, CN, UTF8, "a", 1);
    wrap(&many, 0x30);
    expect_refused(many.bytes, many.len);
}

/* Each byte in turn set to each value: whatever comes out, nothing is read or written beside the buffers. */
static void every_byte_may_be_wrong(void **state)
{
    char subject[CERTIFICATE_SUBJECT_MAX];
    struct der name = {.len = 0};

    (void)state;
    put_rdn(&name, C, PRINTABLE, "TW", 2);
    put_rdn(&name, CN, BMP, "\0A\0B", 4);
    wrap(&name, 0x30);
    for (size_t i = 0; i < name.len; i++) {
        for (unsigned value = 0; value < 256; value++) {
            struct der changed = {.len = name.len};
            unsigned char *exact = test_malloc(name.len);

            memcpy(changed.bytes, name.bytes, name.len);
            changed.bytes[i] = (unsigned char)value;
            memcpy(exact, changed.bytes, changed.len);
            if (certificate_name_to_text(exact, changed.len, subject))
                assert_true(strlen(subject) < sizeof subject);
            test_free(exact);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(name_is_read_backwards),     cmocka_unit_test(every_string_type_is_read),
        cmocka_unit_test(unknown_types_are_left_out), cmocka_unit_test(multi_valued_rdn_is_read_whole),
        cmocka_unit_test(long_name_is_cut),           cmocka_unit_test(malformed_der_is_refused),
        cmocka_unit_test(every_byte_may_be_wrong),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
