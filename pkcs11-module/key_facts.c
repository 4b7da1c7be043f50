#include "pkcs11-module/key_facts.h"

#include <string.h>

#include "pkcs11-module/attribute.h"

/* What is kept ends at a whole character. */
void key_facts_set_label(struct key_facts *facts, const unsigned char *label, CK_ULONG len)
{
    CK_ULONG end = len > KEY_LABEL_MAX ? KEY_LABEL_MAX : len;

    if (end < len)
        while (end > 0 && (label[end] & 0xC0) == 0x80)
            end--;
    if (end > 0)
        memcpy(facts->label, label, end);
    facts->label[end] = '\0';
    facts->label_whole = end == len && strlen(facts->label) == len;
}

/* What rules and windows know a key by, and what guards it, is either there or it is not: *len is 0 when the token does
 * not have it, or longer than can be kept. After any other failure the key would be judged by what it is not. */
static CK_RV read_or_absent(CK_FUNCTION_LIST *backend, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                            CK_ATTRIBUTE_TYPE type, void *value, CK_ULONG size, CK_ULONG *len)
{
    const CK_RV rv = attribute_read(backend, session, object, type, value, size, len);

    if (rv == CKR_OK)
        return rv;
    *len = 0;
    return rv == CKR_ATTRIBUTE_TYPE_INVALID || rv == CKR_ATTRIBUTE_SENSITIVE || rv == CKR_BUFFER_TOO_SMALL ? CKR_OK : rv;
}

static CK_RV read_label(CK_FUNCTION_LIST *backend, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                        struct key_facts *facts)
{
    unsigned char label[4 * KEY_LABEL_MAX] = {0};
    CK_ULONG len = 0;
    CK_RV rv = read_or_absent(backend, session, object, CKA_LABEL, label, sizeof label, &len);

    if (rv == CKR_OK && len > 0)
        key_facts_set_label(facts, label, len);
    return rv;
}

static CK_RV read_guard(CK_FUNCTION_LIST *backend, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                        struct key_facts *facts)
{
    CK_BBOOL value = CK_TRUE; /* where the token says yes and writes nothing */
    CK_ULONG len = 0;
    CK_RV rv = read_or_absent(backend, session, object, CKA_ALWAYS_AUTHENTICATE, &value, sizeof value, &len);

    if (rv == CKR_OK && len != 0 && len != sizeof value)
        return CKR_DEVICE_ERROR; /* neither true nor false */
    facts->always_authenticate = len == sizeof value && value != CK_FALSE;
    return rv;
}

/* What the token does not say cannot leave it. */
static CK_RV read_extractable(CK_FUNCTION_LIST *backend, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                              struct key_facts *facts)
{
    CK_BBOOL value = CK_FALSE;
    CK_ULONG len = 0;
    CK_RV rv = read_or_absent(backend, session, object, CKA_EXTRACTABLE, &value, sizeof value, &len);

    facts->extractable = len == sizeof value && value != CK_FALSE;
    return rv;
}

/* Bytes of a signature by the curve that CKA_EC_PARAMS names (PKCS#11 2.40, 2.3.1: r and s, each as long as the
 * order; RFC 8032 for the Edwards curves). */
static CK_ULONG curve_signature_length(const CK_BYTE *params, CK_ULONG len)
{
    static const struct {
        const char *der; /* an OBJECT IDENTIFIER, or a PrintableString for the Edwards curves */
        CK_ULONG der_len;
        CK_ULONG signature_len;
    } curves[] = {
        {"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x01", 10, 48}, /* P-192 */
        {"\x06\x05\x2b\x81\x04\x00\x21", 7, 56},             /* P-224 */
        {"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07", 10, 64}, /* P-256 */
        {"\x06\x05\x2b\x81\x04\x00\x0a", 7, 64},             /* secp256k1 */
        {"\x06\x05\x2b\x81\x04\x00\x22", 7, 96},             /* P-384 */
        {"\x06\x05\x2b\x81\x04\x00\x23", 7, 132},            /* P-521 */
        {"\x06\x09\x2b\x24\x03\x03\x02\x08\x01\x01\x07", 11, 64},  /* brainpoolP256r1 */
        {"\x06\x09\x2b\x24\x03\x03\x02\x08\x01\x01\x0b", 11, 96},  /* brainpoolP384r1 */
        {"\x06\x09\x2b\x24\x03\x03\x02\x08\x01\x01\x0d", 11, 128}, /* brainpoolP512r1 */
        {"\x06\x03\x2b\x65\x70", 5, 64},                      /* Ed25519 */
        {"\x06\x03\x2b\x65\x71", 5, 114},                     /* Ed448 */
        {"\x13\x0c" "edwards25519", 14, 64},
        {"\x13\x0a" "edwards448", 12, 114},
    };

    for (size_t i = 0; i < sizeof curves / sizeof curves[0]; i++)
        if (len == curves[i].der_len && memcmp(params, curves[i].der, len) == 0)
            return curves[i].signature_len;
    return 0;
}

