#include "enroll/dn.h"

#include <stdbool.h>
#include <string.h>

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/objects.h>

#include "common/i18n.h"

/* One value as it is read: bytes of UTF-8, or DER when it was written as "#hex". */
struct dn_value {
    unsigned char data[DN_TEXT_MAX];
    size_t len;
    bool der;
};

static int dn_hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *found = c ? strchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c) : NULL;

    return found ? (int)(found - digits) : -1;
}

/* Two hex digits at p; -1: not. */
static int dn_hex_pair(const char *p)
{
    int high = dn_hex_digit(p[0]);
    int low = high >= 0 ? dn_hex_digit(p[1]) : -1;

    return low >= 0 ? high << 4 | low : -1;
}

/* "#hex" (RFC 4514 section 2.4). */
static bool dn_read_hex(const char **p, struct dn_value *value)
{
    value->der = true;
    for ((*p)++; **p && **p != ',' && **p != '+'; *p += 2) {
        int byte = dn_hex_pair(*p);

        if (byte < 0 || value->len == sizeof value->data) {
            return false;
        }
        value->data[value->len++] = (unsigned char)byte;
    }
    return value->len > 0;
}

/* One character behind a backslash: itself when it is special, else two hex digits (RFC 4514 section 3). */
static bool dn_read_escape(const char **p, unsigned char *byte)
{
    int pair = dn_hex_pair(*p);

    if (pair >= 0) {
        *byte = (unsigned char)pair;
        *p += 2;
        return true;
    }
    if (**p && strchr("\"+,;<>\\ #=", **p)) {
        *byte = (unsigned char)*(*p)++;
        return true;
    }
    return false;
}

static bool dn_read_value(const char **p, struct dn_value *value)
{
    value->len = 0;
    value->der = false;
    if (**p == '#') {
        return dn_read_hex(p, value);
    }
    while (**p && **p != ',' && **p != '+') {
        unsigned char byte = (unsigned char)*(*p)++;

        if (strchr("\"<>;", byte) || (byte == '\\' && !dn_read_escape(p, &byte)) ||
            value->len == sizeof value->data) {
            return false;
        }
        value->data[value->len++] = byte;
    }
    return value->len > 0;
}

static X509_NAME_ENTRY *dn_make_entry(const ASN1_OBJECT *type, const struct dn_value *value)
{
    const unsigned char *p = value->data;
    X509_NAME_ENTRY *entry = NULL;
    ASN1_TYPE *any;

    if (!value->der) {
        return X509_NAME_ENTRY_create_by_OBJ(NULL, type, MBSTRING_UTF8, value->data, (int)value->len);
    }
    any = d2i_ASN1_TYPE(NULL, &p, (long)value->len);
    if (any && p == value->data + value->len &&
        (ASN1_tag2bit(ASN1_TYPE_get(any)) & (B_ASN1_DIRECTORYSTRING)) != 0) {
        const ASN1_STRING *string = any->value.asn1_string;

        entry = X509_NAME_ENTRY_create_by_OBJ(NULL, type, ASN1_TYPE_get(any), ASN1_STRING_get0_data(string),
                                              ASN1_STRING_length(string));
    }
    ASN1_TYPE_free(any);
    return entry;
}

/* "type=value" at *p, put into name: in front as an RDN of its own, or joined to the one in front. The text
 * names the last RDN first (RFC 4514 section 2.1). */
static bool dn_read_attribute(const char **p, bool joined, X509_NAME *name)
{
    char type_name[128];
    size_t len = strcspn(*p, "=,+");
    struct dn_value value;
    ASN1_OBJECT *type = NULL;
    X509_NAME_ENTRY *entry = NULL;
    bool ok = false;

    if (len == 0 || len >= sizeof type_name || (*p)[len] != '=') {
        return false;
    }
    memcpy(type_name, *p, len);
    type_name[len] = '\0';
    *p += len + 1;
    type = OBJ_txt2obj(type_name, 0);
    if (type && dn_read_value(p, &value)) {
        entry = dn_make_entry(type, &value);
        ok = entry && X509_NAME_add_entry(name, entry, joined ? 1 : 0, joined ? -1 : 0) == 1;
    }
    X509_NAME_ENTRY_free(entry);
    ASN1_OBJECT_free(type);
    return ok;
}

enum error_code dn_parse(const char *text, X509_NAME **name, struct error *err)
{
    X509_NAME *parsed = X509_NAME_new();
    const char *p = text;
    bool joined = false;
    bool ok = parsed && text[0] && strlen(text) < DN_TEXT_MAX;

    while (ok) {
        ok = dn_read_attribute(&p, joined, parsed);
        if (!ok || *p == '\0') {
            break;
        }
        joined = *p++ == '+';
    }
    if (!ok) {
        X509_NAME_free(parsed);
        ERR_clear_error();
        return error_set(
            err, ERROR_PROTOCOL,
            _("The subject that the portal has registered is not a distinguished name that can be read: ask "
              "the registration authority to correct it."));
    }
    *name = parsed;
    return ERROR_NONE;
}