static CK_ULONG read_output_length(CK_FUNCTION_LIST *backend, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                                   CK_KEY_TYPE key_type)
{
    CK_BYTE params[32] = {0};
    CK_ULONG len = 0;

    if (key_type == CKK_RSA)
        return attribute_length(backend, session, object, CKA_MODULUS);
    if ((key_type == CKK_EC || key_type == CKK_EC_EDWARDS) &&
        attribute_read(backend, session, object, CKA_EC_PARAMS, params, sizeof params, &len) == CKR_OK)
        return curve_signature_length(params, len);
    return 0;
}

static CK_RV read_private_key(CK_FUNCTION_LIST *backend, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                             struct key_facts *facts)
{
    CK_ULONG len = 0;
    CK_RV rv;

    if (attribute_read(backend, session, object, CKA_KEY_TYPE, &facts->key_type, sizeof facts->key_type, &len) != CKR_OK ||
        len != sizeof facts->key_type)
        facts->key_type = CK_UNAVAILABLE_INFORMATION;
    facts->output_len = read_output_length(backend, session, object, facts->key_type);
    rv = read_extractable(backend, session, object, facts);
    return rv == CKR_OK ? read_guard(backend, session, object, facts) : rv;
}

/* What rules and windows know it by. */
static CK_RV read_name(CK_FUNCTION_LIST *backend, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                       struct key_facts *facts)
{
    const CK_RV rv = read_or_absent(backend, session, object, CKA_ID, facts->id, sizeof facts->id, &facts->id_len);

    return rv == CKR_OK ? read_label(backend, session, object, facts) : rv;
}

bool key_facts_is_harmless(const struct key_facts *facts)
{
    switch (facts->object_class) {
    case CKO_PUBLIC_KEY:
    case CKO_SECRET_KEY:
    case CKO_CERTIFICATE:
    case CKO_DATA:
    case CKO_HW_FEATURE:
    case CKO_DOMAIN_PARAMETERS:
    case CKO_MECHANISM:
        return true;
    default:
        return false;
    }
}

CK_RV key_facts_read(CK_FUNCTION_LIST *backend, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                     struct key_facts *facts)
{
    struct key_facts read = {.object_class = CK_UNAVAILABLE_INFORMATION}; /* a token may say yes and write nothing */
    CK_ULONG len = 0;
    CK_RV rv = attribute_read(backend, session, object, CKA_CLASS, &read.object_class, sizeof read.object_class, &len);

    if (rv != CKR_OK && rv != CKR_BUFFER_TOO_SMALL)
        return rv;
    if (len != sizeof read.object_class || read.object_class == CK_UNAVAILABLE_INFORMATION)
        return CKR_DEVICE_ERROR; /* an object without a class: nothing can be said of it, so nothing is allowed */
    rv = key_facts_is_private_key(&read) ? read_private_key(backend, session, object, &read) : CKR_OK;
    if (rv == CKR_OK && !key_facts_is_harmless(&read))
        rv = read_name(backend, session, object, &read);
    if (rv == CKR_OK)
        *facts = read;
    return rv;
}

bool key_facts_are_of_one_key(const struct key_facts *a, const struct key_facts *b)
{
    return a->object_class == b->object_class && a->key_type == b->key_type &&
           a->always_authenticate == b->always_authenticate && a->extractable == b->extractable &&
           a->output_len == b->output_len && strcmp(a->label, b->label) == 0 && a->id_len == b->id_len &&
           memcmp(a->id, b->id, a->id_len) == 0;
}
